"""Transactions: the orders of P21 with their lines, as the hub's transactions of type Order; RMAs as type Return.

The statuses are those of p21d/fulfilment.py. Quantities are in the order's unit. A cancelled line stays, and adds
nothing to the total; a deleted one was never meant.
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
    Entity,
    P21Time,
    Parent,
    Progress,
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
    order_status,
    present,
    printed_address,
    ratio,
    sale_address,
    yes,
)


class TransactionOptions(SaleOptions, frozen=True, kw_only=True):
    """What an operator may choose; `returns` is what becomes of RMAs."""

    returns: Literal["send", "skip"] = "send"


class Order(Row, frozen=True):
    """A row of `oe_hdr`; `taker` and `job_name` tell an order of the hub's own."""

    order_no: str
    oe_hdr_uid: int
    company_id: str | None
    customer_id: int | None
    address_id: int | None
    contact_id: str | None
    carrier_id: int | None
    date_created: P21Time | None
    po_no: str | None
    job_name: str | None
    taker: str | None
    freight_out: Decimal | None
    ship2_name: str | None
    ship2_add1: str | None
    ship2_add2: str | None
    ship2_add3: str | None
    ship2_city: str | None
    ship2_state: str | None
    ship2_zip: str | None
    ship2_country: str | None
    ship_to_phone: str | None
    ship2_email_address: str | None
    projected_order: str | None
    rma_flag: str | None
    completed: str | None
    cancel_flag: str | None
    delete_flag: str | None
    date_last_modified: P21Time | None


class Line(Row, frozen=True):
    """A row of `oe_line`; quantities are in base units, the price is per pricing unit."""

    oe_line_uid: int
    order_no: str
    line_no: int
    inv_mast_uid: int | None
    qty_ordered: Decimal | None
    qty_canceled: Decimal | None
    qty_invoiced: Decimal | None
    unit_of_measure: str | None
    unit_size: Decimal | None
    pricing_unit_size: Decimal | None
    unit_price: Decimal | None
    extended_price: Decimal | None
    sales_tax: Decimal | None
    extended_desc: str | None
    disposition: str | None
    other_charge: str | None
    complete: str | None
    cancel_flag: str | None
    delete_flag: str | None


LINE = Related(table="oe_line", row=Line, key=("oe_line_uid",), match={"order_no": "order_no"})
ITEM = Related(
    table="inv_mast", row=CatalogueItem, key=("inv_mast_uid",), match={"inv_mast_uid": "inv_mast_uid"}, of=LINE
)
SHIP_TO = Related(table="address", row=Address, key=("id",), match={"id": "address_id"})
CARRIER = Related(table="address", row=Address, key=("id",), match={"id": "carrier_id"})


def records(options: TransactionOptions, row: Order, related: RelatedRows) -> Record | Skip:
    """Return the order with its lines, ship-to and PO number."""
    if yes(row.projected_order):
        return Skip("quote")
    if yes(row.rma_flag) and options.returns == "skip":
        return Skip("return")
    if row.customer_id is None:
        return Skip("no customer")
    found = [sale_line(line, related) for line in lines(row, related)]
    sale = make_sale(found, options, shipping=amount(row.freight_out))
    goods = [line.status for line in found if line.sku and line.quantity] or [line.status for line in found]
    cancelled = yes(row.delete_flag) or yes(row.cancel_flag)
    body = {
        "transaction_number": clean(row.order_no),
        "type": "Return" if yes(row.rma_flag) else "Order",
        "status": order_status(goods, cancelled=cancelled, completed=yes(row.completed)),
        "email_address": clean(row.ship2_email_address) or None,
        "created_datetime": row.date_created,
        **sale.amounts(),
    }
    carrier = related.first(CARRIER, row)
    method = options.method(row.carrier_id, clean(carrier.name if carrier else None))
    own = printed_address(row, "ship2", street="add", postal_code="zip", phone=row.ship_to_phone)
    return Record(
        external_id={"order_no": clean(row.order_no), "company_id": clean(row.company_id)},
        body=present(body),
        children=sale.children(
            addresses=[sale_address("Shipping", own, related.first(SHIP_TO, row), method)],
            notes={"PO": clean(row.po_no)},
        ),
    )


