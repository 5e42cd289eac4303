"""The store: one SQLite file, one writer, every write inside `transaction()`.

A transaction is committed with `synchronous=FULL` before the block ends, or rolled back whole. It is shielded from
cancellation, because cancelling the caller does not stop the statement that runs in SQLite's thread; a caller cancelled
while it waits for its turn still gets it, so that what the sink has acknowledged is remembered.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import aiosqlite
import anyio
import anyio.to_thread
import structlog

from p21d.errors import StoreError
from p21d.store.backfill import Backfills, MetKeys
from p21d.store.backup import PARTIAL_SUFFIX, check_room_for_copy, copy_store
from p21d.store.binding import StoredBinding
from p21d.store.checkpoint import Checkpoints
from p21d.store.condition import Condition
from p21d.store.cycle import Cycles, PausedEntities
from p21d.store.dead_letter import DeadLetters
from p21d.store.delivered import DeliveredRecords
from p21d.store.failure import explained
from p21d.store.inbox import Inboxes
from p21d.store.integrity import CHECK_AT_ONCE_BYTES, check, check_beside, drop_foreign_wal, mark, was_closed
from p21d.store.intent import Intents
from p21d.store.link import Links
from p21d.store.lock import StoreLock
from p21d.store.migrations import check_origin, migrate
from p21d.store.proof import ProofRows
from p21d.store.skipped import SkippedRows
from p21d.store.steps import FinishedSteps
from p21d.store.waiting import WaitingRows
from p21d.store.worked import WorkedTime

log = structlog.get_logger("p21d.store")

BUSY_SECONDS = 30.0
"""How long another process, such as an administrator's `sqlite3`, may hold SQLite's own lock."""
COPY_SUFFIX = ".copy"
"""What the name of a copy has behind the store's, while it is sent."""


class Tables:
    """All tables of one p21d connection, on one SQLite connection."""

    def __init__(self, sqlite: aiosqlite.Connection, connection: str, condition: Condition) -> None:
        self.checkpoints = Checkpoints(sqlite, connection, condition)
        self.backfills = Backfills(sqlite, connection, condition)
        self.met = MetKeys(sqlite, connection, condition)
        self.delivered = DeliveredRecords(sqlite, connection, condition)
        self.links = Links(sqlite, connection, condition)
        self.waiting = WaitingRows(sqlite, connection, condition)
        self.worked = WorkedTime(sqlite, connection, condition)
        self.dead_letters = DeadLetters(sqlite, connection, condition)
        self.skipped = SkippedRows(sqlite, connection, condition)
        self.cycles = Cycles(sqlite, connection, condition)
        self.paused = PausedEntities(sqlite, connection, condition)
        self.proofs = ProofRows(sqlite, connection, condition)
        self.binding = StoredBinding(sqlite, connection, condition)
        self.intents = Intents(sqlite, connection, condition)
        self.steps = FinishedSteps(sqlite, connection, condition)
        self.inbox = Inboxes(sqlite, connection, condition)


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
        self._checking = anyio.Lock()
        self._copying = anyio.Lock()
        self.condition = Condition(path)

    async def __aenter__(self) -> Self:
        # Shielded: a caller cancelled here would leave SQLite's threads and an open file behind.
        with anyio.CancelScope(shield=True), self.condition.explained():
            async with AsyncExitStack() as opened:
                await self._open(opened)
                self._opened = opened.pop_all()
        self.read = Tables(self._reader, self._connection, self.condition)
        self._write = Tables(self._writer, self._connection, self.condition)
        return self

    async def _open(self, opened: AsyncExitStack) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        opened.callback(self._lock.release)
        create_file(self.path)
        for left in (COPY_SUFFIX, COPY_SUFFIX + PARTIAL_SUFFIX):  # of a copy that was cut short by a kill
            self.path.with_name(self.path.name + left).unlink(missing_ok=True)
        drop_foreign_wal(self.path)
        self._writer = await connect(self.path)
        opened.push_async_callback(self._writer.close)
        await check_origin(self._writer, self.path)
        await make_durable(self._writer, self.path)
        await self._check_unless_closed()
        await migrate(self._writer)
        await mark(self._writer, clean=False)
        opened.push_async_callback(self._mark_clean)
        self._reader = await connect(self.path)
        opened.push_async_callback(self._reader.close)
        await self._reader.execute_fetchall("PRAGMA query_only=ON")

    async def _check_unless_closed(self) -> None:
        """Check the file after an unclean stop; a large one is left to `until_checked`."""
        if await was_closed(self._writer):
            return
        if self.path.stat().st_size > CHECK_AT_ONCE_BYTES:
            self.condition.unchecked = True
            return
        await anyio.to_thread.run_sync(check, self.path)

    async def until_checked(self) -> None:
        """Return when the file is known to be whole; raises StoreDamaged. Only a large one, not closed, takes time."""
        async with self._checking:
            if self.condition.unchecked:
                log.warning("store not closed", path=str(self.path), note="it is being checked, reading waits")
                with self.condition.explained():
                    await check_beside(self.path)
                self.condition.unchecked = False
                log.info("store checked", path=str(self.path))

    async def _mark_clean(self) -> None:
        # a mark that cannot be written costs a check at the next start, no more
        with suppress(sqlite3.Error):
            if self.condition.good:
                await mark(self._writer, clean=True)

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
                self.condition.refuse_damage()
                try:
                    await self._run("BEGIN IMMEDIATE")
                    yield self._write
                    await self._run("COMMIT")
                except BaseException:
                    await self._roll_back()
                    raise

    async def _run(self, sql: str) -> None:
        with self.condition.explained():
            await self._writer.execute_fetchall(sql)

    async def _roll_back(self) -> None:
        # Does nothing where SQLite has rolled back by itself, as it does on a full disk.
        with explained(self.path):
            await self._writer.rollback()

    @asynccontextmanager
    async def copied(self, min_free_bytes: int = 0) -> AsyncIterator[Path]:
        """Keep a copy of the store beside it while the block runs; raises StoreFull where there is no room for two."""
        copy = self.path.with_name(self.path.name + COPY_SUFFIX)
        async with self._copying:
            check_room_for_copy(self.path, min_free_bytes)
            try:
                await self.backup(copy)
                yield copy
            finally:
                copy.unlink(missing_ok=True)

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
