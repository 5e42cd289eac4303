"""Which form of a date literal does this P21 understand? Proven on the newest row of a table before anything is polled.

How P21 compares a literal that has a zone with its zone-less columns is documented nowhere (facts 3.6). A form is good
when the row is found from ten minutes before its stamp on, and not from ten minutes after it. Without a proof a poll
could answer "no rows" for ever, and nobody would see it.
"""

from __future__ import annotations

import operator
from datetime import datetime, timedelta
from typing import Any

from p21d.errors import ReadRefused
from p21d.prophet21.odata import query_url
from p21d.prophet21.page import decode_page
from p21d.prophet21.reading import Reading
from p21d.prophet21.server_clock import ServerClock
from p21d.prophet21.session import Session
from p21d.prophet21.zone import ServerZone
from p21d.row import Row

FORMS = ("offset", "wall_z", "utc", "plain")
STEP = timedelta(minutes=10)


class LiteralProof:
    """Finds the form and sets it on the zone."""

    def __init__(self, session: Session, zone: ServerZone, server_clock: ServerClock) -> None:
        self._session = session
        self._zone = zone
        self._server_clock = server_clock

    async def prove(self, reading: Reading[Any]) -> str | None:
        """Take the configured form, or the first other one that is proven on the newest row of `reading`, into use.

        Returns the form, None where the table has no row with a stamp. Raises ReadRefused where no form is good, and
        what Session.get raises.
        """
        newest = await self._newest(reading)
        if newest is None:
            return None
        self._zone.observe(self._stamp(reading, newest), self._server_clock.now())
        for form in dict.fromkeys([self._zone.date_literal, *FORMS]):
            if await self._good(reading, newest, form):
                self._zone.date_literal = form
                return form
        raise ReadRefused(
            f"Prophet 21 understands no form of date p21d knows; nothing of {reading.table} can be polled",
            table=reading.table,
            hint="check prophet21.time_zone; set prophet21.date_literal if P21's own documents name a form",
        )

    async def use(self, reading: Reading[Any], form: str) -> None:
        """Take a form into use that was proven before, and learn P21's offset from the newest row, once.

        The offset is never kept: it changes twice a year.
        """
        if not self._zone.observed and (newest := await self._newest(reading)) is not None:
            self._zone.observe(self._stamp(reading, newest), self._server_clock.now())
        self._zone.date_literal = form

    async def _newest(self, reading: Reading[Any]) -> Row | None:
        order_by = [f"{reading.modified} desc"]
        url = query_url(
            reading.path, select=reading.columns.select, filter_text=reading.filter, order_by=order_by, top=1
        )
        rows = decode_page(reading, (await self._session.get(url)).body).rows
        return rows[0] if rows and self._stamp(reading, rows[0]) else None

    async def _good(self, reading: Reading[Any], row: Row, form: str) -> bool:
        # With the offset P21 printed on it: the zone is not known yet where all stamps are old.
        wall = datetime.fromisoformat(self._stamp(reading, row))
        try:
            before = await self._since(reading, row, self._zone.literal(wall - STEP, form))
            after = await self._since(reading, row, self._zone.literal(wall + STEP, form))
        except ReadRefused:
            return False
        # A row changed in the meantime may be found after its former stamp, and rightly so.
        return bool(before) and all(self._stamp(reading, found) != self._stamp(reading, row) for found in after)

    async def _since(self, reading: Reading[Any], row: Row, literal: str) -> list[Row]:
        columns = reading.columns
        key = columns.getter(reading.key)(row)
        same = [
            f"{column} eq {columns.literal_of(column, part)}" for column, part in zip(reading.key, key, strict=True)
        ]
        url = reading.url(reading.since(literal), *same, top=1)
        rows: list[Row] = decode_page(reading, (await self._session.get(url)).body).rows
        return rows

    def _stamp(self, reading: Reading[Any], row: Row) -> str:
        return operator.attrgetter(reading.columns.attribute(reading.modified))(row) or ""
