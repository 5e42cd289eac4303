"""One backfill: every key of an entity without a time condition, for what no stamp tells.

    read     all keys in ranges; rows with a null stamp, or one that never moved, get their fate
    miss     delivered keys that were not met are asked for by key
    remove   those still absent become inactive in the sink, unless they are too many: then a person is asked
    end      the mapping under which all records were compared is kept, and the interval begins anew

All of it is in the store: the ranges with the keys reached, the keys met. A restart goes on in the middle. The
watermark stays where it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from p21d.engine.connection import Connection
from p21d.engine.cycle import Cycle
from p21d.engine.drain import Drain
from p21d.engine.fate import Tally
from p21d.engine.plan import Plan
from p21d.engine.ranges import Ranges, find_ranges
from p21d.engine.removal import Removal, too_many
from p21d.engine.windows import Recorded
from p21d.prophet21.page import Page
from p21d.store.backfill import BackfillState
from p21d.store.checkpoint import OpenWindow

KIND = "backfill"
PAGE_KEYS = 500
"""Keys asked for at a time; read in requests of at most 50."""
FORGOTTEN_AT_ONCE = 5_000
"""Met keys deleted in one transaction: a few milliseconds, which every other write waits for."""


@dataclass(kw_only=True)
class Outcome:
    """How a backfill ended: `completed`, or `asks` with a note that says about what."""

    status: str = "completed"
    note: str = ""
    tally: Tally = field(default_factory=Tally)


class BackfillCycle:
    """One run over the open backfill of an entity, from where it was left; `outcome` says how it ended."""

    def __init__(self, plan: Plan, connection: Connection, drain: Drain, state: BackfillState) -> None:
        self.outcome = Outcome()
        self._plan = plan
        self._connection = connection
        self._drain = drain
        self._state = state

    async def run(self, record: Recorded) -> None:
        """Bring every row to a fate and every vanished record out of the sink; raises what interrupts it."""
        state = self._state
        if state.signature != self._signature():
            # what a person has said yes to was counted under the mapping of that time
            await self._begin(confirmed=state.confirmed and not state.signature)
        began_at = await self._began_at()
        windows = await self._connection.store.read.checkpoints.open_ranges(self._plan.name, KIND)

        def cycle_of(window: OpenWindow) -> Cycle:
            return self._cycle(force=state.force, window=window.kind, reached=window.reached)

        await Ranges(self._plan, self._connection, cycle_of).read(windows)
        await self._cycle(force=state.force).run(self._missed(began_at))
        vanished = await self._connection.store.read.met.count_missed(self._plan.name, began_at)
        if vanished and await self._must_ask(vanished):
            await self._ask(vanished, record)
            return
        if vanished:
            self._connection.passed("before removal")
            removal = Removal(self._plan, self._connection, kind=KIND, force=state.force)
            await self._cycle(preparation=removal).run(self._missed(began_at))
        await self._end(record)

    async def _begin(self, *, confirmed: bool) -> None:
        """Open the ranges; what an earlier backfill has met counts no more."""
        bounds = await find_ranges(self._plan, self._connection, KIND)
        await self._forget_met()
        name, now, signature = self._plan.name, self._connection.clock.now(), self._signature()
        async with self._connection.store.transaction() as tables:
            await tables.checkpoints.end_ranges(name, KIND)
            for number, (reached, last) in enumerate(bounds, start=1):
                window = OpenWindow(
                    entity=name,
                    kind=f"{KIND} {number}/{len(bounds)}",
                    low_at=now,
                    low_text="",
                    high_at=now,
                    high_text="",
                    reached=reached,
                    last=last,
                    signature=signature,
                    opened_at=now,
                )
                await tables.checkpoints.begin(window)
            await tables.backfills.begin(name, now, signature, confirmed=confirmed)
        self._connection.passed("backfill begun")

    async def _began_at(self) -> datetime:
        state = await self._connection.store.read.backfills.state(self._plan.name)
        return state.opened_at if state and state.opened_at else self._connection.clock.now()

    def _signature(self) -> str:
        """Return what the keys reached depend on; a new mapping makes the rows behind them stale too."""
        return f"{self._plan.signature} {self._plan.mapping}"

    def _cycle(self, **options: Any) -> Cycle:
        return Cycle(self._plan, self._connection, self._drain, kind=KIND, tally=self.outcome.tally, **options)

    async def _missed(self, began_at: datetime) -> AsyncIterator[Page[Any]]:
        """Yield what P21 has of the delivered keys that were not met, a page of keys at a time."""
        after, met = "", self._connection.store.read.met
        while keys := await met.missed(self._plan.name, began_at, after=after, limit=PAGE_KEYS):
            yield await self._connection.source.by_keys(self._plan.reading, keys)
            after = keys[-1]

    async def _must_ask(self, vanished: int) -> bool:
        active = await self._connection.store.read.delivered.count_active(self._plan.name)
        return too_many(vanished, active) and not await self._is_confirmed()

    async def _is_confirmed(self) -> bool:
        """Tell whether a person has said yes, perhaps while the rows were read."""
        state = await self._connection.store.read.backfills.state(self._plan.name)
        return state is not None and state.confirmed

    async def _ask(self, vanished: int, record: Recorded) -> None:
        self.outcome.status, self.outcome.note = "asks", asking(vanished)
        now = self._connection.clock.now()
        async with self._connection.store.transaction() as tables:
            await tables.backfills.ask(self._plan.name, vanished, now, self._plan.mapping)
            await tables.cycles.record(record.row(self.outcome.status, self.outcome.note))

    async def _end(self, record: Recorded) -> None:
        async with self._connection.store.transaction() as tables:
            await tables.backfills.end(self._plan.name, self._connection.clock.now(), self._plan.mapping)
            await tables.cycles.record(record.row("completed"))
        self._connection.passed("backfill ended")
        await self._forget_met()

    async def _forget_met(self) -> None:
        forgotten = FORGOTTEN_AT_ONCE
        while forgotten == FORGOTTEN_AT_ONCE:
            async with self._connection.store.transaction() as tables:
                forgotten = await tables.met.forget(self._plan.name, FORGOTTEN_AT_ONCE)


def asking(vanished: int) -> str:
    """Say about what a backfill asks."""
    return f"{vanished} delivered records are gone from P21 or outside the filter; none of them was touched"
