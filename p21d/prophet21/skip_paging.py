"""Pages of a table whose text key P21 does not page by: `$skip` under `$orderby`, each page overlapping the last.

Rows that come or go while being read shift all that follow. So a page begins with the last row of the one before; where
that row is found further down, what stands above it is a repeat; where it is gone, rows may be missing and the reading
fails. At the end the rows are checked against `@odata.count`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from p21d.errors import PageError
from p21d.prophet21.classify import SYSTEM
from p21d.prophet21.key_order import Key
from p21d.prophet21.page import Answer, Decoded, Page
from p21d.prophet21.reading import Reading
from p21d.row import Row

R = TypeVar("R", bound=Row)
SMALLEST_TOP = 2
"""One row of overlap, one to go on."""


async def pages_by_skip(
    get: Callable[[str, int], Awaitable[Answer[R]]], reading: Reading[R], condition: str, *, top: int
) -> AsyncIterator[Page[R]]:
    """Yield all pages from the first one on; raises PageError where a row may have been missed."""
    top = max(top, SMALLEST_TOP)
    skip, met, counts = 0, 0, set[int]()
    reached: Key | None = None
    while True:
        answer = await get(reading.url(condition, top=top, skip=skip, count=True), top)
        decoded = answer.decoded
        if decoded.count is None:
            raise _failed(reading, "the answer has no @odata.count")
        counts.add(decoded.count)
        repeats = _repeats(reading, decoded, reached) if reached else 0
        met += decoded.size - repeats
        last = skip + decoded.size >= decoded.count or decoded.size < SMALLEST_TOP
        if last and met < min(counts):
            raise _failed(reading, f"{met} rows were met where P21 counts {min(counts)}")
        yield replace(answer.page(last=last), rows=_fresh(reading, decoded, repeats))
        if last:
            return
        if not decoded.keys:
            raise _failed(reading, "no row of a page has a readable key")
        reached = decoded.keys[-1]
        skip += decoded.size - 1


def _repeats(reading: Reading[Any], decoded: Decoded[Any], reached: Key) -> int:
    if reached not in decoded.keys:
        raise _failed(reading, "rows have moved while it was read")
    return decoded.keys.index(reached) + 1


def _fresh(reading: Reading[R], decoded: Decoded[R], repeats: int) -> list[R]:
    known = set(decoded.keys[:repeats])
    page_key = reading.columns.getter(reading.page_by)
    return [row for row in decoded.rows if page_key(row) not in known] if known else decoded.rows


def _failed(reading: Reading[Any], what: str) -> PageError:
    return PageError(f"{reading.table} cannot be read whole page by page: {what}", system=SYSTEM)
