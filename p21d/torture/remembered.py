"""What a daemon's store says, read from outside: why rows are not in the hub, and how far each watermark is.

Read from the file and not asked for, because a daemon that was just killed answers nothing; and past the store's own
classes, because what is proven here must not lean on them.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

FATES = ("dead_letter", "skipped", "waiting")
_OPEN = {"dead_letter": "closed_at IS NULL"}


class Remembered:
    """One store file; every question opens it anew, read only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def explained(self) -> dict[str, dict[str, str]]:
        """Return by entity and key why a row is not delivered: an open dead letter, a skip, or that it waits."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for table in FATES:
            for entity, key in self._ask(f"SELECT entity, key FROM {table} WHERE {_OPEN.get(table, '1')}"):  # noqa: S608  # our own names
                found[entity][key.strip()] = table
        return found

    def waiting(self) -> dict[str, list[str]]:
        """Return by entity the keys that wait for a parent or for their next try, not those that are only due."""
        found: dict[str, list[str]] = defaultdict(list)
        for entity, key in self._ask("SELECT entity, key FROM waiting WHERE parent_entity <> '' OR attempts > 0"):
            found[entity].append(key)
        return found

    def watermarks(self) -> dict[str, int]:
        """Return the watermark of each entity and trigger, in milliseconds since 1970."""
        return dict(self._ask("SELECT entity, watermark_at FROM checkpoint"))

    def unfinished(self) -> list[str]:
        """Return the windows and backfills that are open; polls always may be."""
        windows = self._ask("SELECT entity, kind FROM open_window WHERE kind <> 'poll'")
        backfills = self._ask("SELECT entity, 'backfill' FROM backfill WHERE opened_at IS NOT NULL")
        return [f"{entity} {kind}" for entity, kind in (*windows, *backfills)]

    def _ask(self, sql: str) -> list[Any]:
        with self._open() as sqlite:
            return sqlite.execute(sql).fetchall() if sqlite is not None else []

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        if not self._path.exists():  # killed before it made one
            yield None
            return
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=10)) as sqlite:
            if sqlite.execute("SELECT count(*) FROM sqlite_master WHERE name = 'checkpoint'").fetchone()[0]:
                yield sqlite
            else:
                yield None
