"""The slots for batches: `concurrent_batch_executions` is the true number of simultaneous calls to the sink.

A batch's calls run one after the other, so a slot is a call. A batch holds its slot only while it sends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class Slots:
    """A limiter whose size changes live."""

    def __init__(self, total: int) -> None:
        self._limiter = anyio.CapacityLimiter(total)

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Hold one slot for the block; wait for one as long as it takes."""
        async with self._limiter:
            yield

    def resize(self, total: int) -> None:
        """Change the number of slots; those in use beyond a smaller number are given back as they end."""
        self._limiter.total_tokens = total

    @property
    def total(self) -> int:
        """Return the number of slots."""
        return int(self._limiter.total_tokens)

    @property
    def used(self) -> int:
        """Return the number of slots in use."""
        return self._limiter.borrowed_tokens
