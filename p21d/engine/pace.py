"""How far a window is: rows with a fate, of how many, and how long the rest takes at the pace so far."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import structlog

from p21d.clock import Clock
from p21d.engine.fate import Fate, Tally
from p21d.errors import P21dError
from p21d.prophet21.page import Page
from p21d.prophet21.reading import Reading
from p21d.prophet21.source import Prophet21

log = structlog.get_logger("p21d.engine")

COUNTED_KINDS = frozenset({"sync", "sweep", "backfill"})
"""Kinds of windows that may take long enough for somebody to ask."""
COUNT_SECONDS = 30.0
"""A count that takes longer is given up: it is for the eye, and the reading waits for it."""


class Pace:
    """The pace of one window; `total` is None until P21 has counted its rows, and where it cannot."""

    def __init__(self, tally: Tally, clock: Clock) -> None:
        self.total: int | None = None
        self._tally = tally
        self._clock = clock
        self._began = clock.monotonic()

    @property
    def done(self) -> int:
        """Return how many rows have a fate."""
        return sum(getattr(self._tally, fate.value) for fate in Fate)

    def text(self) -> str:
        """Return the rows read so far, of how many where that is known: `12000 of 400000`."""
        # rows that changed since the count may make more of them than were counted
        of = "" if self.total is None else f" of {max(self.total, self._tally.read)}"
        return f"{self._tally.read}{of}"

    def left_seconds(self) -> float | None:
        """Return how long the rest takes at the pace so far, None while nobody knows."""
        took, done = self._clock.monotonic() - self._began, self.done
        if self.total is None or not done:
            return None
        return max(0, self.total - done) * took / done


async def paced(
    pages: AsyncIterator[Page[Any]], pace: Pace, source: Prophet21, reading: Reading[Any], **window: Any
) -> AsyncIterator[Page[Any]]:
    """Yield the pages; where there is more than one, have P21 count the rows of the window (`low`, `after`) once.

    Why after the first page: the many small windows cost no request more, and the first page is on its way to the sink
    while P21 counts.
    """
    first = True
    async for page in pages:
        yield page
        if first and not page.last and len(page.rows) + len(page.undecodable) >= source.page_rows:
            pace.total = await count(source, reading, **window)
        first = False


async def count(source: Prophet21, reading: Reading[Any], **window: Any) -> int | None:
    """Return the number of rows of a window, None where P21 does not say in time: nothing but status needs it."""
    with anyio.move_on_after(COUNT_SECONDS):
        try:
            return await source.count(reading, **window)
        except P21dError as error:
            log.debug("not counted", table=reading.table, error=error.message)
    return None
