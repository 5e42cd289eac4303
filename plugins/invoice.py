"""Invoices: those of P21 as the hub's transactions of type Invoice, credits as type Return.

The number is text and keeps its leading zeros. A note names the orders it bills, all of them where it is consolidated:
the hub has no member for that, and a custom field would have to be made there first. Paid in full is Complete, shipped
is Shipped, anything else Pending. Amounts keep P21's sign, so those of a credit are negative.

Why the external id is the bare number: so the hub's own integration has linked what it sent, and a hub that it has
filled is taken over and not filled twice. P21 numbers orders and invoices in two series that may meet, and in the hub
they share one link table and one series of numbers. The second of two such meets a link that is not its own: it is
dead-lettered before any call, both named. `number_prefix` then tells them apart, in number and link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from p21d.plugin import (
    Address,
    CatalogueItem,
    Decimal,
    DeleteConvention,
    Entity,
    P21Time,
    Parent,
    Record,
    Related,
    RelatedRows,
    Route,
    Row,
    SaleLine,
    SaleOptions,
    Skip,
    Trigger,
    amount,
    clean,
    hookimpl,
    in_catalogue,
    make_sale,
    present,
    printed_address,
    sale_address,
    yes,
)


class InvoiceOptions(SaleOptions, frozen=True, kw_only=True):
    """What an operator may choose.

    `credits` is what becomes of negative totals, `other_types` of invoice types other than IN, such as finance charges.
    """

    credits: Literal["return", "skip"] = "return"
    other_types: Literal["return", "skip"] = "skip"
    number_prefix: str = ""


class Invoice(Row, frozen=True):
    """A row of `invoice_hdr`, which has no uid; `customer_id` is text there, its twin a number."""

    invoice_no: str
    company_no: str | None
    customer_id_number: int | None
    order_no: str | None
    invoice_type: str | None
    invoice_date: P21Time | None
    ship_date: P21Time | None
    po_no: str | None
    ship_to_id: int | None
    carrier_id: int | None
    carrier_name: str | None
    total_amount: Decimal | None
    freight: Decimal | None
    tax_amount: Decimal | None
    other_charge_amount: Decimal | None
    paid_in_full_flag: str | None
    ship2_name: str | None
    ship2_address1: str | None
    ship2_address2: str | None
    ship2_address3: str | None
    ship2_city: str | None
    ship2_state: str | None
    ship2_postal_code: str | None
    ship2_country: str | None
    ship_to_phone: str | None
    bill2_name: str | None
    bill2_address1: str | None
    bill2_address2: str | None
    bill2_address3: str | None
    bill2_city: str | None
    bill2_state: str | None
    bill2_postal_code: str | None
    bill2_country: str | None
    date_last_modified: P21Time | None


class Line(Row, frozen=True):
    """A row of `invoice_line`; quantities are in the unit of measure."""

    invoice_line_uid: int
    invoice_no: str
    line_no: int | None
    order_no: str | None
    inv_mast_uid: int | None
    item_desc: str | None
    qty_requested: Decimal | None
    qty_shipped: Decimal | None
    unit_of_measure: str | None
    unit_price: Decimal | None
    extended_price: Decimal | None
    other_charge_item: str | None


LINE = Related(table="invoice_line", row=Line, key=("invoice_line_uid",), match={"invoice_no": "invoice_no"})
ITEM = Related(
    table="inv_mast", row=CatalogueItem, key=("inv_mast_uid",), match={"inv_mast_uid": "inv_mast_uid"}, of=LINE
)
SHIP_TO = Related(table="address", row=Address, key=("id",), match={"id": "ship_to_id"})
BILL_TO = Related(table="address", row=Address, key=("id",), match={"id": "customer_id_number"})


def records(options: InvoiceOptions, row: Invoice, related: RelatedRows) -> Record | Skip:
    """Return the invoice with its lines, both addresses, and notes of its orders and PO number."""
    kind = clean(row.invoice_type).upper() or "IN"
    credit, other = amount(row.total_amount) < 0, kind != "IN"
    if credit and options.credits == "skip":
        return Skip("credit")
    if other and not credit and options.other_types == "skip":
        return Skip(f"invoice type {kind}")
    if row.customer_id_number is None:
        return Skip("no customer")
    number = f"{options.number_prefix}{clean(row.invoice_no)}"
    sale = invoice_sale(options, row, related)
    paid = "Complete" if yes(row.paid_in_full_flag) else ""
    body = {
        "transaction_number": number,
        "type": "Return" if credit or other else "Invoice",
        "status": paid or ("Shipped" if row.ship_date else "Pending"),
        "created_datetime": row.invoice_date,
        **sale.amounts(),
    }
    method = options.method(row.carrier_id, clean(row.carrier_name))
    ship_to = printed_address(row, "ship2", street="address", postal_code="postal_code", phone=row.ship_to_phone)
    bill_to = printed_address(row, "bill2", street="address", postal_code="postal_code", phone=None)
    orders = {clean(row.order_no): None} | {clean(line.order_no): None for line in related.rows(LINE, row)}
    return Record(
        external_id={"number": number, "invoice_no": clean(row.invoice_no), "company_no": clean(row.company_no)},
        body=present(body),
        children=sale.children(
            addresses=[
                sale_address("Billing", bill_to, related.first(BILL_TO, row)),
                sale_address("Shipping", ship_to, related.first(SHIP_TO, row), method),
            ],
            notes={"Orders": ", ".join(filter(None, orders)), "PO": clean(row.po_no)},
        ),
    )


def invoice_sale(options: InvoiceOptions, row: Invoice, related: RelatedRows) -> Any:
    """Return the lines and amounts; other charges that stand in no line of their own are those of the header."""
    lines = related.rows(LINE, row)
    charges = amount(None) if any(yes(line.other_charge_item) for line in lines) else amount(row.other_charge_amount)
    return make_sale(
        [sale_line(line, related) for line in lines],
        options,
        shipping=amount(row.freight) + charges,
        tax=amount(row.tax_amount),
        total=amount(row.total_amount),
    )


def sale_line(line: Line, related: RelatedRows) -> SaleLine:
    """Return a line in the hub's terms; its price is that of one unit of measure, whatever unit P21 prices in."""
    item, quantity = in_catalogue(related.first(ITEM, line), line.other_charge_item), amount(line.qty_shipped)
    extended = amount(line.extended_price)
    return SaleLine(
        number=line.line_no or line.invoice_line_uid,
        sku=clean(item.item_id) if item else "",
        description=clean(line.item_desc) or clean(item.item_desc if item else None),
        status="Shipped" if quantity else "Backorder",
        quantity=quantity,
        shipped=quantity,
        unit_price=amount(extended / quantity) if quantity else amount(line.unit_price),
        extended=extended,
        unit=clean(line.unit_of_measure),
    )


