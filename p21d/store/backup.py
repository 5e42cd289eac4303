"""Copying a store that is in use, with SQLite's online backup (https://www.sqlite.org/backup.html).

Why a connection of its own and one single step: on the daemon's reader the copy would hold up every query, and a copy
in several steps begins again whenever the writer commits.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from p21d.errors import StoreError

OWNER_ONLY = 0o600


def copy_store(source: Path, target: Path) -> None:
    """Copy the file at `source`; `target` appears when it is whole, in place of what stood there."""
    if target.exists() and target.samefile(source):
        raise StoreError(f"{target} is the store itself", hint="name another file for the backup")
    partial = target.with_name(target.name + ".partial")
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, OWNER_ONLY))
    try:
        with closing(sqlite3.connect(source)) as store, closing(sqlite3.connect(partial)) as copy:
            store.backup(copy)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
