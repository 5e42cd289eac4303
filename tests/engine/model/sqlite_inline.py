"""SQLite without aiosqlite's thread: the same statements on the same file, in an order that never varies.

A thread per connection would let two statements that are under way at once end in either order, and no example of the
model could be run again. Each commit is two steps: the process may end just before it and just after it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import aiosqlite
import anyio.lowlevel

from tests.engine.model.tempo import Tempo


class InlineConnection(aiosqlite.Connection):
    """An aiosqlite connection that runs each statement where it stands."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], tempo: Tempo) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._tempo = tempo

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        return self._connect().__await__()

    async def _connect(self) -> aiosqlite.Connection:
        self._connection = self._connector()
        return self

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        commits = bool(args) and args[0] == "COMMIT"
        if commits:
            self._tempo.step("about to commit")
        await anyio.lowlevel.checkpoint()
        self._tempo.check()
        result = fn(*args, **kwargs)
        if commits:
            self._tempo.committed()
            self._tempo.step("committed")
        return result

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()  # what was not committed is rolled back, as after a kill
            self._connection = None


def connector_for(tempo: Tempo) -> Callable[..., InlineConnection]:
    """Return what stands in for `aiosqlite.connect`."""

    def connect(path: Path, **options: Any) -> InlineConnection:
        return InlineConnection(lambda: sqlite3.connect(path, **options), tempo)

    return connect
