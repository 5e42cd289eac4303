"""The related rows of a page of parents: read in or-chains, indexed by the values that match."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from itertools import product
from typing import Any, TypeVar, cast

import structlog

from p21d.clock import Clock
from p21d.errors import ConfigError, Forbidden, P21dError, ReadRefused, RecordRefused
from p21d.plugin import Related
from p21d.prophet21.columns import Columns, Kind, columns_of
from p21d.prophet21.matching import Match, Term, match_of, match_of_bad, pages_matching, read_matching
from p21d.prophet21.odata import equals
from p21d.prophet21.page import Page, Undecodable
from p21d.prophet21.paging import Pager
from p21d.prophet21.parallel import each
from p21d.prophet21.reading import Reading
from p21d.row import Row

R = TypeVar("R", bound=Row)

ASK_AGAIN_SECONDS = 900.0
"""How long an optional table that P21 refused reads as empty before it is asked for again."""

_log = structlog.get_logger(__name__)


class Found:
    """The rows of one related table by their match, and those that do not decode."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.by_match: dict[Match, list[Row]] = {}
        self.bad: dict[Match, Undecodable] = {}

    def add(self, match: Match | None, row: Row) -> None:
        """Take in a row."""
        self.rows.append(row)
        if match is not None:
            self.by_match.setdefault(match, []).append(row)


class ReadRows:
    """The RelatedRows of one page, as P21 answered."""

    def __init__(self) -> None:
        self.found: dict[Related[Any], Found] = {}

    def rows(self, related: Related[R], parent: Row) -> Sequence[R]:
        """Return the rows of `related` that belong to `parent`, in key order.

        Raises RecordRefused where one of them does not decode: the parent would be sent without it.
        """
        match = parent_match(related, parent)
        found = self.found.get(related)
        if match is None or found is None:
            return []
        if match in found.bad:
            bad = found.bad[match]
            raise RecordRefused(f"row {bad.key} of {related.table} does not decode: {bad.error}", code="related_row")
        return cast("list[R]", found.by_match.get(match, []))

    def first(self, related: Related[R], parent: Row) -> R | None:
        """Return the first of them, None where there is none."""
        return next(iter(self.rows(related, parent)), None)


class RelatedReader:
    """Reads the related tables of pages; remembers which optional ones this P21 does not have."""

    def __init__(self, pager: Pager, clock: Clock) -> None:
        self._pager = pager
        self._clock = clock
        self._absent_until: dict[str, float] = {}
        self._logged: set[str] = set()

    async def read(self, related: Sequence[Related[Any]], parents: Sequence[Row]) -> ReadRows:
        """Return the related rows of these parents; tables that do not build on each other are read at once."""
        result = ReadRows()
        waiting = list(related)
        while waiting:
            ready = [one for one in waiting if one.of is None or one.of in result.found]
            if not ready:
                names = ", ".join(one.table for one in waiting)
                raise ConfigError(f"these related tables build on one that is not listed: {names}")
            found = await each(self._reading_of(result, parents), ready)
            result.found.update(zip(ready, found, strict=True))
            waiting = [one for one in waiting if one not in result.found]
        return result

    async def climb(self, hops: Sequence[Related[Any]], rows: Sequence[Row]) -> AsyncIterator[Page[Any]]:
        """Yield the pages of the last hop's rows that these rows lead to, one page of each hop in memory at a time.

        A row that several ways lead to may come more than once.
        """
        async for page in self._pages_up(hops[0], rows):
            if len(hops) == 1:
                yield page
                continue
            async for higher in self.climb(hops[1:], page.rows):
                yield higher

    async def _pages_up(self, hop: Related[Any], rows: Sequence[Row]) -> AsyncIterator[Page[Any]]:
        if hop.optional and self._reads_as_empty(hop):
            return
        reading, terms = Reading.of_related(hop), list(terms_of(hop, rows))
        try:
            async for page in pages_matching(self._pager, reading, tuple(hop.match), terms):
                yield page
        except (ReadRefused, Forbidden) as error:
            if not hop.optional:
                raise
            self._read_as_empty(hop, error)

    def _reads_as_empty(self, related: Related[Any]) -> bool:
        return self._clock.monotonic() < self._absent_until.get(related.table, 0.0)

    def _read_as_empty(self, related: Related[Any], error: P21dError) -> None:
        self._absent_until[related.table] = self._clock.monotonic() + ASK_AGAIN_SECONDS
        if related.table not in self._logged:
            self._logged.add(related.table)
            _log.warning("optional_table_reads_as_empty", table=related.table, reason=str(error))

    def _reading_of(self, result: ReadRows, parents: Sequence[Row]) -> Callable[[Related[Any]], Any]:
        async def read(one: Related[Any]) -> Found:
            above = parents if one.of is None else result.found[one.of].rows
            return await self._read_optional(one, above) if one.optional else await self._read_one(one, above)

        return read

    async def _read_optional(self, related: Related[Any], parents: Sequence[Row]) -> Found:
        if self._reads_as_empty(related):
            return Found()
        try:
            found = await self._read_one(related, parents)
        except (ReadRefused, Forbidden) as error:
            self._read_as_empty(related, error)
            return Found()
        if found.rows:
            self._logged.discard(related.table)
        return found

    async def _read_one(self, related: Related[Any], parents: Sequence[Row]) -> Found:
        reading = Reading.of_related(related)
        columns = tuple(related.match)
        values_of = reading.columns.getter(columns)
        found = Found()
        for page in await read_matching(self._pager, reading, columns, list(terms_of(related, parents))):
            for row in page.rows:
                found.add(match_of(reading.columns, columns, values_of(row)), row)
            for bad in page.undecodable:
                found.bad[match_of_bad(reading, columns, bad) or ()] = bad
        return found


def terms_of(related: Related[Any], parents: Sequence[Row]) -> Iterable[Term]:
    """Yield a condition for each distinct value that the parents name; null and blank name nothing."""
    columns, names = columns_of(related.row), tuple(related.match)
    seen: set[Match] = set()
    for parent in parents:
        match = parent_match(related, parent)
        if match is None or match in seen:
            continue
        seen.add(match)
        forms = [_forms(columns, *pair) for pair in zip(names, _parent_values(related, parent), strict=True)]
        for literals in product(*forms):
            yield match, equals(names, literals)


def parent_match(related: Related[Any], parent: Row) -> Match | None:
    """Return what a row of `related` must have to belong to this parent; None where nothing can."""
    return match_of(columns_of(related.row), tuple(related.match), _parent_values(related, parent))


def _parent_values(related: Related[Any], parent: Row) -> tuple[Any, ...]:
    columns = columns_of(type(parent))
    columns.need(related.match.values(), table=related.table)
    return columns.getter(tuple(related.match.values()))(parent)


def _forms(columns: Columns, name: str, value: object) -> list[str]:
    """Return the literals to ask for: P21 ignores blanks behind a text, but one table may pad in front, one not."""
    if columns.kind(name) is not Kind.TEXT:
        return [columns.literal(name, value)]
    text = str(value).rstrip()
    return [columns.literal(name, form) for form in dict.fromkeys([text, text.lstrip()])]
