"""Writes the fates of a batch into the store, in one transaction with the key they let the window reach.

This is where the promises P1 and P2 are kept: a row's fate, its link, its fingerprint, its dead letter or its place
in the waiting room, and the checkpoint that passes it, are one commit or none.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from p21d.engine.acknowledged import AcknowledgedRecords
from p21d.engine.children import Children
from p21d.engine.connection import Connection
from p21d.engine.fate import Fate
from p21d.engine.plan import Plan
from p21d.engine.work import Work
from p21d.store.database import Tables

log = structlog.get_logger("p21d.engine")


class Settlement:
    """Settles the finished works of one cycle of one entity."""

    def __init__(self, plan: Plan, connection: Connection, *, releases: bool, meets: bool = False) -> None:
        """`releases`: unchanged rows release their children too, because they were read for them.

        `meets`: the keys are kept as met, so that the end of a backfill knows which were not.
        """
        self._plan = plan
        self._connection = connection
        self._meets = meets
        self._acknowledged = AcknowledgedRecords(plan, connection)
        self._children = Children(plan, connection, releases=releases)

    async def settle(self, works: Sequence[Work], *, window: str = "", reached: str = "") -> None:
        """Commit fates and acknowledged records, and the key reached by the open window of that kind."""
        works = [work for work in works if not work.settled]
        if not (reached or self._meets or any(map(changes_something, works)) or self._children.concerns(works)):
            return
        self._connection.passed("before fates")
        async with self._connection.store.transaction() as tables:
            if self._meets:
                await tables.met.add(self._plan.name, [work.key for work in works if work.fate and not work.vanished])
                self._connection.passed("keys met")
            await self._acknowledged.keep(tables, works)
            await self._keep_letters(tables, works)
            await self._keep_waiting(tables, works)
            await self._keep_skipped(tables, works)
            freed = await self._acknowledged.release_refused(tables, works)
            released = await self._children.follow(tables, works)
            if reached:
                await tables.checkpoints.reach(self._plan.name, window, reached)
            self._connection.passed("fates written")
        self._connection.passed("fates committed")
        self._say_letters(works)
        for work in works:
            work.settled = work.fate is not None
        # after the commit: whoever is woken must find the rows
        wanted = {work.parked.parent_entity or self._plan.name for work in works if work.parked is not None}
        for entity in released | wanted | freed:
            self._connection.announce(entity)

    def _say_letters(self, works: Sequence[Work]) -> None:
        if letters := [letter for work in works for letter in work.letters]:
            first = letters[0]
            log.warning(
                "dead-lettered",
                entity=first.entity,
                count=len(letters),
                key=first.key,
                code=first.code,
                why=first.error,
            )

    async def _keep_letters(self, tables: Tables, works: Sequence[Work]) -> None:
        name, now = self._plan.name, self._connection.clock.now()
        if letters := [letter for work in works for letter in work.letters]:
            await tables.dead_letters.add(letters, now)
            self._connection.passed("dead letters written")
        if again := [work.key for work in works if work.counted_again]:
            await tables.dead_letters.count_again(name, again, now)
        for fate, because in ((Fate.DELIVERED, "delivered"), (Fate.UNCHANGED, "delivered"), (Fate.SKIPPED, "skipped")):
            if ended := [work.key for work in works if work.has_letter and work.fate is fate]:
                await tables.dead_letters.close(name, ended, because, now)

    async def _keep_waiting(self, tables: Tables, works: Sequence[Work]) -> None:
        if parked := [work.parked for work in works if work.parked is not None]:
            await tables.waiting.park(parked, self._connection.clock.now())
            self._connection.passed("rows parked")
        if gone := [work for work in works if work.waits and work.fate not in (None, Fate.WAITING)]:
            read_at = min(work.read_at for work in gone)
            await tables.waiting.leave(self._plan.name, [work.key for work in gone], read_at=read_at)

    async def _keep_skipped(self, tables: Tables, works: Sequence[Work]) -> None:
        reasons = {w.key: w.reason for w in works if w.fate is Fate.SKIPPED and w.reason != w.skipped_before}
        # made inactive because P21 has the row no more: nothing else would say why
        reasons |= {w.key: w.vanished for w in works if w.vanished and w.fate in (Fate.DELIVERED, Fate.UNCHANGED)}
        if reasons:
            await tables.skipped.record(self._plan.name, reasons, self._connection.clock.now())
        ended = [w for w in works if w.skipped_before and w.fate not in (None, Fate.SKIPPED)]
        if back := [w.key for w in ended if not w.vanished]:
            await tables.skipped.forget(self._plan.name, back)


def changes_something(work: Work) -> bool:
    """Tell whether settling the work writes anything of its own; an unchanged row does not."""
    if work.letters or work.parked or work.counted_again or work.has_letter or work.waits:
        return True
    if work.fate is Fate.SKIPPED:
        return work.reason != work.skipped_before
    return bool(work.skipped_before) or any(record.answer is not None for record in work.records)
