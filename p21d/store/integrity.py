"""Whether a store's file is whole: the mark of a clean stop inside it, and SQLite's own check after any other.

The mark is a row of the file itself, cleared when it is opened and set when it is closed in order. So it cannot speak
of another file: a backup put in the store's place says that it was not closed, and is checked at its first start.

Why not always at the opening: the check reads the whole file, 1.5 s for 2,000,000 delivered keys (526 MB) that are in
memory, and as long as the disk takes where they are not. A small file is checked at once; a large one beside the
start, while nothing is read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import aiosqlite
import anyio
import anyio.to_thread
import structlog

from p21d.store.failure import damaged

log = structlog.get_logger("p21d.store")

CHECK_AT_ONCE_BYTES = 32_000_000
"""Up to this size the check takes a tenth of a second."""
MOST_FINDINGS = 5
WAL_SUFFIX = "-wal"
ROLLBACK_FORMAT = b"\x01\x01"
"""Read and write version in SQLite's header of a file that is not in WAL mode; source: sqlite.org/fileformat2.html."""


async def was_closed(sqlite: aiosqlite.Connection) -> bool:
    """Tell whether the store was closed in order; one that has no tables yet, was."""
    if not await _count(sqlite, "SELECT count(*) FROM sqlite_master"):
        return True
    if not await _count(sqlite, "SELECT count(*) FROM sqlite_master WHERE name = 'last_stop'"):
        return False
    return bool(await _count(sqlite, "SELECT clean FROM last_stop"))


async def mark(sqlite: aiosqlite.Connection, *, clean: bool) -> None:
    """Say durably in the file whether it is closed in order."""
    await sqlite.execute_fetchall("UPDATE last_stop SET clean = ?", (clean,))


async def _count(sqlite: aiosqlite.Connection, sql: str) -> int:
    rows = list(await sqlite.execute_fetchall(sql))
    return int(rows[0][0]) if rows else 0


def check(path: Path, opened: Callable[[sqlite3.Connection], None] = lambda _: None) -> None:
    """Read the whole file; raises StoreDamaged with what is broken. `opened` is given the connection, to interrupt."""
    with closing(sqlite3.connect(path, check_same_thread=False)) as sqlite:
        opened(sqlite)
        try:
            found = [str(row[0]) for row in sqlite.execute(f"PRAGMA quick_check({MOST_FINDINGS})")]
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise damaged(path, str(error)) from error
    if found != ["ok"]:
        raise damaged(path, "; ".join(" ".join(line.split()) for line in found))


async def check_beside(path: Path) -> None:
    """Check in a thread of its own, which a cancelled caller ends; raises StoreDamaged."""
    connections: list[sqlite3.Connection] = []
    try:
        await anyio.to_thread.run_sync(partial(check, path, connections.append), abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        for sqlite in connections:  # else the process could not end before the whole file is read
            with suppress(sqlite3.ProgrammingError):
                sqlite.interrupt()
        raise


def drop_foreign_wal(path: Path) -> None:
    """Remove the WAL of a store that another file has replaced: SQLite would write its pages into this one.

    A store in use is in WAL mode and says so in its header before it has a WAL; a backup of ours is not. So a WAL
    beside a file that is not in WAL mode is what `cp BACKUP STORE` after a kill has left.
    """
    wal = path.with_name(path.name + WAL_SUFFIX)
    if not (wal.exists() and wal.stat().st_size):
        return
    with path.open("rb") as file:
        header = file.read(20)
    if header.startswith(b"SQLite format 3\x00") and header[18:20] == ROLLBACK_FORMAT:
        wal.unlink()
        log.warning("left-over WAL removed", path=str(wal), because="it belonged to the store that was replaced")
