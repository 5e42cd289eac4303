"""Saves what was typed into the Order window: rows of oe_hdr and oe_line, stamped with P21's local time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from p21d.sandbox.distributor.numbers import next_number, next_order_no
from p21d.sandbox.prophet21.transaction.header import Header
from p21d.sandbox.prophet21.transaction.lines import Line, Lines
from p21d.sandbox.prophet21.transaction.values import decimal_text

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database

_ZERO = decimal_text(Decimal(0))
_NEW_HEADER: dict[str, Any] = {
    "delete_flag": "N",
    "completed": "N",
    "cancel_flag": "N",
    "approved": "Y",
    "projected_order": "N",
    "rma_flag": "N",
    "will_call": "N",
    "front_counter": "N",
    "validation_status": "OK",
    "order_type": 1706,
    "exported_flag": "N",
}
_NEW_LINE: dict[str, Any] = {
    "qty_allocated": _ZERO,
    "qty_on_pick_tickets": _ZERO,
    "qty_staged": _ZERO,
    "qty_invoiced": _ZERO,
    "qty_canceled": _ZERO,
    "complete": "N",
    "cancel_flag": "N",
    "delete_flag": "N",
    "assembly": "N",
    "other_charge": "N",
    "tax_item": "N",
    "disposition": None,
}


class Saving:
    """Save one order for one user; everything of it in the transaction the caller has opened."""

    def __init__(self, database: Database, user: str) -> None:
        self._database = database
        self._user = user

    def save(self, header: Header, lines: Lines, *, more: dict[str, Any]) -> str:
        """Insert or update the order and return its number; `more` are header columns set beside what was typed."""
        if header.stored is None:
            order_no = self._insert_header(header, more)
        else:
            order_no = str(header.stored["order_no"])
            self._update_header(header, order_no)
        uid = self._database.rows("oe_hdr", {"order_no": order_no})[0]["oe_hdr_uid"]
        for line in lines.all:
            if line.stored is None:
                self._insert_line(header, line, order_no, uid)
            elif line.typed:
                self._update_line(line, order_no)
        return order_no

    def _insert_header(self, header: Header, more: dict[str, Any]) -> str:
        order_no = next_order_no(self._database)
        today = f"{self._database.time.local_now().date().isoformat()}T00:00:00"
        typed = {name: value for name, value in header.typed.items() if value is not None}
        columns = _NEW_HEADER | {"order_date": today} | typed | more
        uid = next_number(self._database, "oe_hdr", "oe_hdr_uid")
        self._database.insert("oe_hdr", order_no=order_no, oe_hdr_uid=uid, **columns, **self._made())
        return order_no

    def _update_header(self, header: Header, order_no: str) -> None:
        changed = {name: value for name, value in header.typed.items() if value != (header.stored or {}).get(name)}
        if changed:
            self._database.change("oe_hdr", {"order_no": order_no}, **changed, last_maintained_by=self._user)

    def _insert_line(self, header: Header, line: Line, order_no: str, header_uid: int) -> None:
        known = self._database.rows("oe_line", {"order_no": order_no})
        line_no = 1 + max((row["line_no"] for row in known), default=0)
        source = header.get("source_location_id")
        columns = {
            "company_no": header.get("company_id"),
            "user_line_no": f"{line_no:03d}",
            "source_loc_id": source,
            "ship_loc_id": source,
            "required_date": header.get("requested_date"),
            **_NEW_LINE,
            **{name: value for name, value in line.typed.items() if value is not None},
            **_amounts(line),
        }
        self._database.insert(
            "oe_line",
            order_no=order_no,
            line_no=line_no,
            oe_hdr_uid=header_uid,
            oe_line_uid=next_number(self._database, "oe_line", "oe_line_uid"),
            **columns,
            **self._made(),
        )

    def _update_line(self, line: Line, order_no: str) -> None:
        key = {"order_no": order_no, "line_no": (line.stored or {})["line_no"]}
        columns = {**line.typed, **_amounts(line), "last_maintained_by": self._user}
        self._database.change("oe_line", key, **columns)

    def _made(self) -> dict[str, Any]:
        stamp = self._database.time.text(self._database.time.now())
        by = {"created_by": self._user, "last_maintained_by": self._user}
        return {"date_created": stamp, "date_last_modified": stamp, **by}


def _amounts(line: Line) -> dict[str, str]:
    """Return quantity in base units and the line's total, which follow from what was typed."""
    quantity = Decimal(line.get("unit_quantity"))
    price = Decimal(line.get("unit_price") or 0)
    return {
        "qty_ordered": decimal_text(quantity * line.unit_size),
        "extended_price": decimal_text(quantity * price, places=4),
    }
