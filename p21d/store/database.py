"""The store: one SQLite file, one writer, every write inside `transaction()`.

A transaction is committed with `synchronous=FULL` before the block ends, or rolled back whole. It is shielded from
cancellation, because cancelling the caller does not stop the statement that runs in SQLite's thread; a caller cancelled
while it waits for its turn still gets it, so that what the sink has acknowledged is remembered.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import aiosqlite
import anyio
import anyio.to_thread

from p21d.errors import StoreError
from p21d.store.backfill import Backfills, MetKeys
from p21d.store.backup import copy_store
from p21d.store.binding import StoredBinding
from p21d.store.checkpoint import Checkpoints
from p21d.store.cycle import Cycles, PausedEntities
from p21d.store.dead_letter import DeadLetters
from p21d.store.delivered import DeliveredRecords
from p21d.store.failure import explained
from p21d.store.inbox import Inboxes
from p21d.store.intent import Intents
from p21d.store.link import Links
from p21d.store.lock import StoreLock
from p21d.store.migrations import check_origin, migrate
from p21d.store.proof import ProofRows
from p21d.store.skipped import SkippedRows
from p21d.store.waiting import WaitingRows
from p21d.store.worked import WorkedTime

BUSY_SECONDS = 30.0
"""How long another process, such as an administrator's `sqlite3`, may hold SQLite's own lock."""


class Tables:
    """All tables of one p21d connection, on one SQLite connection."""

    def __init__(self, sqlite: aiosqlite.Connection, connection: str, path: Path) -> None:
        self.checkpoints = Checkpoints(sqlite, connection, path)
        self.backfills = Backfills(sqlite, connection, path)
        self.met = MetKeys(sqlite, connection, path)
        self.delivered = DeliveredRecords(sqlite, connection, path)
        self.links = Links(sqlite, connection, path)
        self.waiting = WaitingRows(sqlite, connection, path)
        self.worked = WorkedTime(sqlite, connection, path)
        self.dead_letters = DeadLetters(sqlite, connection, path)
        self.skipped = SkippedRows(sqlite, connection, path)
        self.cycles = Cycles(sqlite, connection, path)
        self.paused = PausedEntities(sqlite, connection, path)
        self.proofs = ProofRows(sqlite, connection, path)
        self.binding = StoredBinding(sqlite, connection, path)
        self.intents = Intents(sqlite, connection, path)
        self.inbox = Inboxes(sqlite, connection, path)


class Store:
    """What p21d remembers: `read` for queries, `transaction()` for every write.

    Use as an async context manager; entering opens and migrates the file, or raises StoreError, StoreFull,
    PermissionRefused or AlreadyRunning.
    """

    def __init__(self, path: Path, *, connection: str = "default") -> None:
        self.path = path
        self._connection = connection
        self._lock = StoreLock(path)
        self._writing = anyio.Lock()

    async def __aenter__(self) -> Self:
        # Shielded: a caller cancelled here would leave SQLite's threads and an open file behind.
        with anyio.CancelScope(shield=True), explained(self.path):
            async with AsyncExitStack() as opened:
                await self._open(opened)
                self._opened = opened.pop_all()
        self.read = Tables(self._reader, self._connection, self.path)
        self._write = Tables(self._writer, self._connection, self.path)
        return self

    async def _open(self, opened: AsyncExitStack) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        opened.callback(self._lock.release)
        create_file(self.path)
        self._writer = await connect(self.path)
        opened.push_async_callback(self._writer.close)
        await check_origin(self._writer, self.path)
        await make_durable(self._writer, self.path)
        await migrate(self._writer)
        self._reader = await connect(self.path)
        opened.push_async_callback(self._reader.close)
        await self._reader.execute_fetchall("PRAGMA query_only=ON")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True), explained(self.path):
            await self._opened.aclose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tables]:
        """Run the block as one transaction; raises StoreError or StoreFull when it cannot be kept.

        No network call stands inside: all writes of the daemon wait for it.
        """
        with anyio.CancelScope(shield=True):
            async with self._writing:
                try:
                    await self._run("BEGIN IMMEDIATE")
                    yield self._write
                    await self._run("COMMIT")
                except BaseException:
                    await self._roll_back()
                    raise

    async def _run(self, sql: str) -> None:
        with explained(self.path):
            await self._writer.execute_fetchall(sql)

    async def _roll_back(self) -> None:
        # Does nothing where SQLite has rolled back by itself, as it does on a full disk.
        with explained(self.path):
            await self._writer.rollback()

    async def backup(self, target: Path) -> None:
        """Copy the store into another file while it is in use; raises StoreError, StoreFull or PermissionRefused."""
        with explained(target):
            await anyio.to_thread.run_sync(copy_store, self.path, target)


def create_file(path: Path) -> None:
    """Create the file where it is missing, and raise OSError where it cannot be written.

    The system's words are clearer than SQLite's "unable to open database file"; and dead letters hold customers' data,
    which SQLite's own file mode, 0644, would show to everyone.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))


async def connect(path: Path) -> aiosqlite.Connection:
    """Open the file; transactions are begun and ended by us, never by the sqlite3 module."""
    sqlite = await aiosqlite.connect(path, isolation_level=None, timeout=BUSY_SECONDS, cached_statements=256)
    sqlite.row_factory = sqlite3.Row
    return sqlite


async def make_durable(sqlite: aiosqlite.Connection, path: Path) -> None:
    """Turn on WAL and `synchronous=FULL`; raises StoreError where the file system cannot do WAL."""
    row = next(iter(await sqlite.execute_fetchall("PRAGMA journal_mode=WAL")))
    if row[0] != "wal":
        raise StoreError(
            f"{path} cannot be kept safely there (journal {row[0]})", hint="keep the store on a local disk"
        )
    await sqlite.execute_fetchall("PRAGMA synchronous=FULL")