def lines(row: Order, related: RelatedRows) -> list[Line]:
    """Return the lines that are not deleted."""
    return [line for line in related.rows(LINE, row) if not yes(line.delete_flag)]


def catalogue_item(line: Line, related: RelatedRows) -> CatalogueItem | None:
    """Return the item of a line of goods."""
    return in_catalogue(related.first(ITEM, line), line.other_charge)


def sale_line(line: Line, related: RelatedRows) -> SaleLine:
    """Return a line in the hub's terms."""
    progress = Progress(
        ordered=line.qty_ordered,
        canceled=line.qty_canceled,
        invoiced=line.qty_invoiced,
        cancel_flag=yes(line.cancel_flag),
        complete=yes(line.complete),
        backordered=clean(line.disposition).upper() == "B",
    )
    item, size = catalogue_item(line, related), line.unit_size or Decimal(1)
    quantity = ratio(progress.wanted, size)
    price = ratio((line.unit_price or Decimal(0)) * size, line.pricing_unit_size or size)
    as_ordered = line.extended_price is not None and not line.qty_canceled
    return SaleLine(
        number=line.line_no,
        sku=clean(item.item_id) if item else "",
        description=clean(line.extended_desc) or clean(item.item_desc if item else None),
        status=progress.status,
        quantity=quantity,
        shipped=ratio(line.qty_invoiced, size),
        unit_price=price,
        extended=amount(line.extended_price if as_ordered else progress.wanted * price / size),
        unit=clean(line.unit_of_measure),
        tax=amount(line.sales_tax),
        counts=not progress.cancelled,
    )


def parents(row: Order, related: RelatedRows) -> Sequence[Parent]:
    """Return the company, the contact where there is one, and the product of each line of goods."""
    company_id, contact_id = clean(row.company_id), clean(row.contact_id)
    found: list[Parent] = []
    if row.customer_id is not None:
        values: dict[str, object] = {"customer_id": row.customer_id, "company_id": company_id}
        key = (row.company_id, row.customer_id)
        found.append(Parent(entity="company", key=key, external_id=values, member="company_id"))
    if contact_id:
        contact = {"contact_id": contact_id, "company_id": company_id}
        by_id = Parent(entity="customer", key=(contact_id,), external_id=contact, member="customer_id", required=False)
        found.append(by_id)
    goods = [catalogue_item(line, related) for line in lines(row, related)]
    for item in {item.inv_mast_uid: item for item in goods if item}.values():
        product = {"item_id": clean(item.item_id), "inv_mast_uid": item.inv_mast_uid}
        found.append(Parent(entity="product", key=(item.inv_mast_uid,), external_id=product))
    return found


def with_options(options: TransactionOptions) -> Entity[Order]:
    """Return the entity as these options have it."""
    return replace(ENTITY, records=partial(records, options))


ENTITY = Entity(
    name="transaction",
    row=Order,
    table="oe_hdr",
    key=("order_no",),
    page_by=("oe_hdr_uid",),
    company="company_id",
    external_id="{order_no}",
    external_id_values=("company_id",),
    unique_without_company=True,
    records=partial(records, TransactionOptions()),
    parents=parents,
    parent_entities=("company", "customer", "product"),
    optional_parents=("customer",),
    route=Route(
        resource="transaction",
        types=("Order", "Return"),
        natural_key="transaction_number",
        children={"lines": "line", "addresses": "transaction_address", "taxes": "tax", "notes": "note"},
        inactive={"status": "Cancelled"},
        inactive_children={"lines": {"status": "Cancelled", "qty": 0, "extended_price": 0}},
        born=("status",),
        born_children={"lines": ("status", "qty_shipped")},
    ),
    related=(LINE, ITEM, SHIP_TO, CARRIER),
    triggers=(Trigger(table="oe_line", key=("oe_line_uid",)),),
    options=TransactionOptions,
    with_options=with_options,
)


@hookimpl
def p21d_entities() -> Sequence[Entity[Any]]:
    """Return the entity of this file."""
    return [ENTITY]
