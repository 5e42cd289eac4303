"""A clock that stands until a test advances it: anyio has no mock clock, and tests never sleep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import anyio.lowlevel


class FakeClock:
    """A Clock that stands until a test advances it."""

    def __init__(self, start: datetime = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed_seconds = 0.0
        self._sleepers: list[tuple[float, anyio.Event]] = []
        self._slept = anyio.Event()

    def now(self) -> datetime:
        """Return the instant of the start plus all advances."""
        return self._start + timedelta(seconds=self._elapsed_seconds)

    def monotonic(self) -> float:
        """Return the seconds advanced so far."""
        return self._elapsed_seconds

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced by that much; not at all for zero or less."""
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        sleeper = (self._elapsed_seconds + seconds, anyio.Event())
        self._sleepers.append(sleeper)
        self._slept.set()
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers = [other for other in self._sleepers if other is not sleeper]

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass and wake who is due, the earliest first."""
        self._elapsed_seconds += seconds
        for sleeper in sorted(self._sleepers, key=lambda sleeper: sleeper[0]):
            if sleeper[0] <= self._elapsed_seconds:
                self._sleepers.remove(sleeper)
                sleeper[1].set()

    async def until_sleeping(self, count: int = 1) -> None:
        """Wait until that many tasks sleep on this clock, so that an advance meets them."""
        while len(self._sleepers) < count:
            if self._slept.is_set():
                self._slept = anyio.Event()
            await self._slept.wait()
