"""Progress, for the watchdog: work that has begun must move, or the daemon is not fed (P10)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from p21d.clock import Clock

STUCK_SECONDS = 900.0
"""Longer than the longest honest wait: four attempts of a page at P21's timeout, with their back-off."""


class Watch:
    """The cycles that run, each with the time of its last step."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stepped: dict[str, float] = {}

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

    def stuck(self) -> list[str]:
        """Return the names of work that has not moved for too long."""
        since = self._clock.monotonic() - STUCK_SECONDS
        return sorted(name for name, stepped in self._stepped.items() if stepped < since)
