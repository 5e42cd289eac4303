"""What a failure of the store means: SQLite's and the system's errors turned into ours.

SQLite's result codes decide, not its words: the words of two codes may share one, and differ between builds.
Source: https://www.sqlite.org/rescode.html.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from p21d.errors import P21dError, PermissionRefused, StoreDamaged, StoreError, StoreFull

PRIMARY_CODE = 0xFF
"""The bits of an extended result code that hold its primary code."""

OWNER_HINT = "the service user must own store.path and its folder"
ROOM_HINT = "free disk space; nothing is lost, reading waits"
DISK_HINT = "look for disk errors or a quota in the system's log"


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors about this file into ours, with what the operator can do."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path) from error
    except OSError as error:
        raise explain_system(error, path) from error


def explain(error: sqlite3.Error, path: Path) -> P21dError:
    """Return our error for one of SQLite's; one that SQLite's own module raises has no code."""
    code = getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_ERROR
    words = f"{error} ({name})" if (name := getattr(error, "sqlite_errorname", "")) else str(error)
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return StoreError(f"the store {path} was moved or removed while in use", hint="put it back and start again")
    # -shm could not grow: the one full disk that SQLite does not report as SQLITE_FULL.
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:
        return StoreFull(f"no room left for the store {path}: {words}", hint=ROOM_HINT)
    return explain_primary(code & PRIMARY_CODE, words, path)


def explain_primary(code: int, words: str, path: Path) -> P21dError:
    """Return our error for a primary result code."""
    match code:
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"no room left for the store {path}: {words}", hint=ROOM_HINT)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return PermissionRefused(f"the store {path} is read-only: {words}", hint=OWNER_HINT)
        case sqlite3.SQLITE_CANTOPEN:
            return StoreError(f"the store {path} cannot be opened: {words}", hint=f"check store.path; {OWNER_HINT}")
        case sqlite3.SQLITE_NOTADB:
            hint = f"where it never was one, let store.path name another file; where it was: {mending(path)}"
            return StoreError(f"{path} is not a store of p21d: {words}", hint=hint)
        case sqlite3.SQLITE_CORRUPT:
            return damaged(path, words)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(f"another program holds the store {path}: {words}", hint="end that program")
        case sqlite3.SQLITE_IOERR:
            return StoreError(f"the disk of the store {path} fails: {words}", hint=DISK_HINT)
        case _:
            return StoreError(f"the store {path} fails: {words}")


def damaged(path: Path, words: str) -> StoreDamaged:
    """Return the error of a broken file, with what to type."""
    return StoreDamaged(f"the store {path} is damaged: {words}", hint=mending(path))


def mending(path: Path) -> str:
    """Return what to type where the file at `path` is broken, and what it costs."""
    return (
        f"stop p21d; with a backup: cp BACKUP {path}; without one, begin anew: mv {path} {path}.damaged; in both cases "
        f"then: rm -f {path}-wal {path}-shm, and start p21d. Nothing of Prophet 21 and the hub is lost: what is not "
        "remembered is read and compared again, its links are looked up, and orders.not_before and the look-up in "
        "Prophet 21 keep an order from being written twice; forgotten are dead letters, pauses and decisions on orders"
    )


def explain_system(error: OSError, path: Path) -> P21dError:
    """Return our error for one of the operating system's."""
    words = error.strerror or str(error)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return PermissionRefused(f"{path}: {words}", hint=OWNER_HINT)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StoreFull(f"no room left for {path}: {words}", hint=ROOM_HINT)
    return StoreError(f"{path}: {words}", hint="check store.path")
