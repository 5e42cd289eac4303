"""Where our reference stands in P21: in a column of `oe_hdr`, or in a UDF of `oe_hdr_ud` (facts 5.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from p21d.errors import ConfigError, ReadRefused
from p21d.prophet21.odata import query_url
from p21d.prophet21.orders.rows import HEADERS, Header, rows_by
from p21d.prophet21.paging import Pager
from p21d.prophet21.reading import Reading
from p21d.prophet21.session import Session
from p21d.row import Row, clean

TABLES = ("oe_hdr", "oe_hdr_ud")
PATH = "orders.reference_field"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class References:
    """Reads the reference texts of orders, whichever field carries them."""

    def __init__(self, session: Session, pager: Pager) -> None:
        self._session = session
        self._pager = pager
        self._tables: dict[str, str] = {}

    async def table(self, field: str) -> str:
        """Return the table that has this column; raises ConfigError where none has it."""
        if field in HEADERS.columns:
            return "oe_hdr"
        if field not in self._tables:
            self._tables[field] = await self._find(field)
        return self._tables[field]

    async def order_nos(self, field: str, text: str) -> list[str]:
        """Return the numbers of the orders whose column holds this text, as P21 compares."""
        reading = _reading(await self.table(field), field)
        rows = await rows_by(self._pager, reading, (field,), [(text.strip(),)])
        return sorted({clean(getattr(row, "order_no", "")) for row in rows})

    async def texts(self, field: str, headers: Sequence[Header]) -> dict[str, str]:
        """Return what the field holds, trimmed, by order number."""
        if field in HEADERS.columns:
            return {clean(row.order_no): clean(getattr(row, field)) for row in headers}
        reading = _reading(await self.table(field), field)
        rows = await rows_by(self._pager, reading, ("order_no",), [(row.order_no,) for row in headers])
        return {clean(getattr(row, "order_no", "")): clean(getattr(row, field)) for row in rows}

    async def _find(self, field: str) -> str:
        if not _NAME.fullmatch(field):
            raise ConfigError(f"{field!r} is no name of a column", path=PATH)
        for table in TABLES:
            url = query_url(f"/odataservice/odata/table/{table}", select=["order_no", field], top=1)
            try:
                await self._session.get(url)
            except ReadRefused:
                continue
            return table
        raise ConfigError(
            f"neither oe_hdr nor oe_hdr_ud has a column {field} that could be read",
            path=PATH,
            hint="take po_no or job_name, or the name of a UDF of the Order Entry window; a new one is seen after "
            '"Refresh OData API service" on /api/admin',
        )


@lru_cache(maxsize=16)
def _reading(table: str, field: str) -> Reading[Row]:
    fields = [("order_no", str), (field, str | None)]
    row = msgspec.defstruct(f"{table}_reference", fields, bases=(Row,), frozen=True, kw_only=True)
    return Reading(table=table, row=row, key=("order_no",), page_by=("order_no",))  # type: ignore[arg-type]
