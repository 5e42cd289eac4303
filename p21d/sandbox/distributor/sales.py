"""What sales does to an order by hand: cancel a line or the whole order, correct its PO number, close its editor."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from p21d.sandbox.distributor import stock
from p21d.sandbox.distributor.change import ZERO, Change, Pen, amount
from p21d.sandbox.distributor.fulfilment import line_key, living_lines, unallocated

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database


def cancel_line(database: Database, now: datetime, order_no: str, line_no: int) -> list[Change]:
    """Cancel what of a line is not on a pick ticket yet; the header's date stays."""
    with database.transaction():
        pen = Pen(database, database.time.text(now))
        for line in living_lines(database, order_no):
            if line["line_no"] == line_no:
                _cancel(pen, line)
    return pen.changes


def cancel_order(database: Database, now: datetime, order_no: str) -> list[Change]:
    """Cancel an order with all its lines; one of which something is on its way already stays as it is."""
    with database.transaction():
        pen = Pen(database, database.time.text(now))
        lines = living_lines(database, order_no)
        if all(not _on_its_way(line) for line in lines):
            for line in lines:
                _cancel(pen, line)
            pen.change("oe_hdr", {"order_no": order_no}, "cancelled", cancel_flag="Y")
    return pen.changes


def correct_po(database: Database, now: datetime, order_no: str, po_no: str) -> list[Change]:
    """Write another PO number into an order."""
    with database.transaction():
        pen = Pen(database, database.time.text(now))
        pen.change("oe_hdr", {"order_no": order_no}, "PO corrected", po_no=po_no)
    return pen.changes


def close_editor(database: Database, order_no: str) -> None:
    """End the editing of an order (`completed` T to N), which moves no date."""
    database.change("oe_hdr", {"order_no": order_no, "completed": "T"}, stamp=False, completed="N")


def _on_its_way(line: dict[str, Any]) -> bool:
    return amount(line, "qty_on_pick_tickets") > ZERO or amount(line, "qty_invoiced") > ZERO


def _cancel(pen: Pen, line: dict[str, Any]) -> None:
    allocated = amount(line, "qty_allocated")
    stock.give_back(pen, line, allocated)
    cancelled = amount(line, "qty_canceled") + allocated + unallocated(line)
    columns: dict[str, Any] = {"qty_canceled": cancelled, "qty_allocated": ZERO}
    if not _on_its_way(line):
        columns["cancel_flag"] = "Y"
    elif amount(line, "qty_invoiced") >= amount(line, "qty_ordered") - cancelled:
        columns["complete"] = "Y"
    pen.change("oe_line", line_key(line), "cancelled", **columns)
