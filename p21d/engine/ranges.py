"""The ranges in which a backfill reads all keys: several at once where rows are paged by one whole number.

Every key lies in exactly one range: each begins after the last key of the one before it, the first has no lower bound,
and the last no upper one, so that rows added above the highest key are met as well.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import anyio

from p21d.engine.connection import Connection
from p21d.engine.cycle import Cycle
from p21d.engine.plan import Plan
from p21d.keys import key_text
from p21d.prophet21.key_order import Key
from p21d.prophet21.page import Page
from p21d.store.checkpoint import OpenWindow

MAX_RANGES = 4
Bounds = tuple[str, str]
"""The text of the key a range begins after and of its last key, empty where it is open."""


def cut_keys(outer: tuple[Key, Key] | None, *, most: int, page_rows: int) -> list[Bounds]:
    """Cut the keys between the lowest and the highest into at most that many ranges, none smaller than a page."""
    if outer is None or not all(len(key) == 1 and isinstance(key[0], int) for key in outer):
        return [("", "")]
    lowest, highest = outer[0][0], outer[1][0]
    span = highest - lowest + 1
    count = max(1, min(most, span // page_rows))
    ends = [key_text((lowest + span * number // count - 1,)) for number in range(1, count)]
    return list(zip(["", *ends], [*ends, ""], strict=True))


async def find_ranges(plan: Plan, connection: Connection, kind: str) -> list[Bounds]:
    """Ask P21 for the outer keys of an entity's table and return its ranges."""
    source, reading = connection.source, plan.reading
    most = min(MAX_RANGES, connection.slots.of(kind))
    if most == 1 or len(reading.page_by) > 1 or reading.text_key:
        return [("", "")]
    return cut_keys(await source.outer_keys(reading), most=most, page_rows=source.page_rows)


class Ranges:
    """Reads the open ranges of one entity at once, each as a cycle of its own."""

    def __init__(self, plan: Plan, connection: Connection, cycle_of: Callable[[OpenWindow], Cycle]) -> None:
        self._plan = plan
        self._connection = connection
        self._cycle_of = cycle_of
        self._failure: Exception | None = None

    async def read(self, windows: Sequence[OpenWindow]) -> None:
        """Bring every row of the ranges to a fate; raises the first failure once all have ended."""
        async with anyio.create_task_group() as tasks:
            for window in windows:
                tasks.start_soon(self._read, window)
        if self._failure is not None:
            raise self._failure

    async def _read(self, window: OpenWindow) -> None:
        try:
            await self._cycle_of(window).run(self._pages(window))
            async with self._connection.store.transaction() as tables:
                await tables.checkpoints.end(self._plan.name, window.kind)
            self._connection.passed("range ended")
        except Exception as error:  # noqa: BLE001  # raised by read(); batches of the other ranges must end first
            self._failure = self._failure or error

    async def _pages(self, window: OpenWindow) -> AsyncIterator[Page[Any]]:
        reading = self._plan.reading
        after, last = reading.page_key(window.reached), reading.page_key(window.last)
        async for page in self._connection.source.pages(reading, after=after, last=last):
            if self._failure is not None:
                raise self._failure  # not an early end: this range is not completed either
            yield page
