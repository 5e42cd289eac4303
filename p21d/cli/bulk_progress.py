"""Shows how far a sync of many keys is: a bar at a terminal, a line every few seconds elsewhere; both on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from p21d.cli.output import words
from p21d.cli.times import span_text
from p21d.clock import Clock

LINE_SECONDS = 5.0


class Shown(Protocol):
    """Somewhere progress is shown."""

    def update(self, done: int) -> None:
        """Show that so many keys have a fate."""
        ...


@contextmanager
def progress(entity: str, total: int | None, clock: Clock) -> Iterator[Shown]:
    """Show progress of `total` keys, None when nobody knows how many there are."""
    if not sys.stderr.isatty():
        yield Lines(total, clock)
        return
    columns = (TextColumn(entity), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as shown:
        yield _Bar(shown, total, clock)


class _Bar:
    def __init__(self, shown: Progress, total: int | None, clock: Clock) -> None:
        self._shown = shown
        self._pace = Pace(total, clock)
        self._task = shown.add_task("", total=total, rate="")

    def update(self, done: int) -> None:
        self._shown.update(self._task, completed=done, rate=f"{self._pace.rate(done):,.0f}/s")


class Lines:
    """A line of words at most every few seconds, for logs and pipes."""

    def __init__(self, total: int | None, clock: Clock) -> None:
        self._pace = Pace(total, clock)
        self._clock = clock
        self._said_at = clock.monotonic()

    def update(self, done: int) -> None:
        """Say how far it is, unless that was said a moment ago."""
        if self._clock.monotonic() - self._said_at >= LINE_SECONDS:
            self._said_at = self._clock.monotonic()
            words(self._pace.text(done))


class Pace:
    """How fast the keys go, and how long the rest takes at that pace."""

    def __init__(self, total: int | None, clock: Clock) -> None:
        self._total = total
        self._clock = clock
        self._started_at = clock.monotonic()

    def rate(self, done: int) -> float:
        """Return keys per second since the start."""
        seconds = self._clock.monotonic() - self._started_at
        return done / seconds if seconds > 0 else 0.0

    def text(self, done: int) -> str:
        """Return `1,500 of 40,000 keys, 300 a second, 2m left`."""
        rate = self.rate(done)
        of = f" of {self._total:,}" if self._total is not None else ""
        left = f", {span_text((self._total - done) / rate)} left" if self._total is not None and rate else ""
        return f"{done:,}{of} keys, {rate:,.0f} a second{left}"
