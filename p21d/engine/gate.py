"""The gate of one entity: no cycle starts while it is paused by a person, held after a failure, or without room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from typing import TypeVar

import anyio

from p21d.engine.connection import Connection
from p21d.engine.drain import Drain
from p21d.engine.hold import STORE, Hold
from p21d.engine.plan import Plan
from p21d.engine.restart import BEGUN_ANEW
from p21d.engine.room import check_room
from p21d.errors import AlreadyRunning, Forbidden, P21dError, ReadRefused, Unauthorized, Unavailable
from p21d.prophet21.proofs import Needs

LOOK_SECONDS = 15.0

T = TypeVar("T")


class Gate:
    """Lets the cycles of one entity start; `paused` is a person's reason, `since` the instant of the last change."""

    def __init__(self, plan: Plan, connection: Connection, drain: Drain) -> None:
        self._watched = partial(connection.watch.over, plan.name, owner=plan.name)
        self.hold = Hold(
            plan.name,
            connection.clock,
            self._probe,
            moved=lambda: connection.moved[plan.name],
            watched=self._watched,
        )
        self.paused = ""
        self.since: datetime = connection.clock.now()
        self._plan = plan
        self._connection = connection
        self._drain = drain
        self._resumed = anyio.Event()
        self._needs = Needs.of(plan.entity, plan.reading, plugin=plan.plugin, columns=plan.settings.columns)
        connection.source.expect(self._needs)
        connection.refusals[plan.name].when_over = connection.fuses[plan.name].when_over = self._refusals_over

    async def guarded(self, run: Callable[[], Awaitable[T]]) -> T | None:
        """Run a cycle when it may run; a failure holds the entity and returns None. Raises Drained."""
        await self.pass_through()

        async def run_with_room() -> T:
            await self.check()
            return await run()

        return await self.hold.attempt(run_with_room)

    async def at_once(self, run: Callable[[], Awaitable[T]]) -> T:
        """Run a cycle that a person asked for, held or not; an outage that it meets holds the entity."""
        self.refuse_if_paused()
        try:
            with self._watched("begin"):
                await self.check()
                result = await run()
        except (Unavailable, Unauthorized, Forbidden, ReadRefused) as error:
            self.hold.failed(error)
            raise
        self.hold.succeeded()
        return result

    async def pass_through(self) -> None:
        """Return when a cycle may start; raises Drained."""
        while True:
            while self.paused:
                if self._resumed.is_set():  # one event for all loops that wait: a resume wakes each of them
                    self._resumed = anyio.Event()
                await self._drain.wait_for(self._resumed, LOOK_SECONDS)
            await self.hold.wait(self._drain)
            if not self.paused:
                return

    async def check(self) -> None:
        """Raise where the store has no room, or where P21 does not give what the entity needs (proven once)."""
        check_room(self._connection)
        await self._connection.source.prove(self._needs)

    def take_over(self, before: Gate, because: str) -> None:
        """Go on where the gate of a runner was that was cut off: paused if it was, and held for a moment."""
        self.paused, self.since = before.paused, before.since
        self.hold.failed(P21dError(because, hint=BEGUN_ANEW))

    @property
    def open(self) -> bool:
        """Tell whether cycles may start: neither paused nor held."""
        return not self.paused and self.hold.state is None

    def pause(self, because: str) -> None:
        """Start no new cycle until resumed; what runs ends."""
        self.paused, self.since = because, self._connection.clock.now()

    def resume(self) -> None:
        """Let cycles start again, and at once if held."""
        self.paused, self.since = "", self._connection.clock.now()
        self._resumed.set()
        self._connection.refusals[self._plan.name].forget()
        self._connection.fuses[self._plan.name].forget()
        self.hold.hurry()

    def refuse_if_paused(self) -> None:
        """Raise AlreadyRunning where a person has paused the entity: another must resume it first."""
        if self.paused:
            name = self._plan.name
            raise AlreadyRunning(f"{name} is paused: {self.paused}", hint=f"p21d resume {name}")

    async def _probe(self, system: str) -> None:
        """Ask the system that failed whether it is back."""
        if system == "Prophet 21" and self.hold.state is not None and self.hold.state.lasting:
            # whatever was refused: the table itself, a related one, a column
            await self._connection.source.prove(self._needs, again=True)
        elif system == "Prophet 21":
            await self._connection.source.probe(self._plan.reading)
        elif system == STORE:
            check_room(self._connection)
        elif system:
            async with AsyncExitStack() as turn:
                with self._connection.watch.waiting():
                    await turn.enter_async_context(self._connection.slots.hold("probe"))
                await self._connection.sink.probe(self._plan.entity.route)

    def _refusals_over(self) -> None:
        """Lift the hold at the first record that is taken or made: a whole sweep may take hours from here."""
        if self.hold.state is not None and self.hold.state.needs_cycle:
            self.hold.succeeded()
