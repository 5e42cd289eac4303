"""Seed what follows an order: pick tickets, tracking numbers in one of P21's three places, invoices."""

from __future__ import annotations

from p21d.sandbox.distributor.items import item_id
from p21d.sandbox.distributor.numbers import FIRST_INVOICE, FIRST_INVOICE_LINE_UID, FIRST_TICKET
from p21d.sandbox.distributor.orders import Line, Order
from p21d.sandbox.distributor.seeding import FIRST_CUSTOMER, Seeding, money, quantity, unit_price

_PLACES = ("clippership", "shipment", "ticket", "none")


def invoice_no(order: Order) -> str:
    """Return the invoice number of an order as text, with P21's leading zeros."""
    return f"{FIRST_INVOICE + order.index:010d}"


def ticket_no(order: Order) -> int:
    """Return the pick ticket number of an order."""
    return FIRST_TICKET + order.index


def tracking_no(order: Order) -> str:
    """Return the tracking number of an order; now and then P21's sentinel for a cancelled parcel."""
    return "* * CANCELLED * *" if order.index % 50 == 4 else f"1Z999AA1{order.index:010d}"


def seed_papers(seeding: Seeding, orders: list[Order]) -> None:
    """Fill oe_pick_ticket, oe_pick_ticket_detail, shipment, clippership_return_10004, invoice_hdr and invoice_line."""
    shipped = [order for order in orders if order.state in {"invoiced", "shipped"}]
    _seed_tickets(seeding, shipped)
    _seed_ticket_lines(seeding, [(order, line) for order in shipped for line in order.lines])
    _seed_clippership(seeding, _tracked(shipped, "clippership"))
    _seed_shipments(seeding, _tracked(shipped, "shipment"))
    invoiced = [order for order in orders if order.state == "invoiced"]
    _seed_invoices(seeding, invoiced)
    _seed_invoice_lines(seeding, [(order, line) for order in invoiced for line in order.lines])


def _tracked(orders: list[Order], place: str) -> list[Order]:
    return [order for order in orders if _place(order) == place]


