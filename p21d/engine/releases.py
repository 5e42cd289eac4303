"""Release cycles: reads, by key, the rows that others wait for and the rows that wait no more.

Nothing is remembered outside the store: what is wanted and what is due are rows of the waiting room, so a restart
goes on here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from p21d.engine.children import Children
from p21d.engine.connection import Connection
from p21d.engine.cycle import Cycle
from p21d.engine.drain import Drain
from p21d.engine.fate import Fate, Tally
from p21d.engine.plan import Plan
from p21d.engine.windows import Recorded
from p21d.engine.work import Work
from p21d.errors import Forbidden, ReadRefused
from p21d.prophet21.page import Page
from p21d.store.database import Tables

PAGE_KEYS = 500
"""Keys of one release cycle; read in requests of at most 50."""


class Releases:
    """The release cycles of one entity."""

    def __init__(self, plan: Plan, connection: Connection, drain: Drain, running: dict[str, Tally]) -> None:
        self._plan = plan
        self._connection = connection
        self._drain = drain
        self._running = running
        self._children = Children(plan, connection, releases=True)

    async def run_due(self) -> bool:
        """Run one cycle over what is wanted and what is due; tell whether there was anything."""
        if (orders := self._connection.orders) is not None and orders.entity == self._plan.name:
            await orders.release()
        waiting, now = self._connection.store.read.waiting, self._connection.clock.now()
        wanted = await waiting.wanted(self._plan.name, PAGE_KEYS)
        due = await waiting.due(self._plan.name, now, PAGE_KEYS)
        keys = list(dict.fromkeys([*wanted, *due]))
        if not keys:
            return False
        try:
            cycle = await self.run("release", keys)
        except (Forbidden, ReadRefused) as error:
            if isinstance(error, ReadRefused) or error.system == "Prophet 21":
                await self._fail_children(dict.fromkeys(wanted, error.message))
            raise
        self._connection.passed("before waiting rows answered")
        await self._answer(wanted, due, cycle.fates, read_at=now)
        self._connection.passed("waiting rows answered")
        return True

    async def run(self, kind: str, keys: Sequence[str], *, force: bool = False) -> Cycle:
        """Run one cycle over these keys; its `fates` say what became of each, keys P21 does not have are absent."""
        cycle = Cycle(self._plan, self._connection, self._drain, kind=kind, force=force, keep_fates=True)
        async with Recorded(self._plan, self._connection, kind, cycle, self._running) as record:
            await cycle.run(self._pages(keys))
            async with self._connection.store.transaction() as tables:
                await tables.cycles.record(record.row("completed"))
        return cycle

    async def _pages(self, keys: Sequence[str]) -> AsyncIterator[Page[Any]]:
        yield await self._connection.source.by_keys(self._plan.reading, keys)

    async def _answer(
        self, wanted: Sequence[str], due: Sequence[str], fates: Mapping[str, Work], *, read_at: datetime
    ) -> None:
        """Tell the children of wanted parents what became of them, and let due rows go that P21 has no more."""
        reasons = {key: "Prophet 21 does not have it" for key in wanted if key not in fates}
        gone = [key for key in due if key not in fates]
        waited = [key for key in wanted if key in fates and fates[key].fate is Fate.WAITING]
        async with self._connection.store.transaction() as tables:
            await self._children.fail(tables, reasons)
            # one with another fate has told its children, and one that waits no more may have: a child parked since
            # has heard nothing, and its parent is asked for once more
            still_waiting = await tables.waiting.by_keys(self._plan.name, waited)
            await tables.waiting.mark_asked(self._plan.name, list(still_waiting))
            await self._let_go(tables, gone, read_at)

    async def _let_go(self, tables: Tables, keys: Sequence[str], read_at: datetime) -> None:
        if keys:
            waited = await tables.waiting.by_keys(self._plan.name, keys)
            await tables.waiting.leave(self._plan.name, keys, read_at=read_at)
            # what only a trigger has named may be outside the filter, and was never ours
            gone = [key for key, row in waited.items() if not row.only_triggered]
            reasons = dict.fromkeys(gone, "gone from P21 while it waited")
            await tables.skipped.record(self._plan.name, reasons, self._connection.clock.now())

    async def _fail_children(self, reasons: dict[str, str]) -> None:
        async with self._connection.store.transaction() as tables:
            await self._children.fail(tables, reasons)
