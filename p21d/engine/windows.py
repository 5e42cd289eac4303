"""Runs a window: opens or resumes it, passes it through a cycle, and moves the watermark in the commit that ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Self

import structlog

from p21d.engine.connection import Connection
from p21d.engine.cycle import Cycle
from p21d.engine.drain import Drain, Drained
from p21d.engine.fate import Tally
from p21d.engine.plan import Plan
from p21d.engine.window import MOVES_WATERMARK, high_of, low_of
from p21d.keys import key_parts
from p21d.store.checkpoint import OpenWindow
from p21d.store.cycle import CycleRow
from p21d.store.database import Tables

log = structlog.get_logger("p21d.engine")

NOT_BEGUN = "not begun"
"""The signature of a window that is only asked for: it starts at its low, whatever key another one has reached."""


class Windows:
    """Runs the windows of one entity. `settle_seconds` is how far HIGH stays behind P21's now."""

    def __init__(self, plan: Plan, connection: Connection, drain: Drain, *, settle_seconds: float) -> None:
        self._plan = plan
        self._connection = connection
        self._drain = drain
        self._settle_seconds = settle_seconds
        self.running: dict[str, Tally] = {}

    async def run(self, kind: str, *, low: datetime | None = None, force: bool = False) -> Tally:
        """Run one window to its end and return its tally; raises what interrupted it, and then it stays open.

        `low` sets where a sync reads from; everything else follows from kind, settings and watermark.
        """
        window = await self._open(kind, low)
        cycle = Cycle(self._plan, self._connection, self._drain, kind=kind, reached=window.reached, force=force)
        async with Recorded(self._plan, self._connection, kind, cycle, self.running) as record:
            after = self._after(window)
            pages = self._connection.source.pages(self._plan.reading, low=window.low_text, after=after)
            await cycle.run(pages)
            async with self._connection.store.transaction() as tables:
                await self._end(tables, window)
                if kind in MOVES_WATERMARK:
                    await tables.checkpoints.move_watermark(self._plan.name, window.high_at, window.high_text)
                await tables.cycles.record(record.row("completed"))
        if kind in MOVES_WATERMARK:
            self._connection.caught_up[self._plan.name].set()
        return cycle.tally

    async def keep_sync(self, low: datetime) -> None:
        """Open a sync window from that instant, or from the start of a wider one that is open, without running it."""
        await self._open("sync", low, signature=NOT_BEGUN)

    async def _end(self, tables: Tables, window: OpenWindow) -> None:
        """Forget the window, unless a wider sync was asked for while it ran and stands in its place."""
        present = await tables.checkpoints.open_window(window.entity, window.kind)
        if present is not None and present.signature == window.signature:
            await tables.checkpoints.end(window.entity, window.kind)

    async def _open(self, kind: str, low: datetime | None, *, signature: str = "") -> OpenWindow:
        """Return the window to run: the one a stop left open, from its key reached, or a new one."""
        name, tables = self._plan.name, self._connection.store.read
        now = await self._connection.source.now()
        found = await tables.checkpoints.open_window(name, kind)
        if found is not None and low is None:
            if found.signature == self._signature():
                return found
            low_text = self._connection.source.low_literal(found.low_at)
            window = replace(found, reached="", low_text=low_text, signature=self._signature())
        else:
            watermark = await tables.checkpoints.watermark(name)
            low = low or low_of(kind, self._plan.settings, now, watermark)
            # asked for while another is open: one window that covers both, from its beginning
            window = self._new(kind, min(low, found.low_at) if found else low, now)
            window = replace(window, signature=signature or self._signature())
        async with self._connection.store.transaction() as writing:
            await writing.checkpoints.begin(window)
        return window

    def _new(self, kind: str, low: datetime, now: datetime) -> OpenWindow:
        source, high = self._connection.source, high_of(now, self._settle_seconds)
        return OpenWindow(
            entity=self._plan.name,
            kind=kind,
            low_at=low,
            low_text=source.low_literal(low),
            high_at=high,
            high_text=source.low_literal(high),
            reached="",
            signature=self._signature(),
            opened_at=self._connection.clock.now(),
        )

    def _signature(self) -> str:
        """Return what the key reached depends on: what is read, and the zone its low was written in."""
        return f"{self._plan.signature} {self._connection.source.statistics().zone}"

    def _after(self, window: OpenWindow) -> tuple[Any, ...] | None:
        if not window.reached:
            return None
        reading = self._plan.reading
        parts = zip(reading.page_by, key_parts(window.reached), strict=True)
        return tuple(reading.columns.convert(column, part) for column, part in parts)


class Recorded:
    """Records a cycle, however it ends: a row for status and the one canonical log line."""

    def __init__(self, plan: Plan, connection: Connection, kind: str, cycle: Cycle, running: dict[str, Tally]) -> None:
        self._plan = plan
        self._connection = connection
        self._kind = kind
        self._cycle = cycle
        self._running = running

    async def __aenter__(self) -> Self:
        self._started_at = self._connection.clock.now()
        self._running[self._kind] = self._cycle.tally
        self._ended = False
        return self

    def row(self, status: str, note: str = "") -> CycleRow:
        """Return the row of this cycle as it ends now; the caller commits it."""
        self._ended = status == "completed"
        return CycleRow(
            entity=self._plan.name,
            kind=self._kind,
            status=status,
            note=note,
            started_at=self._started_at,
            ended_at=self._connection.clock.now(),
            **{name: getattr(self._cycle.tally, name) for name in Tally.__struct_fields__},
        )

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._running.pop(self._kind, None)  # two syncs of keys may run at once
        self._cycle.tally.close()
        if error is None:
            self._say(self.row("completed"))
            return
        status = "drained" if isinstance(error, Drained) else "interrupted"
        row = self.row(status, str(error))
        self._say(row)
        if isinstance(error, Exception):
            async with self._connection.store.transaction() as tables:
                await tables.cycles.record(row)

    def _say(self, row: CycleRow) -> None:
        seconds = (row.ended_at - row.started_at).total_seconds()
        counts = {name: getattr(row, name) for name in Tally.__struct_fields__}
        note = {"note": row.note} if row.note else {}
        log.info(
            "cycle", entity=row.entity, kind=row.kind, status=row.status, **counts, seconds=round(seconds, 3), **note
        )
