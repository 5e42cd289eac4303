"""Draining: what is in flight ends, nothing new begins, and nobody sleeps through it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from p21d.clock import Clock
from p21d.errors import P21dError

T = TypeVar("T")


class Drained(P21dError):
    """A wait was cut short because its entity drains; the work stays open in the store and is resumed later."""


class Drain:
    """A flag that ends waits; set once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._requested = anyio.Event()

    def request(self) -> None:
        """Ask for the drain; every wait below ends."""
        self._requested.set()

    @property
    def requested(self) -> bool:
        """Tell whether a drain was asked for."""
        return self._requested.is_set()

    def check(self) -> None:
        """Raise Drained if a drain was asked for."""
        if self.requested:
            raise Drained("draining")

    async def unless(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run work that may be cut short and repeated, such as reading; raises Drained when a drain cuts it."""
        outcome: list[T] = []
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:

            async def cut() -> None:
                await self._requested.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(cut)
            try:
                outcome.append(await work())
            except Exception as error:  # noqa: BLE001  # raised below, outside of the group, as itself
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        if not outcome:
            raise Drained("draining")
        return outcome[0]

    async def sleep(self, seconds: float) -> None:
        """Sleep, or raise Drained as soon as a drain is asked for."""
        await self.wait_for(anyio.Event(), seconds)

    async def wait_for(self, event: anyio.Event, seconds: float) -> bool:
        """Wait for the event, at most that many seconds, and tell whether it came; raises Drained on a drain."""
        async with anyio.create_task_group() as waits:

            async def until(end: anyio.Event) -> None:
                await end.wait()
                waits.cancel_scope.cancel()

            waits.start_soon(until, event)
            waits.start_soon(until, self._requested)
            if not self.requested and not event.is_set():
                await self._clock.sleep(seconds)
            waits.cancel_scope.cancel()
        self.check()
        return event.is_set()
