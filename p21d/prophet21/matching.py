"""Rows whose columns have asked-for values, in or-chains, many chains at once.

A row that was not asked for fails the reading: P21 drops a filter it does not understand and answers with the whole
table (facts 3.4), and such rows must never pass as somebody's children.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, TypeVar

from p21d.errors import PageError
from p21d.keys import key_parts
from p21d.prophet21.classify import SYSTEM
from p21d.prophet21.columns import Columns
from p21d.prophet21.odata import any_of, chains, equals
from p21d.prophet21.page import Page, Undecodable, raw_values
from p21d.prophet21.paging import Pager
from p21d.prophet21.parallel import each
from p21d.prophet21.reading import Reading
from p21d.row import Row

R = TypeVar("R", bound=Row)
Match = tuple[str, ...]
"""Values of some columns as texts that compare (`Columns.normal`)."""
Term = tuple[Match, str]
"""What is asked for, and the condition that asks."""


async def read_keys(pager: Pager, reading: Reading[R], keys: Iterable[str]) -> list[Page[R]]:
    """Return the pages with the rows of these key texts; a key that P21 does not have, or cannot have, has no row."""
    terms = {}
    for text in keys:
        match = key_match(reading, text)
        if match is not None:
            literals = [reading.columns.literal(*pair) for pair in zip(reading.key, key_parts(text), strict=True)]
            terms[match] = equals(reading.key, literals)
    return await read_matching(pager, reading, reading.key, list(terms.items()))


def absent_keys(reading: Reading[Any], keys: Iterable[str], pages: Sequence[Page[Any]]) -> list[str]:
    """Return those of the key texts that no row of the pages has, compared as P21 compares."""
    found: set[Match | None] = set()
    values_of = reading.columns.getter(reading.key)
    for page in pages:
        found.update(match_of(reading.columns, reading.key, values_of(row)) for row in page.rows)
        found.update(match_of_bad(reading, reading.key, bad) for bad in page.undecodable)
    found.discard(None)
    return [text for text in keys if key_match(reading, text) not in found]


def key_match(reading: Reading[Any], text: str) -> Match | None:
    """Return the parts of a key text as they are compared; None for a text that cannot be a key of this table."""
    parts = key_parts(text)
    return match_of(reading.columns, reading.key, parts) if len(parts) == len(reading.key) else None


async def read_matching(
    pager: Pager, reading: Reading[R], columns: Sequence[str], terms: Sequence[Term]
) -> list[Page[R]]:
    """Return the pages of all rows that match one of the terms; raises as Pager.pages."""

    async def read_chain(chain: list[Term]) -> list[Page[R]]:
        return [page async for page in _pages_of(pager, reading, columns, chain)]

    split = list(chains(terms, lambda item: f"({item[1]})", reading.room(pager.page_rows)))
    return [page for pages in await each(read_chain, split) for page in pages]


async def pages_matching(
    pager: Pager, reading: Reading[R], columns: Sequence[str], terms: Sequence[Term]
) -> AsyncIterator[Page[R]]:
    """Yield the pages of all rows that match one of the terms, one page in memory at a time; raises as Pager.pages."""
    for chain in chains(terms, lambda item: f"({item[1]})", reading.room(pager.page_rows)):
        async for page in _pages_of(pager, reading, columns, chain):
            yield page


async def _pages_of(
    pager: Pager, reading: Reading[R], columns: Sequence[str], chain: list[Term]
) -> AsyncIterator[Page[R]]:
    condition = any_of(f"({term})" if " and " in term else term for _, term in chain)
    asked = {match for match, _ in chain}
    async for page in pager.pages(reading, condition):
        _refuse_strangers(reading, columns, page, asked)
        yield page


def match_of(columns: Columns, names: Sequence[str], values: Sequence[object]) -> Match | None:
    """Return values as they are compared with these columns; None where one is null, blank or cannot be equal."""
    try:
        match = tuple(
            "" if value is None else columns.normal(name, value) for name, value in zip(names, values, strict=True)
        )
    except ValueError:
        return None
    return match if all(match) else None


def match_of_bad(reading: Reading[Any], names: Sequence[str], bad: Undecodable) -> Match | None:
    """Return the same of a row that does not decode, None where it cannot be told."""
    values = raw_values(bad.raw)
    return match_of(reading.columns, names, [values.get(name) for name in names])


def _refuse_strangers(reading: Reading[R], columns: Sequence[str], page: Page[R], asked: set[Match]) -> None:
    values_of = reading.columns.getter(columns)
    found = [match_of(reading.columns, columns, values_of(row)) for row in page.rows]
    found += [match_of_bad(reading, columns, bad) for bad in page.undecodable]
    for match in found:
        if match not in asked:
            raise PageError(
                f"Prophet 21 sent a row of {reading.table} that was not asked for ({'|'.join(match or ('?',))})",
                system=SYSTEM,
            )
