"""Invoices what a pick ticket has shipped: invoice_hdr, invoice_line, and what that does to the order's lines."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from p21d.sandbox.distributor.change import ZERO, Pen, amount, exact
from p21d.sandbox.distributor.numbers import FIRST_INVOICE_LINE_UID, next_invoice_no, next_number
from p21d.sandbox.distributor.shipping import living_tickets, ticket_lines

_DUE_DAYS = 30


def invoice(pen: Pen, order: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """Invoice the order's first ticket that has shipped and is not invoiced; complete the order with its last one."""
    for ticket in living_tickets(pen, order):
        if ticket["ship_confirmed_flag"] == "Y" and ticket["invoice_no"] is None:
            _invoice_ticket(pen, order, ticket, {line["line_no"]: line for line in lines})
            return


def _invoice_ticket(
    pen: Pen, order: dict[str, Any], ticket: dict[str, Any], by_number: dict[int, dict[str, Any]]
) -> None:
    number = next_invoice_no(pen.database)
    shipped = [
        (row, by_number[row["oe_line_no"]]) for row in ticket_lines(pen, ticket) if row["oe_line_no"] in by_number
    ]
    total = ZERO
    for position, (detail, line) in enumerate(shipped, start=1):
        total += _bill_line(pen, number, position, detail, line)
        line.update(_settle_line(pen, detail, line))
    _bill_header(pen, number, order, ticket, total)
    key = {"pick_ticket_no": ticket["pick_ticket_no"]}
    pen.change("oe_pick_ticket", key, "invoiced", invoice_no=int(number))
    if all(line["complete"] == "Y" for line in by_number.values()):
        key = {"order_no": order["order_no"]}
        pen.change("oe_hdr", key, "completed", completed="Y", date_order_completed=pen.stamp)


def _bill_line(pen: Pen, number: str, position: int, detail: dict[str, Any], line: dict[str, Any]) -> Decimal:
    size = amount(line, "unit_size") or Decimal(1)
    units = amount(detail, "ship_quantity") / size
    extended = (units * amount(line, "unit_price")).quantize(Decimal("0.01"))
    item = pen.database.rows("inv_mast", {"inv_mast_uid": line["inv_mast_uid"]})[0]
    uid = next_number(pen.database, "invoice_line", "invoice_line_uid", FIRST_INVOICE_LINE_UID)
    pen.add(
        "invoice_line",
        {"invoice_line_uid": uid},
        invoice_no=number,
        line_no=position,
        order_no=line["order_no"],
        oe_line_number=line["line_no"],
        company_id=line["company_no"],
        item_id=item["item_id"],
        inv_mast_uid=line["inv_mast_uid"],
        item_desc=item["item_desc"],
        qty_requested=exact(amount(line, "qty_ordered") / size),
        qty_shipped=exact(units),
        unit_of_measure=line["unit_of_measure"],
        unit_price=line["unit_price"],
        extended_price=exact(extended, places=4),
        sales_unit_size=line["unit_size"],
        pricing_unit=line.get("pricing_unit"),
        tax_item="N",
        other_charge_item="N",
        invoice_line_type=0,
    )
    key = {"pick_ticket_no": detail["pick_ticket_no"], "line_number": detail["line_number"]}
    pen.change("oe_pick_ticket_detail", key, "invoiced", invoice_line_uid=uid)
    return extended


def _settle_line(pen: Pen, detail: dict[str, Any], line: dict[str, Any]) -> dict[str, Any]:
    """Move what was shipped from the pick ticket to the invoice and return the changed columns."""
    quantity = amount(detail, "ship_quantity")
    invoiced = amount(line, "qty_invoiced") + quantity
    done = invoiced >= amount(line, "qty_ordered") - amount(line, "qty_canceled")
    columns: dict[str, Any] = {
        "qty_invoiced": invoiced,
        "qty_on_pick_tickets": max(ZERO, amount(line, "qty_on_pick_tickets") - quantity),
        "complete": "Y" if done else "N",
    }
    pen.change("oe_line", {"order_no": line["order_no"], "line_no": line["line_no"]}, "invoiced", **columns)
    return columns


def _bill_header(pen: Pen, number: str, order: dict[str, Any], ticket: dict[str, Any], lines_total: Decimal) -> None:
    midnight = f"{pen.stamp[:10]}T00:00:00"
    carrier = pen.database.rows("address", {"id": ticket["carrier_id"]})
    freight = amount(ticket, "freight_out")
    pen.add(
        "invoice_hdr",
        {"invoice_no": number},
        order_no=order["order_no"],
        company_no=order["company_id"],
        customer_id=str(order["customer_id"]),
        customer_id_number=order["customer_id"],
        invoice_date=midnight,
        order_date=order["order_date"],
        ship_date=f"{(ticket['ship_date'] or midnight)[:10]}T00:00:00",
        net_due_date=(datetime.fromisoformat(midnight) + timedelta(days=_DUE_DAYS)).isoformat(),
        terms_id="N30",
        terms_desc="Net 30",
        po_no=order["po_no"],
        ship_to_id=order["address_id"],
        carrier_id=ticket["carrier_id"],
        carrier_name=carrier[0]["name"] if carrier else None,
        total_amount=exact(lines_total + freight, places=4),
        amount_paid=exact(ZERO, places=4),
        freight=exact(freight, places=4),
        tax_amount=exact(ZERO, places=4),
        other_charge_amount=exact(ZERO, places=4),
        paid_in_full_flag="N",
        approved="Y",
        printed="Y",
        invoice_type="IN",
        consolidated="N",
        sales_location_id=order["location_id"],
        salesrep_id="1001",
    )