def parents(row: Invoice, related: RelatedRows) -> Sequence[Parent]:
    """Return the company and the product of each line of goods."""
    found: list[Parent] = []
    if row.customer_id_number is not None:
        values: dict[str, object] = {"customer_id": row.customer_id_number, "company_id": clean(row.company_no)}
        key = (row.company_no, row.customer_id_number)
        found.append(Parent(entity="company", key=key, external_id=values, member="company_id"))
    lines = related.rows(LINE, row)
    goods = [in_catalogue(related.first(ITEM, line), line.other_charge_item) for line in lines]
    for item in {item.inv_mast_uid: item for item in goods if item}.values():
        product = {"item_id": clean(item.item_id), "inv_mast_uid": item.inv_mast_uid}
        found.append(Parent(entity="product", key=(item.inv_mast_uid,), external_id=product))
    return found


def with_options(options: InvoiceOptions) -> Entity[Invoice]:
    """Return the entity as these options have it."""
    return replace(ENTITY, records=partial(records, options))


ENTITY = Entity(
    name="invoice",
    row=Invoice,
    table="invoice_hdr",
    key=("invoice_no",),
    company="company_no",
    external_id="{number}",
    external_id_values=("invoice_no", "company_no"),
    unique_without_company=True,
    records=partial(records, InvoiceOptions()),
    parents=parents,
    parent_entities=("company", "product"),
    route=Route(
        resource="transaction",
        types=("Invoice", "Return"),
        natural_key="transaction_number",
        children={"lines": "line", "addresses": "transaction_address", "taxes": "tax", "notes": "note"},
        inactive={"status": "Cancelled"},
        inactive_children={"lines": {"status": "Cancelled", "qty": 0, "qty_shipped": 0, "extended_price": 0}},
    ),
    deleted=DeleteConvention.NONE,
    related=(LINE, ITEM, SHIP_TO, BILL_TO),
    triggers=(Trigger(table="invoice_line", key=("invoice_line_uid",)),),
    options=InvoiceOptions,
    with_options=with_options,
)


@hookimpl
def p21d_entities() -> Sequence[Entity[Any]]:
    """Return the entity of this file."""
    return [ENTITY]
