"""The SQLite database behind the simulated P21, and direct access to it for tests and the distributor's life.

Decimals with a fraction are kept as the exact text P21 prints (with SQL Server's trailing zeros) under a collation
that compares them as numbers; ids are integers; times are texts as `wall_time` describes.

Why one connection on the event loop: a page of 1,000 rows takes a few milliseconds, and a row changed between two
pages is then exactly the race a client meets, never half a change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from p21d.sandbox.prophet21.layout import Layout
from p21d.sandbox.prophet21.schema import load_tables
from p21d.sandbox.prophet21.wall_time import WallTime


class Database:
    """Create and change the tables of the simulated P21; `connection` is the plain sqlite3 connection."""

    def __init__(self, path: Path | str, time: WallTime) -> None:
        self.time = time
        # The demo seeds in a worker thread and then serves; the two never use the connection at once.
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-65536", "temp_store=MEMORY"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.create_collation("P21_DECIMAL", _compare_decimals)
        self.connection.create_function("p21_offset", 1, time.offsets.__getitem__)
        self._layout = Layout(self.connection)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def holds(self, table: str, name: str) -> bool:
        """Say whether a column was ever filled; the others are null in every row."""
        return self._layout.holds(table, name)

    @property
    def empty(self) -> bool:
        """Say whether nothing was seeded yet."""
        return self.count("company") == 0

    def change(self, table: str, key: dict[str, Any], /, *, stamp: bool = True, **columns: Any) -> int:
        """Set columns of the rows that match `key` and return how many there were.

        `date_last_modified` becomes P21's local now, unless it is among `columns` or `stamp` is False.
        """
        if stamp:
            columns = self._stamped(table, columns)
        if not columns:
            return 0
        self._layout.widen(table, tuple(columns))
        assignments = ", ".join(f'"{name}" = ?' for name in columns)
        condition, values = self._condition(table, key)
        cursor = self.connection.execute(
            f'UPDATE "{table}" SET {assignments} WHERE {condition}',  # noqa: S608  # names checked against the schema
            [*map(self._value, columns.values()), *values],
        )
        return cursor.rowcount

    def insert(self, table: str, /, **columns: Any) -> None:
        """Add one row, stamped with P21's local now unless `date_last_modified` is given."""
        columns = self._stamped(table, columns)
        self.insert_many(table, tuple(columns), [tuple(map(self._value, columns.values()))])

    def insert_many(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add rows given in stored form, in one transaction."""
        self._layout.widen(table, names)
        columns = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        with self.transaction():
            self.connection.executemany(
                f'INSERT INTO "{table}" ({columns}) VALUES ({marks})',  # noqa: S608  # names checked
                rows,
            )

    def delete(self, table: str, key: dict[str, Any]) -> int:
        """Make rows vanish for good and return how many."""
        condition, values = self._condition(table, key)
        return self.connection.execute(f'DELETE FROM "{table}" WHERE {condition}', values).rowcount  # noqa: S608

    def rows(self, table: str, where: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return matching rows in key order, in stored form, with every column that was ever filled."""
        condition, values = self._condition(table, where or {})
        order = ", ".join(load_tables()[table].key)
        cursor = self.connection.execute(f'SELECT * FROM "{table}" WHERE {condition} ORDER BY {order}', values)  # noqa: S608
        names = [part[0] for part in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def count(self, table: str, where: dict[str, Any] | None = None) -> int:
        """Return how many rows match."""
        condition, values = self._condition(table, where or {})
        return int(self.connection.execute(f'SELECT COUNT(*) FROM "{table}" WHERE {condition}', values).fetchone()[0])  # noqa: S608

    def transaction(self) -> _Transaction:
        """Group writes; nests by joining the outer one."""
        return _Transaction(self.connection)

    @contextmanager
    def bulk_load(self) -> Iterator[None]:
        """Group very many inserts: one transaction, and the indexes built once behind them, in half the time."""
        with self.transaction():
            self._layout.drop_indexes()
            yield
            self._layout.create_indexes()

    def _stamped(self, table: str, columns: dict[str, Any]) -> dict[str, Any]:
        if "date_last_modified" in columns or "date_last_modified" not in load_tables()[table].stored:
            return columns
        return {**columns, "date_last_modified": self.time.text(self.time.now())}

    def _condition(self, table: str, where: dict[str, Any]) -> tuple[str, list[Any]]:
        self._layout.widen(table, tuple(where))
        parts = [f'"{name}" IS ?' for name in where]
        return " AND ".join(parts) or "1", [self._value(value) for value in where.values()]

    def _value(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return self.time.text(value)
        return str(value) if isinstance(value, Decimal) else value


class _Transaction:
    """BEGIN and COMMIT, or nothing inside an open transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._outer = not connection.in_transaction

    def __enter__(self) -> None:
        if self._outer:
            self._connection.execute("BEGIN")

    def __exit__(self, failure: type[BaseException] | None, *_rest: object) -> None:
        if self._outer:
            self._connection.execute("ROLLBACK" if failure else "COMMIT")


def _compare_decimals(one: str, other: str) -> int:
    left, right = Decimal(one), Decimal(other)
    return (left > right) - (left < right)
