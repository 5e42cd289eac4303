"""Orders as P21 has them: by our reference, by number, and those that might be ours under another reference.

Nothing is called absent here that may be there. The bound in time is stepped back by days, for P21 stamps in its own
zone and clock; deleted and cancelled orders are found; tables are read, never views, as only they are fresh at once
(facts 3.7). P21 compares without case, so what it finds is compared again here, whole and trimmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from p21d.prophet21.orders.fields import SHIP_TO_COLUMNS
from p21d.prophet21.orders.port import FoundLine, FoundOrder
from p21d.prophet21.orders.references import References
from p21d.prophet21.orders.rows import HEADERS, ITEMS, LINES, PLACES, Header, Line, rows_by
from p21d.prophet21.paging import Pager
from p21d.prophet21.reading import Reading
from p21d.prophet21.server_clock import ServerClock
from p21d.prophet21.zone import ServerZone
from p21d.row import P21Time, clean, yes

STEP_BACK = timedelta(days=2)
"""More than any difference of zones, and than any clock is wrong that still signs in."""
CANDIDATE_STEP_BACK = timedelta(hours=2)
"""An hour of a clock set back, and an hour of disagreement between two servers."""


class LookUp:
    """Reads orders over OData."""

    def __init__(self, pager: Pager, zone: ServerZone, server_clock: ServerClock, references: References) -> None:
        self._pager = pager
        self._zone = zone
        self._server_clock = server_clock
        self._references = references

    async def by_reference(
        self, *, field: str, text: str, customer_id: int, created_since: datetime
    ) -> list[FoundOrder]:
        """Return the orders of a customer that carry exactly this text; RMAs, which take it over, are none of them."""
        since = self._since(created_since)
        if field in HEADERS.columns:
            pair = (customer_id, text.strip())
            headers = await rows_by(self._pager, HEADERS, ("customer_id", field), [pair], since)
        else:
            pairs = [(customer_id, number) for number in await self._references.order_nos(field, text)]
            headers = await rows_by(self._pager, HEADERS, ("customer_id", "order_no"), pairs, since)
        orders = await self._orders([row for row in headers if not yes(row.rma_flag)], field)
        return [order for order in orders if order.reference_text == text.strip()]

    async def candidates(
        self, *, customer_id: int, taker: str, created_since: datetime, item_ids: Sequence[str], field: str
    ) -> list[FoundOrder]:
        """Return the customer's orders by this taker, created since, that share an item or have no line at all."""
        since = self._since(created_since)
        headers = await rows_by(self._pager, HEADERS, ("customer_id",), [(customer_id,)], since)
        earliest = self._by_p21(created_since) - CANDIDATE_STEP_BACK
        near = [
            row
            for row in headers
            if _plain(row.taker) == _plain(taker) and (_instant(row.date_created) or earliest) >= earliest
        ]
        wanted = {_plain(item) for item in item_ids}
        return [
            order
            for order in await self._orders([row for row in near if not yes(row.rma_flag)], field)
            if not order.lines or wanted & {_plain(line.item_id) for line in order.lines}
        ]

    async def read(self, order_no: str, *, field: str) -> FoundOrder | None:
        """Return an order with its lines, None where P21 does not have it."""
        headers = await rows_by(self._pager, HEADERS, ("order_no",), [(order_no.strip(),)])
        orders = await self._orders(headers, field)
        return orders[0] if orders else None

    def _since(self, instant: datetime) -> str:
        return f"date_created ge {self._zone.low_literal(self._by_p21(instant) - STEP_BACK)}"

    def _by_p21(self, instant: datetime) -> datetime:
        # P21 stamps by its own clock, which may be behind the one that told this instant.
        return min(instant, instant + timedelta(seconds=self._server_clock.skew_seconds))

    async def _orders(self, headers: Sequence[Header], field: str) -> list[FoundOrder]:
        numbers = sorted({row.order_no for row in headers})
        if not numbers:
            return []
        lines = await rows_by(self._pager, LINES, ("order_no",), [(number,) for number in numbers])
        items = await self._names(ITEMS, "inv_mast_uid", "item_id", (line.inv_mast_uid for line in lines))
        carriers = await self._names(PLACES, "id", "name", (row.carrier_id for row in headers))
        texts = await self._references.texts(field, headers)
        by_order: dict[str, list[FoundLine]] = {}
        for line in lines:
            by_order.setdefault(clean(line.order_no), []).append(found_line(line, items))
        return [
            found_order(
                row,
                by_order.get(clean(row.order_no), []),
                text=texts.get(clean(row.order_no), ""),
                carrier=carriers.get(row.carrier_id or 0, ""),
            )
            for row in sorted(headers, key=lambda header: header.oe_hdr_uid)
        ]

    async def _names(self, reading: Reading[Any], key: str, name: str, ids: Iterable[int | None]) -> dict[int, str]:
        values = [(one,) for one in sorted({one for one in ids if one is not None})]
        rows = await rows_by(self._pager, reading, (key,), values)
        return {getattr(row, key): (getattr(row, name) or "").rstrip() for row in rows}


def found_order(row: Header, lines: Sequence[FoundLine], *, text: str, carrier: str) -> FoundOrder:
    """Return an order from its row."""
    return FoundOrder(
        order_no=clean(row.order_no),
        company_id=clean(row.company_id),
        customer_id=row.customer_id or 0,
        ship_to_id=row.address_id,
        po_no=clean(row.po_no),
        job_name=clean(row.job_name),
        reference_text=text,
        taker=clean(row.taker),
        state=clean(row.completed).upper(),
        cancelled=yes(row.cancel_flag),
        deleted=yes(row.delete_flag),
        created_at=_instant(row.date_created),
        order_date=_date(row.order_date),
        requested_date=_date(row.requested_date),
        contact_id=clean(row.contact_id),
        sales_location_id=row.location_id,
        source_location_id=row.source_location_id,
        carrier=carrier,
        delivery_instructions=clean(row.delivery_instructions),
        ship_to={name: clean(getattr(row, column)) for name, column in SHIP_TO_COLUMNS.items()},
        lines=sorted(lines, key=lambda line: line.line_no),
    )


def found_line(row: Line, items: dict[int, str]) -> FoundLine:
    """Return a line from its row; `items` are the item ids by their uid."""
    return FoundLine(
        line_no=row.line_no,
        user_line_no=clean(row.user_line_no),
        item_id=items.get(row.inv_mast_uid or 0, ""),
        unit_quantity=row.unit_quantity or Decimal(0),
        unit_of_measure=clean(row.unit_of_measure),
        unit_price=row.unit_price,
        cancelled=yes(row.cancel_flag) or yes(row.delete_flag),
        component=bool(row.parent_oe_line_uid),
        extended_desc=clean(row.extended_desc),
    )


def _plain(text: str | None) -> str:
    return clean(text).casefold()


def _instant(stamp: P21Time | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(stamp or "")
    except ValueError:
        return None
    return at if at.tzinfo else None


def _date(stamp: P21Time | None) -> date | None:
    try:
        return date.fromisoformat((stamp or "")[:10])
    except ValueError:
        return None
