"""Claims keep two versions of one record from being in flight together (P4).

A batch claims all its names at once or waits for all of them, so two batches never wait for each other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import anyio


class Claims:
    """The names in flight: keys of rows and external ids in link tables."""

    def __init__(self) -> None:
        self._held: set[tuple[str, str]] = set()
        self._changed = anyio.Condition()

    @asynccontextmanager
    async def hold(self, names: Collection[tuple[str, str]]) -> AsyncIterator[None]:
        """Hold all names for the block; wait while another holder has one of them."""
        mine = set(names)
        async with self._changed:
            while mine & self._held:
                await self._changed.wait()
            self._held |= mine
        try:
            yield
        finally:
            # shielded: a cancelled batch must still free its names, or their rows would wait for ever
            with anyio.CancelScope(shield=True):
                async with self._changed:
                    self._held -= mine
                    self._changed.notify_all()
