"""The sandbox hub's records and links in SQLite.

A write is one transaction: a refusal anywhere in it rolls back the record, its children and all links.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from p21d.sandbox.hub.declaration import RecordType
from p21d.sandbox.hub.record_types import RECORD_TYPES

# A lost power cord may cost the sandbox its data, so nothing is synced. The journal stays (in memory): with
# journal_mode=OFF a ROLLBACK is undefined, and a refused POST would leave half a record behind.
_SCHEMA = """
PRAGMA journal_mode=MEMORY;
PRAGMA synchronous=OFF;
CREATE TABLE IF NOT EXISTS record (
  row INTEGER PRIMARY KEY, type TEXT NOT NULL, id INTEGER NOT NULL, parent INTEGER, active INTEGER NOT NULL,
  writes INTEGER NOT NULL, created_at REAL NOT NULL, body TEXT NOT NULL, UNIQUE (type, id));
CREATE INDEX IF NOT EXISTS record_parent ON record (parent) WHERE parent IS NOT NULL;
CREATE TABLE IF NOT EXISTS unique_value (
  type TEXT NOT NULL, rule TEXT NOT NULL, value TEXT NOT NULL, row INTEGER NOT NULL,
  PRIMARY KEY (type, rule, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_value_row ON unique_value (row);
CREATE TABLE IF NOT EXISTS link (
  id INTEGER PRIMARY KEY, table_name TEXT NOT NULL, system_id INTEGER NOT NULL, external_id TEXT NOT NULL,
  row INTEGER NOT NULL, UNIQUE (table_name, system_id, external_id));
CREATE INDEX IF NOT EXISTS link_row ON link (row);
CREATE TABLE IF NOT EXISTS persistent (
  system_id INTEGER NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (system_id, name));
"""
_SELECT = "SELECT row, type, id, parent, active, writes, created_at, body FROM record WHERE "


@dataclass(slots=True)
class Stored:
    """One record as it is kept: `row` is the sandbox's own key, `id` the hub's id within its type."""

    row: int
    kind: RecordType
    id: int
    parent: int | None
    active: bool
    writes: int
    created_at: float
    body: dict[str, Any]


class Database:
    """Keep records; every statement of the sandbox runs on its one connection, in the event loop's thread."""

    def __init__(self, path: Path | str) -> None:
        # A test may build the hub in one thread and serve it in another; they never use it at once.
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        self.connection.executescript(_SCHEMA)
        self.connection.create_function("hub_text", 1, _comparable, deterministic=True)
        self._last_ids: dict[str, int] = dict(self.rows("SELECT type, max(id) FROM record GROUP BY type"))

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is done inside, or nothing of it."""
        self.connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return all rows of a statement as tuples."""
        return self.connection.execute(statement, values).fetchall()

    def scalar(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, or None."""
        found = self.connection.execute(statement, values).fetchone()
        return found[0] if found else None

    def insert(self, kind: RecordType, body: dict[str, Any], *, parent: Stored | None, created_at: float) -> Stored:
        """Keep a new active record under the next id of its type."""
        record_id = self._last_ids.get(kind.name, kind.first_id - 1) + 1
        self._last_ids[kind.name] = record_id
        owner = parent.row if parent else None
        cursor = self.connection.execute(
            "INSERT INTO record (type, id, parent, active, writes, created_at, body) VALUES (?, ?, ?, 1, 1, ?, ?)",
            (kind.name, record_id, owner, created_at, encode(body)),
        )
        return Stored(cursor.lastrowid or 0, kind, record_id, owner, True, 1, created_at, body)  # noqa: FBT003  # active

    def save(self, record: Stored) -> None:
        """Keep a record's new body, and that it is active, as one more write."""
        self.connection.execute(
            "UPDATE record SET body = ?, active = 1, writes = writes + 1 WHERE row = ?",
            (encode(record.body), record.row),
        )

    def set_active(self, record: Stored, *, active: bool) -> None:
        """Deactivate or reactivate a record; its unique values and links stay."""
        self.connection.execute("UPDATE record SET active = ?, writes = writes + 1 WHERE row = ?", (active, record.row))

    def remove(self, record: Stored) -> None:
        """Remove a child with its links and unique values."""
        for table in ("link", "unique_value", "record"):
            self.connection.execute(f"DELETE FROM {table} WHERE row = ?", (record.row,))  # noqa: S608  # three constants

    def get(self, type_name: str, record_id: int) -> Stored | None:
        """Return the record with the hub's id, or None."""
        return self._one("type = ? AND id = ?", (type_name, record_id))

    def at(self, row: int | None) -> Stored | None:
        """Return the record at the sandbox's own key, or None."""
        return self._one("row = ?", (row,))

    def children(self, parent: Stored) -> list[Stored]:
        """Return all children of a record, inactive ones too, in the order they came."""
        return self.select("parent = ? ORDER BY row", (parent.row,))

    def select(self, where: str, values: Sequence[Any]) -> list[Stored]:
        """Return the records that meet a condition."""
        return [_stored(found) for found in self.rows(_SELECT + where, values)]

    def _one(self, where: str, values: Sequence[Any]) -> Stored | None:
        found = self.connection.execute(_SELECT + where, values).fetchone()
        return _stored(found) if found else None


def comparable(text: str) -> str:
    """Return text as the hub compares it."""
    return text.rstrip().casefold()


def encode(value: Any) -> str:
    """Return JSON text."""
    return msgspec.json.encode(value).decode()


def _comparable(value: Any) -> str | None:
    return None if value is None else comparable(str(value))


def _stored(found: tuple[Any, ...]) -> Stored:
    row, type_name, record_id, parent, active, writes, created_at, body = found
    kind = RECORD_TYPES[type_name]
    return Stored(row, kind, record_id, parent, bool(active), writes, created_at, msgspec.json.decode(body))
