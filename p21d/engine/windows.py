"""Runs a window: opens or resumes it, passes it through a cycle, and moves the watermark in the commit that ends it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, Self

import structlog

from p21d.engine.checkpoint import Checkpoint
from p21d.engine.connection import Connection
from p21d.engine.cycle import Cycle
from p21d.engine.drain import Drain, Drained
from p21d.engine.fate import Tally
from p21d.engine.pace import COUNTED_KINDS, Pace, paced
from p21d.engine.plan import Plan
from p21d.store.cycle import CycleRow

log = structlog.get_logger("p21d.engine")

NOT_BEGUN = "not begun"
"""The signature of a window that is only asked for: it starts at its low, whatever key another one has reached."""


class Windows:
    """Runs the windows of one entity. `settle_seconds` is how far HIGH stays behind P21's now."""

    def __init__(self, plan: Plan, connection: Connection, drain: Drain, *, settle_seconds: float) -> None:
        self._plan = plan
        self._connection = connection
        self._drain = drain
        reads = plan.signature
        self._checkpoint = Checkpoint(plan.name, plan.settings, connection, reads=reads, settle_seconds=settle_seconds)
        self.running: dict[str, Tally] = {}

    async def run(self, kind: str, *, low: datetime | None = None, force: bool = False) -> Tally:
        """Run one window to its end and return its tally; raises what interrupted it, and then it stays open.

        `low` sets where it reads from; everything else follows from kind, settings and watermark.
        """
        window = await self._checkpoint.open(kind, low)
        cycle = Cycle(self._plan, self._connection, self._drain, kind=kind, reached=window.reached, force=force)
        async with Recorded(self._plan, self._connection, kind, cycle, self.running) as record:
            after = self._plan.reading.page_key(window.reached)
            source, reading = self._connection.source, self._plan.reading
            pages = source.pages(reading, low=window.low_text, after=after)
            if kind in COUNTED_KINDS:
                pages = paced(pages, record.pace, source, reading, low=window.low_text, after=after)
            await cycle.run(pages)
            self._connection.passed("before window ended")
            async with self._connection.store.transaction() as tables:
                await self._checkpoint.end(tables, window)
                await tables.cycles.record(record.row("completed"))
            self._connection.passed("window ended")
        if await self._checkpoint.watermark() is not None:
            self._connection.caught_up[self._plan.name].set()
        return cycle.tally

    async def keep_sync(self, low: datetime) -> None:
        """Open a sync window from that instant, or from the start of a wider one that is open, without running it."""
        await self._checkpoint.ask("sync", low)


class Counted(Protocol):
    """Something whose rows are counted: a cycle, or several that share a tally."""

    tally: Tally


class Recorded:
    """Records a cycle, however it ends: a row for status and the one canonical log line."""

    def __init__(
        self, plan: Plan, connection: Connection, kind: str, cycle: Counted, running: dict[str, Tally]
    ) -> None:
        self._plan = plan
        self._connection = connection
        self._kind = kind
        self._cycle = cycle
        self._running = running
        self._row: CycleRow | None = None

    async def __aenter__(self) -> Self:
        self._started_at = self._connection.clock.now()
        self._running[self._kind] = self._cycle.tally
        self.pace = Pace(self._cycle.tally, self._connection.clock)
        self._connection.paces[self._plan.name, self._kind] = self.pace
        return self

    def row(self, status: str, note: str = "") -> CycleRow:
        """Return the row of this cycle as it ends now; the caller commits it."""
        self._row = CycleRow(
            entity=self._plan.name,
            kind=self._kind,
            status=status,
            note=note,
            started_at=self._started_at,
            ended_at=self._connection.clock.now(),
            **{name: getattr(self._cycle.tally, name) for name in Tally.__struct_fields__},
        )
        return self._row

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._running.pop(self._kind, None)  # two syncs of keys may run at once
        self._connection.paces.pop((self._plan.name, self._kind), None)
        self._cycle.tally.close()
        if error is None:
            self._say(self._row or self.row("completed"))
            return
        status = "drained" if isinstance(error, Drained) else "interrupted"
        row = self.row(status, str(error) if isinstance(error, Exception) else "cut off")
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
