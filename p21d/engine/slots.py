"""The slots for batches: `concurrent_batch_executions` is the true number of simultaneous calls to the sink.

A batch's calls run one after the other, so a slot is a call. A batch holds its slot only while it sends. The background
kinds together hold at most half of the slots, and a free slot goes to whatever waits in the foreground first; within
each of the two, who came first is served first.

Why not anyio's CapacityLimiter: it knows one queue only, and two limiters in a row would keep a poll behind the sweeps
that wait for the second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

BACKGROUND_KINDS = frozenset({"sync", "sweep", "backfill"})
"""Cycles that may read everything; what people wait for (polls, releases, orders) passes them."""


class Slots:
    """A limiter with two classes, whose size changes live."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._used = {False: 0, True: 0}
        self._queues: dict[bool, deque[anyio.Event]] = {False: deque(), True: deque()}

    @asynccontextmanager
    async def hold(self, kind: str) -> AsyncIterator[None]:
        """Hold one slot for the block, for a cycle of this kind; wait for one as long as it takes."""
        background = kind in BACKGROUND_KINDS
        await self._acquire(background=background)
        try:
            yield
        finally:
            self._used[background] -= 1
            self._grant()

    async def _acquire(self, *, background: bool) -> None:
        turn = anyio.Event()
        self._queues[background].append(turn)
        self._grant()
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():  # cancelled between the grant and the awakening: the next one gets it
                self._used[background] -= 1
            else:
                self._queues[background].remove(turn)
            self._grant()
            raise

    def _grant(self) -> None:
        """Give free slots to those who wait."""
        while (background := self._next()) is not None:
            self._used[background] += 1
            self._queues[background].popleft().set()

    def _next(self) -> bool | None:
        """Return the class that the next free slot goes to, None where no slot is free for anyone."""
        if self.used >= self._total:
            return None
        if self._queues[False]:
            return False
        return True if self._queues[True] and self._used[True] < self.of("sweep") else None

    def resize(self, total: int) -> None:
        """Change the number of slots; those in use beyond a smaller number are given back as they end."""
        self._total = total
        self._grant()

    def of(self, kind: str) -> int:
        """Return how many slots cycles of this kind may hold together."""
        return max(1, self._total // 2) if kind in BACKGROUND_KINDS else self._total

    @property
    def total(self) -> int:
        """Return the number of slots."""
        return self._total

    @property
    def used(self) -> int:
        """Return the number of slots in use."""
        return sum(self._used.values())
