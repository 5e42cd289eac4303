"""Paces calls to at most N in any M seconds, in the order in which they were asked for."""

from __future__ import annotations

from collections import deque

import anyio

from p21d.clock import Clock


class Pace:
    """Lets calls pass at a rate; None lets all pass at once."""

    def __init__(self, rate: tuple[int, float] | None, clock: Clock) -> None:
        """Take (calls, seconds)."""
        self._clock = clock
        self._calls, self._seconds = rate or (0, 0.0)
        self._passed: deque[float] = deque(maxlen=self._calls or None)
        self._turn = anyio.Lock()
        self.waiting = 0

    async def wait(self) -> None:
        """Return when the next call may be made, and count it."""
        if not self._calls:
            return
        self.waiting += 1
        try:
            async with self._turn:
                while (seconds := self._seconds_to_next()) > 0:
                    await self._clock.sleep(seconds)
                self._passed.append(self._clock.monotonic())
        finally:
            self.waiting -= 1

    def seconds_left(self) -> float:
        """Return how long the last of the calls now waiting will wait, to the nearest window."""
        if not self.waiting:
            return 0.0
        return self._seconds_to_next() + (self.waiting - 1) // self._calls * self._seconds

    def _seconds_to_next(self) -> float:
        if len(self._passed) < self._calls:
            return 0.0
        return max(0.0, self._passed[0] + self._seconds - self._clock.monotonic())
