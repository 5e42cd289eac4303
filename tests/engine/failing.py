"""A store whose writer fails at its N-th statement, with the errors that SQLite gives for a disk that fails."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import aiosqlite

from p21d.store.database import Store, Tables


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail: SQLite's code and words; `lasts` until it is mended, `after` the statement was carried out."""

    code: int
    words: str
    lasts: bool = True
    after: bool = False

    def error(self) -> sqlite3.OperationalError:
        error = sqlite3.OperationalError(self.words)
        error.sqlite_errorcode, error.sqlite_errorname = self.code, self.words
        return error


FULL = Failure(sqlite3.SQLITE_FULL, "database or disk is full")
READ_ONLY = Failure(sqlite3.SQLITE_READONLY, "attempt to write a readonly database")
BROKEN = Failure(sqlite3.SQLITE_IOERR_WRITE, "disk I/O error", lasts=False)
AFTERWARDS = Failure(sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error", lasts=False, after=True)
"""The commit is in the file, and SQLite says it is not: the flush failed."""


class FailingWriter:
    """Passes statements on to the writer, and counts them: BEGIN, what writes, and COMMIT."""

    def __init__(self, sqlite: aiosqlite.Connection, failure: Failure, at: int) -> None:
        self._sqlite = sqlite
        self._failure = failure
        self._at = at
        self.count = 0
        self.fired: list[str] = []

    def _fails(self) -> bool:
        self.count += 1
        return self.count == self._at or (self._failure.lasts and self.count > self._at)

    async def execute_fetchall(self, sql: str, parameters: Any = ()) -> Any:
        if sql.startswith("SELECT"):
            return await self._sqlite.execute_fetchall(sql, parameters)
        if not self._fails():
            return await self._sqlite.execute_fetchall(sql, parameters)
        self.fired.append(sql)
        if self._failure.after and sql == "COMMIT":
            await self._sqlite.execute_fetchall(sql)
        raise self._failure.error()

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        self._check(sql)
        return self._sqlite.execute(sql, parameters)

    def executemany(self, sql: str, rows: Any) -> Any:
        self._check(sql)
        return self._sqlite.executemany(sql, rows)

    def _check(self, sql: str) -> None:
        if self._fails():
            self.fired.append(sql)
            raise self._failure.error()

    async def rollback(self) -> None:
        await self._sqlite.rollback()


def fail(store: Store, failure: Failure, at: int) -> FailingWriter:
    """Let the store's writer fail from its statement number `at` on."""
    writer = FailingWriter(store._writer, failure, at)
    use(store, writer)
    return writer


def mend(store: Store, writer: FailingWriter) -> None:
    """Let the store write again."""
    use(store, writer._sqlite)


def use(store: Store, writer: Any) -> None:
    store._writer = writer
    store._write = Tables(writer, "default", store.condition)
