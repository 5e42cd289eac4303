"""Draining: what is in flight ends, nothing new begins, and nobody sleeps through it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
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
        self._requested = False
        self._cut: set[anyio.CancelScope] = set()

    def request(self) -> None:
        """Ask for the drain; every wait below ends."""
        self._requested = True
        for scope in self._cut:
            scope.cancel()

    @property
    def requested(self) -> bool:
        """Tell whether a drain was asked for."""
        return self._requested

    def check(self) -> None:
        """Raise Drained if a drain was asked for."""
        if self.requested:
            raise Drained("draining")

    async def unless(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run work that may be cut short and repeated, such as reading; raises Drained when a drain cuts it."""
        self.check()
        with anyio.CancelScope() as scope, self._cutting(scope):
            return await work()
        raise Drained("draining")

    async def sleep(self, seconds: float) -> None:
        """Sleep, or raise Drained as soon as a drain is asked for."""
        await self.unless(partial(self._clock.sleep, seconds))

    async def wait_for(self, event: anyio.Event, seconds: float) -> bool:
        """Wait for the event, at most that many seconds, and tell whether it came; raises Drained on a drain."""
        self.check()
        async with anyio.create_task_group() as waits:

            async def until_it_comes() -> None:
                await event.wait()
                waits.cancel_scope.cancel()

            waits.start_soon(until_it_comes)
            with self._cutting(waits.cancel_scope):
                if not event.is_set():
                    await self._clock.sleep(seconds)
            waits.cancel_scope.cancel()
        self.check()
        return event.is_set()

    @contextmanager
    def _cutting(self, scope: anyio.CancelScope) -> Iterator[None]:
        """Have a drain cancel the scope during the block.

        Why no task that waits for it: cancelled, it would leave a cycle of objects behind, with each page that is read.
        """
        self._cut.add(scope)
        try:
            yield
        finally:
            self._cut.discard(scope)
