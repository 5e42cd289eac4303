"""Moves the stock of inv_loc under an order: taken for a line, given back, shipped; goods arrive where it is short."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from p21d.sandbox.distributor.change import ZERO, Pen, amount


def take(pen: Pen, line: dict[str, Any], wanted: Decimal) -> Decimal:
    """Allocate as much of what is wanted as there is, in base units, and return it."""
    row = _row(pen, line)
    if row is None:
        return wanted
    taken = max(ZERO, min(wanted, amount(row, "qty_on_hand") - amount(row, "qty_allocated")))
    if taken:
        _move(pen, row, "allocated", qty_allocated=amount(row, "qty_allocated") + taken)
    return taken


def arrive(pen: Pen, line: dict[str, Any], quantity: Decimal) -> None:
    """Let so much come in that this quantity is free."""
    row = _row(pen, line)
    if row is not None:
        _move(pen, row, "goods arrived", qty_on_hand=amount(row, "qty_allocated") + quantity)


def give_back(pen: Pen, line: dict[str, Any], quantity: Decimal) -> None:
    """Free what was allocated."""
    row = _row(pen, line)
    if row is not None and quantity:
        _move(pen, row, "freed", qty_allocated=max(ZERO, amount(row, "qty_allocated") - quantity))


def ship(pen: Pen, line: dict[str, Any], quantity: Decimal) -> None:
    """Take what leaves the house off the stock and off what was allocated."""
    row = _row(pen, line)
    if row is not None:
        on_hand, allocated = amount(row, "qty_on_hand") - quantity, amount(row, "qty_allocated") - quantity
        _move(pen, row, "shipped", qty_on_hand=max(ZERO, on_hand), qty_allocated=max(ZERO, allocated))


def _row(pen: Pen, line: dict[str, Any]) -> dict[str, Any] | None:
    key = {"inv_mast_uid": line["inv_mast_uid"], "location_id": line["source_loc_id"]}
    return next(iter(pen.database.rows("inv_loc", key)), None)


def _move(pen: Pen, row: dict[str, Any], what: str, **quantities: Decimal) -> None:
    key = {"inv_mast_uid": row["inv_mast_uid"], "location_id": row["location_id"]}
    pen.change("inv_loc", key, what, **quantities, inv_last_changed_date=pen.stamp)
