"""Run one call per item at once, and fail with the first failure itself instead of a group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from p21d.errors import P21dError

T = TypeVar("T")
A = TypeVar("A")


async def each(call: Callable[[A], Awaitable[T]], items: Sequence[A]) -> list[T]:
    """Return the results in the order of the items; the first P21dError cancels the other calls and is raised.

    The calls are bounded by the limiter of the session, not here.
    """
    if len(items) == 1:
        return [await call(items[0])]
    results: dict[int, T] = {}
    failures: list[P21dError] = []

    async def run(index: int, item: A) -> None:
        try:
            results[index] = await call(item)
        except P21dError as error:
            failures.append(error)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for index, item in enumerate(items):
            group.start_soon(run, index, item)
    if failures:
        raise failures[0]
    return [results[index] for index in range(len(items))]
