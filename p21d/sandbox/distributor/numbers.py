"""The next numbers of P21's counters, each found in an index: what a new order, line, ticket or invoice is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database

FIRST_ORDER = 1_400_001
FIRST_TICKET = 2_100_001
FIRST_INVOICE = 3_000_001
FIRST_INVOICE_LINE_UID = 5_000_001


def next_number(database: Database, table: str, column: str, first: int = 1) -> int:
    """Return one more than the largest value of an indexed column, `first` in an empty table."""
    largest = database.connection.execute(f'SELECT max("{column}") FROM "{table}"').fetchone()[0]  # noqa: S608  # our own names
    return first if largest is None else int(largest) + 1


def next_order_no(database: Database) -> str:
    """Return the next order number: one more than that of the order made last, past all that are taken."""
    newest = database.connection.execute(
        "SELECT order_no FROM oe_hdr WHERE oe_hdr_uid IS NOT NULL ORDER BY oe_hdr_uid DESC LIMIT 1"
    ).fetchone()
    number = int(newest[0]) + 1 if newest and str(newest[0]).strip().isdigit() else FIRST_ORDER
    return _free(database, "oe_hdr", "order_no", number, digits=0)


def next_invoice_no(database: Database) -> str:
    """Return the next invoice number, with P21's leading zeros."""
    return _free(
        database, "invoice_hdr", "invoice_no", next_number(database, "invoice_hdr", "invoice_no", FIRST_INVOICE)
    )


def _free(database: Database, table: str, column: str, number: int, *, digits: int = 10) -> str:
    while database.count(table, {column: f"{number:0{digits}d}"}):
        number += 1
    return f"{number:0{digits}d}"
