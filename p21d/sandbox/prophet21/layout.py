"""Lay P21's tables out in SQLite: column types, indexes, and columns only where something was ever stored.

Why not all columns at once: P21's tables are up to 300 columns wide, and the nulls of the unused ones would be most of
the database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from p21d.sandbox.prophet21.schema import OTHER_INDEXES, Column, Table, load_tables

_SQL_TYPES = {
    "text": "TEXT COLLATE NOCASE",  # SQL Server's usual collation ignores case
    "whole": "INTEGER",
    "decimal": "TEXT COLLATE P21_DECIMAL",
    "integer": "INTEGER",
    "datetime": "TEXT",
    "binary": "BLOB",
}


class Layout:
    """Know which columns exist in SQLite, and add those that are needed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._held: dict[str, set[str]] = {}
        self._indexed = True
        for table in load_tables().values():
            known = {name for _, name, *_ in connection.execute(f'PRAGMA table_info("{table.name}")')}
            self._held[table.name] = known
            if not known:
                self._create(table, _early_columns(table))

    def holds(self, table: str, name: str) -> bool:
        """Say whether a column exists."""
        return name in self._held[table]

    def widen(self, name: str, columns: Sequence[str]) -> None:
        """Add the columns that are missing; raise KeyError for one P21's table does not have."""
        table = load_tables()[name]
        missing = [column for column in columns if column not in self._held[name]]
        unknown = [column for column in missing if column not in table.stored]
        if unknown:
            raise KeyError(f"{name} has no column {unknown[0]}")
        if len(missing) > 1 and self._empty(name):
            self._create_anew(table, missing)
            return
        for column in missing:
            self._connection.execute(f'ALTER TABLE "{name}" ADD COLUMN {_definition(table.stored[column])}')
            self._held[name].add(column)

    def drop_indexes(self) -> None:
        """Drop every index, for as long as much is inserted."""
        self._indexed = False
        for table in load_tables().values():
            for index in _indexes(table):
                self._connection.execute(f'DROP INDEX "{_index_name(table, index)}"')

    def create_indexes(self) -> None:
        """Create every index anew."""
        self._indexed = True
        for table in load_tables().values():
            self._index(table)
        # without it SQLite takes the key's index for (company_id, customer_id) and scans a whole company per term
        self._connection.execute("PRAGMA analysis_limit = 1000")
        self._connection.execute("ANALYZE")

    def _empty(self, name: str) -> bool:
        return self._connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() is None  # noqa: S608  # checked

    def _create_anew(self, table: Table, missing: list[str]) -> None:
        """Replace an empty table by a wider one, which costs a tenth of altering it column by column."""
        names = list(dict.fromkeys((*_early_columns(table), *sorted(self._held[table.name]), *missing)))
        self._connection.execute(f'DROP TABLE "{table.name}"')
        self._create(table, names)

    def _create(self, table: Table, names: list[str]) -> None:
        columns = ", ".join(_definition(table.stored[name]) for name in names)
        self._connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
        self._held[table.name].update(names)
        if self._indexed:
            self._index(table)

    def _index(self, table: Table) -> None:
        for index in _indexes(table):
            name = _index_name(table, index)
            self._connection.execute(f'CREATE INDEX "{name}" ON "{table.name}" ({", ".join(index)})')


def _early_columns(table: Table) -> list[str]:
    """Return what filters look at; it comes first in a row, which SQLite decodes only as far as it must."""
    names = dict.fromkeys((*table.key, *OTHER_INDEXES.get(table.name, ()), "date_last_modified", "delete_flag"))
    return [name for name in names if name in table.stored]


def _definition(column: Column) -> str:
    return f'"{column.name}" {_SQL_TYPES[column.kind]}'


def _index_name(table: Table, index: tuple[str, ...]) -> str:
    return "__".join((table.name, *index))


def _indexes(table: Table) -> list[tuple[str, ...]]:
    """Return the indexes; each key carries the stamp behind it, so a poll's page is found inside the index."""
    keys = [table.key, *((name,) for name in OTHER_INDEXES.get(table.name, ()))]
    if "date_last_modified" not in table.stored:
        return keys
    return [*((*key, "date_last_modified") for key in keys), ("date_last_modified",)]
