from __future__ import annotations

from decimal import Decimal

import pytest

from p21d.plugin import Address, CatalogueItem, Skip
from p21d.testing import check_entity, related_rows, row_of
from plugins import company, product
from plugins.invoice import BILL_TO, ENTITY, ITEM, LINE, SHIP_TO, Invoice, InvoiceOptions, Line, with_options

KNOWN = (company.ENTITY, product.ENTITY)
VALVE = row_of(CatalogueItem, inv_mast_uid=12, item_id="VALVE-20", item_desc="Ball valve")
MASTER = row_of(
    Address,
    id=204410,
    name="Acme Supply",
    phys_address1="1 Main St",
    phys_city="Dayton",
    phys_state="OH",
    phys_postal_code="45402",
)


def invoice(**values):
    fixed = {"invoice_no": "0235598", "company_no": "01", "customer_id_number": 204410, "invoice_type": "IN"}
    return row_of(Invoice, **{**fixed, "order_no": "1400215", "total_amount": Decimal(25)} | values)


def line(number=1, **values):
    fixed = {"invoice_line_uid": number, "invoice_no": "0235598", "line_no": number, "order_no": "1400215"}
    price = {"qty_shipped": Decimal(2), "unit_price": Decimal("12.5"), "extended_price": Decimal(25)}
    return row_of(Line, **fixed | {"inv_mast_uid": 12} | price | values)


def given(*lines):
    return {LINE: list(lines) or [line()], ITEM: [VALVE], SHIP_TO: [MASTER], BILL_TO: [MASTER]}


def read(row=None, *lines, entity=ENTITY):
    [record] = check_entity(entity, row or invoice(), related=given(*lines), known=KNOWN)
    return record


def with_(**options):
    return with_options(InvoiceOptions(**options))


def notes(record):
    return {child.body["type"]: child.body["text"] for child in record.children["notes"]}


def test_the_number_keeps_its_leading_zeros():
    record = read(invoice(invoice_no="0235598 "))
    assert ENTITY.external_id.format_map(record.external_id) == "0235598"
    assert (record.body["transaction_number"], record.body["type"]) == ("0235598", "Invoice")


def test_a_prefix_tells_an_invoice_from_an_order_in_number_and_link():
    record = read(entity=with_(number_prefix="INV-"))
    assert ENTITY.external_id.format_map(record.external_id) == "INV-0235598"
    assert record.body["transaction_number"] == "INV-0235598"


def test_a_note_names_the_order():
    assert notes(read(invoice(po_no="PO-1"))) == {"Orders": "1400215", "PO": "PO-1"}


def test_a_consolidated_invoice_names_all_its_orders_once():
    lines = line(), line(2, order_no="1400300"), line(3, order_no="1400300 ")
    assert notes(read(invoice(order_no=None), *lines)) == {"Orders": "1400215, 1400300"}


def test_a_credit_is_a_return():
    record = read(invoice(total_amount=Decimal(-25)), line(qty_shipped=Decimal(-2), extended_price=Decimal(-25)))
    assert (record.body["type"], record.body["total"]) == ("Return", -25)


def test_a_credit_may_be_left_out():
    row = invoice(total_amount=Decimal(-25))
    assert with_(credits="skip").records(row, related_rows(given())) == Skip("credit")


def test_another_type_is_skipped_by_name():
    assert ENTITY.records(invoice(invoice_type="FC"), related_rows(given())) == Skip("invoice type FC")


def test_another_type_may_go_as_a_return():
    assert read(invoice(invoice_type="DM"), entity=with_(other_types="return")).body["type"] == "Return"


def test_an_invoice_without_a_type_is_an_ordinary_one():
    assert read(invoice(invoice_type=None)).body["type"] == "Invoice"


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, "Pending"),
        ({"ship_date": "2026-11-02T00:00:00-05:00"}, "Shipped"),
        ({"ship_date": "2026-11-02T00:00:00-05:00", "paid_in_full_flag": "Y"}, "Complete"),
    ],
)
def test_the_status_follows_shipping_and_payment(values, status):
    assert read(invoice(**values)).body["status"] == status


def test_the_total_is_what_p21_says():
    row = invoice(freight=Decimal(8), tax_amount=Decimal("1.75"), total_amount=Decimal("34.75"))
    body = read(row).body
    assert (body["subtotal"], body["shipping_amount"], body["tax_amount"], body["total"]) == (
        25,
        8,
        Decimal("1.75"),
        Decimal("34.75"),
    )


def test_charges_are_counted_once_where_they_have_a_line():
    charge = line(2, other_charge_item="Y", inv_mast_uid=None, extended_price=Decimal(40), qty_shipped=Decimal(1))
    record = read(invoice(other_charge_amount=Decimal(40)), line(), charge)
    assert (len(record.children["lines"]), record.body["shipping_amount"]) == (1, 40)


def test_charges_of_the_header_alone_count_too():
    assert read(invoice(other_charge_amount=Decimal(40))).body["shipping_amount"] == 40


def test_the_price_of_a_line_is_that_of_its_unit():
    [child] = read(invoice(), line(unit_price=Decimal(1250))).children["lines"]  # priced per hundred
    assert (child.body["qty"], child.body["qty_shipped"], child.body["unit_price"]) == (2, 2, Decimal("12.5"))


def test_a_line_that_was_not_shipped_keeps_its_price():
    [child] = read(invoice(), line(qty_shipped=Decimal(0), extended_price=Decimal(0))).children["lines"]
    assert (child.body["status"], child.body["unit_price"]) == ("Backorder", Decimal("12.5"))


def test_it_has_a_billing_and_a_shipping_address():
    record = read(invoice(ship_to_id=204410, carrier_id=155509, bill2_name="Acme Accounts"))
    found = {
        child.id: (child.body["company"], child.body.get("shipping_method")) for child in record.children["addresses"]
    }
    assert found == {"billing": ("Acme Accounts", None), "shipping": ("Acme Supply", "155509")}


def test_company_and_products_come_first():
    found = ENTITY.parents(invoice(), related_rows(given(line(), line(2))))
    assert [(parent.entity, parent.key, parent.required) for parent in found] == [
        ("company", ("01", 204410), True),
        ("product", (12,), True),
    ]


def test_an_invoice_without_a_customer_is_skipped():
    assert ENTITY.records(invoice(customer_id_number=None), related_rows(given())) == Skip("no customer")
