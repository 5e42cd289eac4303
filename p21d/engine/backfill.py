"""The backfills of one entity: asked for, due by their interval, or offered when the mapping has changed.

Which one is open, and whether a person has confirmed what it asks, is in the store; a restart goes on with it.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

import anyio

from p21d.engine.backfill_cycle import KIND, BackfillCycle, Outcome, asking
from p21d.engine.connection import Connection
from p21d.engine.drain import Drain
from p21d.engine.fate import Tally
from p21d.engine.plan import Plan
from p21d.engine.windows import Recorded
from p21d.errors import AlreadyRunning
from p21d.store.backfill import BackfillState

LONGEST_WAIT_SECONDS = 3600.0
"""How long the next one is waited for at a time: the wall clock, which says when it is due, may be set."""


class Backfills:
    """The backfills of one entity, one at a time."""

    def __init__(self, plan: Plan, connection: Connection, drain: Drain, running: dict[str, Tally]) -> None:
        self._plan = plan
        self._connection = connection
        self._drain = drain
        self._running = running
        self._turn = anyio.Lock()
        self._wanted = anyio.Event()
        self._last = Outcome()

    async def introduce(self) -> None:
        """Keep the mapping the entity starts under; what was delivered under it needs no backfill."""
        read, name = self._connection.store.read, self._plan.name
        state = await read.backfills.state(name)
        if state is None or (state.mapping != self._plan.mapping and not await read.delivered.count(name)):
            async with self._connection.store.transaction() as tables:
                await tables.backfills.introduce(name, self._plan.mapping, self._connection.clock.now())

    async def due_seconds(self) -> float:
        """Return in how many seconds a backfill is due: 0 where one is open, infinity where none will be."""
        state = await self._state()
        if is_open(state):
            return 0.0
        if not (interval := self._plan.full_sweep_seconds):
            return float("inf")
        return interval - (self._connection.clock.now() - state.last_at).total_seconds()

    async def wait_due(self) -> None:
        """Return when a backfill is due or asked for; raises Drained."""
        while True:
            wanted = self._wanted = anyio.Event()
            if (due := await self.due_seconds()) <= 0:
                return
            await self._drain.wait_for(wanted, min(due, LONGEST_WAIT_SECONDS))

    async def request(self, *, force: bool = False, confirmed: bool = False) -> None:
        """Keep a backfill in the store, or join the open one; raises AlreadyRunning where it runs without `force`.

        `confirmed` lets it make records inactive, however many: the open one too, and the one that asks.
        """
        await self.introduce()
        state, name = await self._state(), self._plan.name
        adds_force = force and not state.force
        if adds_force and self._turn.locked():
            raise AlreadyRunning(f"a backfill of {name} runs already, without --force", hint="p21d status shows it")
        goes_on = is_open(state) or (confirmed and state.asks)
        async with self._connection.store.transaction() as tables:
            if not goes_on or adds_force:
                await tables.backfills.want(name, self._connection.clock.now(), force=force, confirmed=confirmed)
            elif confirmed:
                await tables.backfills.confirm(name)
        self._connection.passed("backfill kept")
        self._wanted.set()

    async def run_due(self) -> Outcome:
        """Run the open backfill; begin one where none is open."""
        if not is_open(await self._state()):
            await self.request()
        return await self.run()

    async def run(self) -> Outcome:
        """Run the open backfill to its end; where another has just done that, return how it ended.

        Raises what interrupts it; then it stays open.
        """
        async with AsyncExitStack() as turn:
            with self._connection.watch.resting():  # another one is run, which may take hours
                await turn.enter_async_context(self._turn)
            state = await self._state()
            if is_open(state):
                cycle = BackfillCycle(self._plan, self._connection, self._drain, state)
                async with Recorded(self._plan, self._connection, KIND, cycle.outcome, self._running) as record:
                    await cycle.run(record)
                self._last = cycle.outcome
            return self._last

    async def notice(self) -> tuple[str, str]:
        """Return in words what a person should decide about, and the command for it; empty where nothing."""
        state, name = await self._state(), self._plan.name
        if is_open(state):
            return "", ""
        if state.asks:
            return asking(state.asks), f"p21d sync {name} --all --confirm-removals makes them inactive"
        count = await self._connection.store.read.delivered.count(name)
        if state.mapping == self._plan.mapping or not count:
            return "", ""
        what = "its filter, columns, fields, options, external id or plug-in"
        hint = f"p21d sync {name} --all would send {count} records again"
        return f"{what} changed since its records were last compared", hint

    async def _state(self) -> BackfillState:
        state = await self._connection.store.read.backfills.state(self._plan.name)
        return state or BackfillState(
            opened_at=None,
            signature="",
            force=False,
            asks=0,
            confirmed=False,
            last_at=self._connection.clock.now(),
            mapping=self._plan.mapping,
        )


def is_open(state: BackfillState) -> bool:
    """Tell whether a backfill is to be run: one that asks is not, until a person has said yes."""
    return state.opened_at is not None and (state.confirmed or not state.asks)
