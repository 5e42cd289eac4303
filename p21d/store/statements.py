"""What every table class stands on: an SQLite connection, and the name of the p21d connection its rows belong to.

Statements take many rows at once: each call costs a hand-over to SQLite's thread of about 60 us, one row in a grouped
call 5.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import aiosqlite

from p21d.store.condition import Condition

MAX_PARAMETERS = 900
"""Values in one `IN (...)`; below every SQLite build's limit."""


class Table:
    """A table's statements, on the writer inside a transaction or on the reader outside of one.

    Every statement raises StoreError, StoreFull or PermissionRefused; `condition` remembers what they say of the file.
    """

    def __init__(self, sqlite: aiosqlite.Connection, connection: str, condition: Condition) -> None:
        self._sqlite = sqlite
        self._connection = connection
        self._condition = condition

    async def _all(self, sql: str, parameters: Sequence[object]) -> list[sqlite3.Row]:
        with self._condition.explained():
            return list(await self._sqlite.execute_fetchall(sql, parameters))

    async def _one(self, sql: str, parameters: Sequence[object]) -> sqlite3.Row | None:
        rows = await self._all(sql, parameters)
        return rows[0] if rows else None

    async def _for_keys(self, sql: str, parameters: Sequence[object], keys: Sequence[str]) -> list[sqlite3.Row]:
        """Run `sql`, which ends in `IN`, for the keys, as many times as their number asks for."""
        rows: list[sqlite3.Row] = []
        for part in chunks(keys):
            rows += await self._all(f"{sql} ({placeholders(part)})", [*parameters, *part])
        return rows

    async def _change(self, sql: str, parameters: Sequence[object]) -> int:
        with self._condition.explained():
            async with self._sqlite.execute(sql, parameters) as cursor:
                return cursor.rowcount

    async def _change_for_keys(self, sql: str, parameters: Sequence[object], keys: Sequence[str]) -> int:
        count = 0
        for part in chunks(keys):
            count += await self._change(f"{sql} ({placeholders(part)})", [*parameters, *part])
        return count

    async def _change_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._condition.explained():
            async with self._sqlite.executemany(sql, rows):
                pass


def chunks(keys: Sequence[str], values_each: int = 1) -> Iterator[Sequence[str]]:
    """Yield the keys in parts that fit into one statement, where each takes that many values of it."""
    size = MAX_PARAMETERS // values_each
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def placeholders(part: Sequence[str]) -> str:
    """Return `?,?,...` for that many values."""
    return ",".join("?" * len(part))
