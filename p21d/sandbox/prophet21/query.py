"""Read the query options of one OData request and run it: `$filter $select $orderby $top $skip $count`.

The page is built inside SQLite as JSON text, one text per row: a decimal keeps every digit, and 1,000 rows of 20
columns cost a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from p21d.sandbox.prophet21.database import Database
from p21d.sandbox.prophet21.filter import Condition, compile_filter
from p21d.sandbox.prophet21.filter_grammar import QueryRefused
from p21d.sandbox.prophet21.schema import VIEW_EXPRESSIONS, Column, Table
from p21d.sandbox.prophet21.settings import Settings

_OPTIONS = {"$filter", "$select", "$orderby", "$top", "$skip", "$count", "$format"}


@dataclass
class Page:
    """The rows of one answer as JSON texts, and the count of all matching rows when it was asked for."""

    rows: list[bytes] = field(default_factory=list)
    count: int | None = None


class Reader:
    """Read one table on one surface under the settings of now."""

    def __init__(self, table: Table, surface: str, settings: Settings, database: Database) -> None:
        hidden = settings.missing_columns.get(table.name, set())
        offered = table.stored if surface == "table" else table.viewed
        self.table = table
        self.columns = {name: column for name, column in offered.items() if name not in hidden}
        self._settings = settings
        self._database = database

    def column(self, name: str) -> Column:
        """Return a column by its exact name; raise `QueryRefused` as P21 does for any other."""
        column = self.columns.get(name)
        if column is None:
            known = self._settings.name_unknown_columns
            raise QueryRefused(f"Could not find a property named '{name}' on type 'dbo.{self.table.name}'" * known)
        return column

    def expression(self, column: Column) -> str:
        """Return the SQL of a column; what only the view has is joined in or null."""
        if column.view_only:
            return VIEW_EXPRESSIONS.get(column.name, "NULL")
        return f't."{column.name}"' if self._database.holds(self.table.name, column.name) else "NULL"

    def wall_time(self, literal: datetime) -> datetime:
        """Return a time literal as naive server-local time, as the settings say this server reads it."""
        if literal.tzinfo is not None:
            return self._database.time.local(literal) if self._settings.literal_zone == "converted" else _bare(literal)
        return literal

    @property
    def rounds_literals(self) -> bool:
        """Say whether a literal is brought to a 1/300 s tick before it is compared."""
        return self._settings.literal_fraction == "rounded"

    @property
    def accepts_zoneless(self) -> bool:
        """Say whether a date-time literal may stand without a zone."""
        return self._settings.zoneless_literal == "accepted"

    def read(self, options: Mapping[str, str]) -> Page:
        """Answer one request; raise `QueryRefused` for anything P21 answers 404."""
        unknown = [name for name in options if name.startswith("$") and name not in _OPTIONS]
        if unknown:
            raise QueryRefused(f"The query parameter '{unknown[0]}' is not supported.")
        row = self._row_sql(options.get("$select"))
        order = self._order_sql(options.get("$orderby"))
        limit, skip = _whole(options, "$top"), _whole(options, "$skip") or 0
        self._database.time.zone()  # takes over a zone that was just set
        condition = compile_filter(options["$filter"], self) if "$filter" in options else Condition()
        connection = self._database.connection
        source = f'FROM "{self.table.name}" t WHERE {condition.sql}'
        count = None
        if options.get("$count", "").lower() == "true":
            count = int(connection.execute(f"SELECT COUNT(*) {source}", condition.values).fetchone()[0])
        sql = f"SELECT CAST({row} AS BLOB) {source}{order} LIMIT ? OFFSET ?"
        found = connection.execute(sql, [*condition.values, self._capped(limit), skip])
        return Page([text for (text,) in found], count)

    def _capped(self, limit: int | None) -> int:
        cap = self._settings.page_cap
        if cap is None:
            return -1 if limit is None else limit
        return cap if limit is None else min(limit, cap)

    def _row_sql(self, select: str | None) -> str:
        names = list(self.columns)
        if select is not None and select.strip() != "*":
            names = list(dict.fromkeys(name.strip() for name in select.split(",")))
        parts: list[str] = []
        for name in names:
            parts += [f"""'{"," if parts else "{"}"{name}":'""", self._value_sql(self.column(name))]
        return _concatenated([*parts, "'}'"])

    def _value_sql(self, column: Column) -> str:
        sql = self.expression(column)
        if sql == "NULL":
            return "'null'"
        if column.kind == "text":
            return f"json_quote({sql})"
        if column.kind == "datetime":
            offset = f"p21_offset(substr({sql}, 1, 13))"
            return f"""CASE WHEN {sql} IS NULL THEN 'null' ELSE '"' || {sql} || {offset} || '"' END"""
        return f"ifnull({sql}, 'null')"

    def _order_sql(self, orderby: str | None) -> str:
        if orderby is None:
            return ""
        terms = []
        for term in orderby.split(","):
            name, _, direction = term.strip().partition(" ")
            if direction.strip().lower() not in {"", "asc", "desc"}:
                raise QueryRefused(f"Syntax error at position {orderby.index(direction.strip())}")
            terms.append(f"{self.expression(self.column(name))} {direction}")
        return f" ORDER BY {', '.join(terms)}"


def _whole(options: Mapping[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise QueryRefused(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _concatenated(parts: list[str]) -> str:
    """Join SQL texts as a balanced tree: a row of 300 columns stays within SQLite's expression depth."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_concatenated(parts[:middle])} || {_concatenated(parts[middle:])})"


def _bare(literal: datetime) -> datetime:
    return literal.replace(tzinfo=None)
