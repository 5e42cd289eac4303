"""What P21 says about itself: its build, and the columns of its tables.

p21d can do without all of it, so nothing here raises because of what P21 answers, only where it cannot be reached.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import msgspec

from p21d.clock import Clock
from p21d.errors import RequestTimeout
from p21d.http import HttpAnswer
from p21d.prophet21.metadata import columns_in
from p21d.prophet21.proof_book import ProofBook
from p21d.prophet21.session import Session

ASK_AGAIN_SECONDS = 900.0
SERVER_INFO = "/uiserver0/ui/common/v1/serverinfo"


class About:
    """Asks once for all entities, and keeps the columns of the tables that were named beforehand."""

    def __init__(self, session: Session, clock: Clock, book: ProofBook) -> None:
        self._session = session
        self._clock = clock
        self._book = book
        self._asking_build = anyio.Lock()
        self._asking = anyio.Lock()
        self._build: str | None = None
        self._silent_until: dict[str, float] = {}
        self._asked: dict[str, set[str]] = {}
        self.trouble = ""

    def also(self, surface: str, table: str) -> None:
        """Remember that this table's columns will be asked for, so that one reading of `$metadata` serves all."""
        self._asked.setdefault(surface, set()).add(table.lower())

    async def build(self, *, again: bool = False) -> str:
        """Return P21's version, such as `26.1.5950.1`; empty where it does not say."""
        async with self._asking_build:
            if self._build is None or again:
                answer = await self._answer(SERVER_INFO)
                self._build = _version(answer) if answer else ""
            return self._build

    async def known(self, name: str) -> str | None:
        """Return what was proven under this name for the present build, None where nothing was."""
        return await self._book.known(name, await self.build())

    async def keep(self, results: dict[str, str]) -> None:
        """Keep what is proven, by name, for the present build."""
        await self._book.keep(results, await self.build())

    async def missing_columns(self, surface: str, table: str, columns: Sequence[str]) -> list[str] | None:
        """Return which of the columns a table lacks, None where P21 does not say; names are compared without case."""
        self.also(surface, table)
        async with self._asking:
            found = await self._kept(surface, table)
            if found is None or _missing(found, columns):  # perhaps it was added since
                found = await self._fetched(surface, table)
        return None if found is None else _missing(found, columns)

    async def _kept(self, surface: str, table: str) -> list[str] | None:
        known = await self.known(_name(surface, table))
        return known.split() if known is not None else None

    async def _fetched(self, surface: str, table: str) -> list[str] | None:
        if self._clock.monotonic() < self._silent_until.get(surface, 0.0):
            return None
        answer = await self._answer(f"/odataservice/odata/{surface}/$metadata")
        try:
            found = columns_in(answer, self._asked[surface]) if answer else {}
            self.trouble = "" if answer else f"no $metadata of {surface} within the time"
        except ValueError as error:
            found, self.trouble = {}, f"$metadata of {surface} cannot be read: {error}"
        if not found:
            self._silent_until[surface] = self._clock.monotonic() + ASK_AGAIN_SECONDS
        kept = {_name(surface, name): " ".join(columns) for name, columns in found.items()}
        await self.keep(kept)
        return found.get(table.lower())

    async def _answer(self, path: str) -> HttpAnswer | None:
        """Return the answer whatever it says, None where it takes too long; raises where P21 cannot be reached."""
        try:
            return await self._session.peek(path)
        except RequestTimeout:
            return None


def _name(surface: str, table: str) -> str:
    return f"columns {surface}/{table.lower()}"


def _missing(found: Sequence[str], columns: Sequence[str]) -> list[str]:
    there = {column.lower() for column in found}
    return [column for column in columns if column.lower() not in there]


def _version(answer: HttpAnswer) -> str:
    if answer.status != 200:
        return ""
    try:
        return str(msgspec.convert(answer.json(), dict[str, object]).get("Version") or "")
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return ""
