"""Copying a store that is in use, with SQLite's online backup (https://www.sqlite.org/backup.html).

The copy is one file that needs no other: not in WAL mode, and marked as not closed, so that a store restored from it is
checked at its first start. It is checked here too, before it takes the place of an older backup.

Why a connection of its own and one single step: on the daemon's reader the copy would hold up every query, and a copy
in several steps begins again whenever the writer commits.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from p21d.errors import StoreError, StoreFull
from p21d.store.integrity import check
from p21d.store.migrations import APPLICATION_ID

OWNER_ONLY = 0o600
PARTIAL_SUFFIX = ".partial"
HEADER_BYTES = 100
"""SQLite's header; the application id stands in its bytes 68 to 71 (https://www.sqlite.org/fileformat2.html)."""


def copy_store(source: Path, target: Path) -> None:
    """Copy the file at `source`; `target` appears when it is whole, in place of what stood there."""
    if target.exists() and target.samefile(source):
        raise StoreError(f"{target} is the store itself", hint="name another file for the backup")
    partial = partial_of(target)
    try:
        # SQLite would create a store where there is none
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as store,
            closing(sqlite3.connect(partial)) as copy,
        ):
            store.backup(copy)
            finish(copy)
        check(partial)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def check_room_for_copy(source: Path, min_free_bytes: int) -> None:
    """Raise StoreFull where a copy beside the file at `source` would leave less than that much free."""
    needed, free = source.stat().st_size, shutil.disk_usage(source.parent).free
    if free - needed < min_free_bytes:
        missing_mb = -(-(needed + min_free_bytes - free) // 1_000_000)
        hint = f"free {missing_mb} MB there; or stop p21d: then p21d backup needs no copy beside it"
        raise StoreFull(f"no room for a copy beside {source}", hint=hint)


def partial_of(target: Path) -> Path:
    """Create, for the owner alone, the empty file that becomes `target` once it is whole."""
    partial = target.with_name(target.name + PARTIAL_SUFFIX)
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, OWNER_ONLY))
    return partial


def finish(copy: sqlite3.Connection) -> None:
    """Make a copy one single file that says it was not closed."""
    copy.execute("PRAGMA journal_mode=DELETE")
    if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'last_stop'").fetchone():
        copy.execute("UPDATE last_stop SET clean = 0")
        copy.commit()


def refuse_other_files(target: Path) -> None:
    """Raise StoreError where something stands at `target` that is no store of p21d: a slip must not cost a file."""
    if not target.exists():
        return
    if target.is_dir():
        raise StoreError(f"{target} is a folder", hint="name a file for the backup")
    with target.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if header and int.from_bytes(header[68:72]) != APPLICATION_ID:
        hint = "name another file; only an older backup is replaced"
        raise StoreError(f"{target} is no backup of p21d and is left alone", hint=hint)
