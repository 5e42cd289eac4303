"""Takes an order through the house: credit, allocation, pick ticket, ship confirm, invoice, one step a time.

As in P21, quantities move on the lines: allocated, then on pick tickets, then invoiced. The header's date moves when
the header itself changes (credit, completion) and not when only its lines do.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from p21d.sandbox.distributor import stock
from p21d.sandbox.distributor.billing import invoice
from p21d.sandbox.distributor.change import ZERO, Change, Pen, amount
from p21d.sandbox.distributor.shipping import confirm, pick

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database


def advance(database: Database, now: datetime, order_no: str) -> list[Change]:
    """Take an order one step further and return the changes; none where there is nothing (left) to do.

    The steps: credit is given, stock is allocated (what is short waits for goods to arrive), a pick ticket is printed,
    it ships, it is invoiced. An order of which only a part was there goes round again.
    """
    with database.transaction():
        pen = Pen(database, database.time.text(now))
        order = _live(database, order_no)
        if order is not None:
            lines = living_lines(database, order_no)
            for step in (_give_credit, invoice, confirm, pick, _allocate, _close):
                step(pen, order, lines)
                if pen.changes:
                    break
    return pen.changes


def living_lines(database: Database, order_no: str) -> list[dict[str, Any]]:
    """Return the lines that are neither cancelled nor deleted."""
    rows = database.rows("oe_line", {"order_no": order_no})
    return [row for row in rows if row["cancel_flag"] != "Y" and row["delete_flag"] != "Y"]


def line_key(line: dict[str, Any]) -> dict[str, Any]:
    """Return the key of a line."""
    return {"order_no": line["order_no"], "line_no": line["line_no"]}


def unallocated(line: dict[str, Any]) -> Decimal:
    """Return what of a line is neither allocated nor further, in base units."""
    gone = sum(amount(line, name) for name in ("qty_canceled", "qty_invoiced", "qty_allocated", "qty_on_pick_tickets"))
    return amount(line, "qty_ordered") - gone


def _live(database: Database, order_no: str) -> dict[str, Any] | None:
    wanted = {"order_no": order_no, "completed": "N", "cancel_flag": "N", "delete_flag": "N"}
    rows = database.rows("oe_hdr", wanted | {"projected_order": "N", "rma_flag": "N"})
    return rows[0] if rows else None


def _give_credit(pen: Pen, order: dict[str, Any], _lines: list[dict[str, Any]]) -> None:
    if order["validation_status"] == "Hold" or order["approved"] != "Y":
        key = {"order_no": order["order_no"]}
        pen.change("oe_hdr", key, "credit given", validation_status="OK", approved="Y")


def _allocate(pen: Pen, _order: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    wanting = [(line, unallocated(line)) for line in lines if unallocated(line) > ZERO]
    taken = [stock.take(pen, line, wanted) for line, wanted in wanting]
    if wanting and not any(taken):
        for line, wanted in wanting:
            stock.arrive(pen, line, wanted)
        taken = [stock.take(pen, line, wanted) for line, wanted in wanting]
    for (line, _), quantity in zip(wanting, taken, strict=True):
        if quantity:
            allocated = amount(line, "qty_allocated") + quantity
            pen.change("oe_line", line_key(line), "allocated", qty_allocated=allocated)


def _close(pen: Pen, order: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """Complete an order whose lines are all complete, which the invoice of the last one has done already."""
    if lines and all(line["complete"] == "Y" for line in lines):
        key = {"order_no": order["order_no"]}
        pen.change("oe_hdr", key, "completed", completed="Y", date_order_completed=pen.stamp)
