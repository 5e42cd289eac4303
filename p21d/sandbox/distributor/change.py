"""What the life of the distributor did to a row, and the small things every step of it needs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database

ZERO = Decimal(0)


class Change(msgspec.Struct, frozen=True):
    """Say what was done to one row; it carries the stamp of that moment."""

    table: str
    key: dict[str, Any]
    what: str


class Pen:
    """Change and add rows under one stamp, and keep the list of it."""

    def __init__(self, database: Database, stamp: str) -> None:
        self.database = database
        self.stamp = stamp
        self.changes: list[Change] = []

    def change(self, table: str, key: dict[str, Any], what: str, **columns: Any) -> None:
        """Set columns of one row and stamp it; decimals are stored with nine places."""
        stored: dict[str, Any] = {name: _stored(value) for name, value in columns.items()}
        self.database.change(table, key, date_last_modified=self.stamp, **stored)
        self.changes.append(Change(table, key, what))

    def add(self, table: str, key: dict[str, Any], **columns: Any) -> None:
        """Add one row, stamped."""
        self.database.insert(table, **key, **columns, **made(self.stamp))
        self.changes.append(Change(table, key, "new"))


def made(stamp: str) -> dict[str, str]:
    """Return the columns that tell who made a row and when."""
    return {
        "date_created": stamp,
        "date_last_modified": stamp,
        "created_by": "admin",
        "last_maintained_by": "admin",
    }


def exact(number: Decimal, *, places: int = 9) -> str:
    """Return a decimal as P21 prints it."""
    return f"{number:.{places}f}"


def _stored(value: Any) -> Any:
    return exact(value) if isinstance(value, Decimal) else value


def amount(row: dict[str, Any], column: str) -> Decimal:
    """Return a stored decimal, zero for null."""
    return Decimal(row.get(column) or 0)
