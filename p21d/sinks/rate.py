"""Paces calls to at most N in any M seconds, in the order in which they were asked for."""

from __future__ import annotations

import re
from collections import deque

import anyio

from p21d.clock import Clock
from p21d.errors import ConfigError


def parse_rate(text: str | None) -> tuple[int, float] | None:
    """Return (calls, seconds) of `500/60s`, None where no rate is set; raises ConfigError."""
    if not text:
        return None
    match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)\s*(s|m|h)?\s*", text)
    calls, seconds = (int(match[1]), float(match[2]) * {"m": 60, "h": 3600}.get(match[3], 1)) if match else (0, 0.0)
    if calls <= 0 or seconds <= 0:
        raise ConfigError(f"{text!r} is not of the form 500/60s", path="sink.rate")
    return calls, seconds


MARGIN_SECONDS = 1.0
"""A call may be on its way longer than the one that takes its place, and the other side counts arrivals."""


class Pace:
    """Lets calls pass at a rate; None lets all pass at once."""

    def __init__(self, rate: tuple[int, float] | None, clock: Clock) -> None:
        """Take (calls, seconds)."""
        self._clock = clock
        self._calls, seconds = rate or (0, 0.0)
        self._seconds = seconds + min(MARGIN_SECONDS, seconds / 10)
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