def _place(order: Order) -> str:
    return _PLACES[order.index // 3 % len(_PLACES)]


def _seed_tickets(seeding: Seeding, orders: list[Order]) -> None:
    count = len(orders)
    dates = [order.date for order in orders]
    seeding.insert(
        "oe_pick_ticket",
        count,
        pick_ticket_no=[ticket_no(order) for order in orders],
        company_id=[order.company for order in orders],
        order_no=[order.number for order in orders],
        location_id=[order.location for order in orders],
        carrier_id=[order.carrier for order in orders],
        tracking_no=[tracking_no(order) if _place(order) == "ticket" else None for order in orders],
        print_date=dates,
        ship_date=dates,
        freight_out=money(1_895),
        freight_code_uid=1,
        invoice_no=[int(invoice_no(order)) if order.state == "invoiced" else None for order in orders],
        delete_flag=["Y" if order.index % 60 == 0 else "N" for order in orders],
        printed_flag="Y",
        direct_shipment="N",
        front_counter="N",
        pick_and_hold="N",
        ship_confirmed_flag="Y",
        instructions=None,
        created_by="admin",
        **{**seeding.made("tickets", count), "date_created": dates},
    )


def _seed_ticket_lines(seeding: Seeding, pairs: list[tuple[Order, Line]]) -> None:
    count = len(pairs)
    base = [quantity(line.units * line.unit_size) for _, line in pairs]
    seeding.insert(
        "oe_pick_ticket_detail",
        count,
        company_id=[order.company for order, _ in pairs],
        pick_ticket_no=[ticket_no(order) for order, _ in pairs],
        line_number=[line.number for _, line in pairs],
        oe_line_no=[line.number for _, line in pairs],
        inv_mast_uid=[line.item for _, line in pairs],
        qty_requested=base,
        qty_to_pick=base,
        ship_quantity=base,
        print_quantity=base,
        unit_quantity=[quantity(line.units) for _, line in pairs],
        unit_of_measure=[line.unit for _, line in pairs],
        unit_size=[quantity(line.unit_size) for _, line in pairs],
        release_no=1,
        created_by="admin",
        **{**seeding.made("ticket lines", count), "date_created": [order.date for order, _ in pairs]},
    )


def _seed_clippership(seeding: Seeding, orders: list[Order]) -> None:
    """Give every second of these tickets two parcels."""
    parcels = [(order, part) for order in orders for part in range(1 + order.index % 2)]
    count = len(parcels)
    seeding.insert(
        "clippership_return_10004",
        count,
        pick_ticket_no=[ticket_no(order) for order, _ in parcels],
        tracking_no=[f"{tracking_no(order)}{'-2' if part else ''}" for order, part in parcels],
        carrier_name="UPS Ground",
        total_charge=money(1_234),
        shipped_date=[order.date for order, _ in parcels],
        invoice_no=None,
        delete_flag=["Y" if part and order.index % 7 == 0 else "N" for order, part in parcels],
    )


def _seed_shipments(seeding: Seeding, orders: list[Order]) -> None:
    count = len(orders)
    seeding.insert(
        "shipment",
        count,
        shipment_uid=list(range(1, count + 1)),
        transaction_type_cd=1000,
        transaction_no=[ticket_no(order) for order in orders],
        shipment_id=[tracking_no(order) for order in orders],
        carrier_id=[order.carrier for order in orders],
        ship_location_id=[order.location for order in orders],
        row_status_flag=2175,
        created_by="admin",
        **{**seeding.made("shipments", count), "date_created": [order.date for order in orders]},
    )


def _seed_invoices(seeding: Seeding, orders: list[Order]) -> None:
    count = len(orders)
    dates = [order.date for order in orders]
    # A credit memo is an ordinary row with a negative total.
    totals = [-order.cents if order.index % 45 == 15 else order.cents for order in orders]
    seeding.insert(
        "invoice_hdr",
        count,
        invoice_no=[invoice_no(order) for order in orders],
        order_no=[order.number for order in orders],
        company_no=[order.company for order in orders],
        customer_id=[str(FIRST_CUSTOMER + order.customer) for order in orders],
        customer_id_number=[FIRST_CUSTOMER + order.customer for order in orders],
        invoice_date=dates,
        order_date=dates,
        ship_date=dates,
        net_due_date=dates,
        terms_id="N30",
        terms_desc="Net 30",
        po_no=[f"PO-{order.index * 37 % 100_000}" if order.index % 9 else None for order in orders],
        ship_to_id=[order.ship_to for order in orders],
        carrier_id=[order.carrier for order in orders],
        carrier_name="UPS Ground",
        total_amount=[money(total) for total in totals],
        amount_paid=money(0),
        freight=money(1_895),
        tax_amount=money(0),
        other_charge_amount=money(0),
        paid_in_full_flag="N",
        approved="Y",
        printed="Y",
        invoice_type="IN",
        consolidated="N",
        sales_location_id=[order.location for order in orders],
        salesrep_id="1001",
        created_by="admin",
        **{**seeding.made("invoices", count), "date_created": dates},
    )


def _seed_invoice_lines(seeding: Seeding, pairs: list[tuple[Order, Line]]) -> None:
    count = len(pairs)
    seeding.insert(
        "invoice_line",
        count,
        invoice_line_uid=list(range(FIRST_INVOICE_LINE_UID, FIRST_INVOICE_LINE_UID + count)),
        invoice_no=[invoice_no(order) for order, _ in pairs],
        line_no=[line.number for _, line in pairs],
        order_no=[order.number for order, _ in pairs],
        oe_line_number=[line.number for _, line in pairs],
        company_id=[order.company for order, _ in pairs],
        item_id=[item_id(line.item) for _, line in pairs],
        inv_mast_uid=[line.item for _, line in pairs],
        item_desc=[f"Item {line.item}" for _, line in pairs],
        qty_requested=[quantity(line.units) for _, line in pairs],
        qty_shipped=[quantity(line.units) for _, line in pairs],
        unit_of_measure=[line.unit for _, line in pairs],
        unit_price=[unit_price(line.cents) for _, line in pairs],
        extended_price=[money(line.units * line.cents) for _, line in pairs],
        sales_unit_size=[quantity(line.unit_size) for _, line in pairs],
        pricing_unit=[line.unit for _, line in pairs],
        tax_item="N",
        other_charge_item="N",
        invoice_line_type=0,
        created_by="admin",
        **{**seeding.made("invoice lines", count), "date_created": [order.date for order, _ in pairs]},
    )
