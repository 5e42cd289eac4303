"""Pages of one table in key order, from any key on, none skipped and none repeated.

Each page asks for keys after the last one reached: rows that change while being read stay where they are, unlike under
`$skip`. There is no upper bound in time (a row stamped again and again would be in no window).
"""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, TypeVar

from p21d.clock import Clock
from p21d.errors import PageError
from p21d.keys import key_text
from p21d.prophet21.about import About
from p21d.prophet21.classify import SYSTEM
from p21d.prophet21.key_order import Key, find_repeat
from p21d.prophet21.page import Answer, Decoded, Page, decode_page
from p21d.prophet21.reading import Reading
from p21d.prophet21.server_clock import ServerClock
from p21d.prophet21.session import Session
from p21d.prophet21.skip_paging import pages_by_skip
from p21d.prophet21.zone import ServerZone
from p21d.row import Row

R = TypeVar("R", bound=Row)

PROOF_ROWS = 3
MOST_ROWS_AT_ONCE = 100_000
"""Of a table without a known key, asked for some parents at a time: far above what fifty of them have."""


class Pager:
    """Reads pages over one session; `page_rows` is the `$top`."""

    def __init__(
        self,
        session: Session,
        zone: ServerZone,
        server_clock: ServerClock,
        clock: Clock,
        *,
        page_rows: int,
        about: About | None = None,
    ) -> None:
        """Prepare reading; `about` keeps which text keys are proven, so that a restart does not prove them again."""
        self._about = about
        self._session = session
        self._zone = zone
        self._server_clock = server_clock
        self._clock = clock
        self.page_rows = page_rows
        self._proven: dict[tuple[str, str], bool] = {}
        self._largest = 0

    async def pages(self, reading: Reading[R], condition: str = "", after: Key | None = None) -> AsyncIterator[Page[R]]:
        """Yield the pages of a reading under a condition, after a key; the last one says so.

        A text key that P21 does not page by is read by `$skip`, from the start whatever `after` says. Raises what
        Session.get raises, and PageError.
        """
        if not reading.unique:
            yield await self._whole(reading, condition)
            return
        reached = after
        if reached and not await self._pages_by_key(reading):
            reached = None
        while True:
            answer = await self.ask(reading, condition, after=reached, top=self.page_rows)
            # Proven only where a second page is needed: most chains of related rows never need one.
            if not answer.ends and not await self._goes_on_by_key(reading, answer):
                break
            yield answer.page(last=answer.ends)
            if answer.ends:
                return
            reached = answer.decoded.keys[-1]
        async for page in pages_by_skip(partial(self._get, reading), reading, condition, top=self.page_rows):
            yield page

    async def _whole(self, reading: Reading[R], condition: str) -> Page[R]:
        """Return all rows under a condition in one page, for a table of which no key is known to go on by."""
        top = self.page_rows
        while top <= MOST_ROWS_AT_ONCE:
            answer = await self._get(reading, reading.url(condition, top=top), top)
            if answer.decoded.size < top:
                return answer.page(last=True)
            top *= 4
        raise PageError(f"{reading.table} has more than {MOST_ROWS_AT_ONCE} rows for one question", system=SYSTEM)

    async def outer_keys(self, reading: Reading[Any]) -> tuple[Key, Key] | None:
        """Return the lowest and the highest page key, None where there is no row or its key cannot be read."""
        lowest = await self._get(reading, reading.url(top=1), 1)
        highest = await self._get(reading, reading.url(top=1, descending=True), 1)
        if not lowest.decoded.keys or not highest.decoded.keys:
            return None
        return lowest.decoded.keys[0], highest.decoded.keys[0]

    async def ask(self, reading: Reading[R], condition: str, *, after: Key | None, top: int) -> Answer[R]:
        """Return one page of keys after `after`; a broken one, or one with a repeated key, is asked for once more."""
        try:
            return await self._ask_once(reading, condition, after, top)
        except PageError:
            return await self._ask_once(reading, condition, after, top)

    async def count(self, reading: Reading[Any], condition: str, after: Key | None) -> int | None:
        """Return the number of rows of a reading under a condition, after a key; None where P21 gives none."""
        url = reading.url(condition, after_key=after, top=1, count=True)
        return (await self._get(reading, url, 1)).decoded.count

    async def _ask_once(self, reading: Reading[R], condition: str, after: Key | None, top: int) -> Answer[R]:
        answer = await self._get(reading, reading.url(condition, after_key=after, top=top), top)
        repeat = find_repeat(answer.decoded.keys, after)
        if repeat is not None:
            raise PageError(f"Prophet 21 sends the key {key_text(repeat)} of {reading.table} twice", system=SYSTEM)
        return answer

    async def _get(self, reading: Reading[R], url: str, top: int) -> Answer[R]:
        read_at = self._clock.now()
        body = (await self._session.get(url)).body
        decoded = decode_page(reading, body)
        if decoded.size > top:
            raise PageError(
                f"Prophet 21 sent {decoded.size} rows of {reading.table} where {top} were asked for", system=SYSTEM
            )
        self._learn_zone(reading, decoded)
        keyless_end = decoded.size < top and not decoded.keys
        return Answer(decoded, read_at, self._ends(decoded.size, top) or keyless_end)

    def _ends(self, size: int, top: int) -> bool:
        # A short page ends a table only where it is not cut by some limit of the server's: smaller than a page that
        # was sent before, it is not. No such limit is known (facts 3.2), but it would lose rows in silence.
        largest, self._largest = self._largest, max(size, self._largest)
        return size == 0 or (size < top and size < largest)

    def _learn_zone(self, reading: Reading[R], decoded: Decoded[R]) -> None:
        if decoded.rows and reading.modified in reading.columns:
            stamps = map(operator.attrgetter(reading.columns.attribute(reading.modified)), decoded.rows)
            self._zone.observe(max(filter(None, stamps), default=""), self._server_clock.now())

    async def _goes_on_by_key(self, reading: Reading[R], answer: Answer[R]) -> bool:
        if not answer.decoded.keys:
            # Every row of a full page without a readable key: the next request would be this one again.
            raise PageError(f"no row of a page of {reading.table} has a readable key", system=SYSTEM)
        # Nothing is greater than null.
        return None not in answer.decoded.keys[-1] and await self._pages_by_key(reading)

    async def _pages_by_key(self, reading: Reading[Any]) -> bool:
        if not reading.text_key:
            return True
        name = (reading.surface, reading.table)
        if name not in self._proven:
            self._proven[name] = await self._proven_before(reading) or await self._prove(reading)
        return self._proven[name]

    async def _proven_before(self, reading: Reading[Any]) -> bool:
        return self._about is not None and await self._about.known(key_order(reading)) is not None

    async def _prove(self, reading: Reading[Any]) -> bool:
        together = (await self.ask(reading, "", after=None, top=PROOF_ROWS)).decoded.keys
        alone: list[Key] = []
        for _ in range(PROOF_ROWS):
            answer = await self._get(reading, reading.url(after_key=alone[-1] if alone else None, top=1), 1)
            alone.extend(answer.decoded.keys)
        if together == alone and len(alone) == PROOF_ROWS and self._about is not None:
            await self._about.keep({key_order(reading): "paged by key"})  # fewer rows prove nothing for long
        return together == alone


def key_order(reading: Reading[Any]) -> str:
    """Return the name of the proof that P21 orders a table's keys as it compares them."""
    return f"key order {reading.surface}/{reading.table} {','.join(reading.page_by)}"
