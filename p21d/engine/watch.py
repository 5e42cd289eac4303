"""Progress, for the watchdog: work that has begun must move, or the daemon is not fed (P10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from p21d.clock import Clock
from p21d.engine.backoff import MAX_ASKED_SECONDS

CALLS_PER_STEP = 6
"""Calls between two steps that may each take their whole timeout: a page asked for twice, three attempts each; or the
look-ups, the write and the links of one record in the sink."""


def longest_wait_seconds(*timeouts_seconds: float) -> float:
    """Return the longest honest time between two steps, under the timeouts of one call to each system."""
    return MAX_ASKED_SECONDS + CALLS_PER_STEP * max(timeouts_seconds)


STUCK_SECONDS = longest_wait_seconds(120.0)
"""The limit under the default timeouts."""


class Watch:
    """The cycles that run, each with the time of its last step; `stuck_seconds` may be changed while they run."""

    def __init__(self, clock: Clock, *, stuck_seconds: float = STUCK_SECONDS) -> None:
        self.stuck_seconds = stuck_seconds
        self._clock = clock
        self._stepped: dict[str, float] = {}
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def over(self, name: str) -> Iterator[None]:
        """Watch a piece of work for the block."""
        self.step(name)
        try:
            yield
        finally:
            self._stepped.pop(name, None)

    def step(self, name: str) -> None:
        """Note that a piece of work has moved."""
        self._stepped[name] = self._clock.monotonic()

    @contextmanager
    def waiting(self, name: str) -> Iterator[None]:
        """Wait, in the block, for a slot or a claim: the steps of those that hold them are its own."""
        self._waiting[name] += 1
        try:
            yield
        finally:
            self._waiting[name] -= 1
            self.step(name)

    def answered(self, name: str) -> None:
        """Note that the sink has answered a piece of work, which brings nearer whatever waits for its slot."""
        self.step(name)
        for other, count in self._waiting.items():
            if count:
                self.step(other)

    def stuck(self) -> list[str]:
        """Return the names of work that has not moved for too long."""
        since = self._clock.monotonic() - self.stuck_seconds
        return sorted(name for name, stepped in self._stepped.items() if stepped < since)
