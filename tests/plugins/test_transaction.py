from __future__ import annotations

from decimal import Decimal

import pytest

from p21d.plugin import Address, CatalogueItem, Skip
from p21d.testing import check_entity, related_rows, row_of
from plugins import company, customer, product
from plugins.transaction import CARRIER, ENTITY, ITEM, LINE, SHIP_TO, Line, Order, TransactionOptions, with_options

KNOWN = (company.ENTITY, customer.ENTITY, product.ENTITY)


def order(**values):
    fixed = {"order_no": "1400215", "oe_hdr_uid": 881203, "company_id": "01", "customer_id": 204410}
    return row_of(Order, **fixed | values)


def line(number=1, **values):
    fixed = {
        "oe_line_uid": number,
        "order_no": "1400215",
        "line_no": number,
        "inv_mast_uid": 12,
        "qty_ordered": Decimal("20.000000000"),
        "unit_size": Decimal(10),
        "pricing_unit_size": Decimal(10),
        "unit_of_measure": "BX",
        "unit_price": Decimal("12.500000000"),
        "extended_price": Decimal("25.0000"),
    }
    return row_of(Line, **fixed | values)


def freight(number=9, **values):
    fixed = {"inv_mast_uid": None, "other_charge": "Y", "unit_size": None, "pricing_unit_size": None}
    price = {"qty_ordered": Decimal(1), "unit_price": Decimal(40), "extended_price": Decimal(40)}
    return line(number, **fixed | price | values)


VALVE = row_of(CatalogueItem, inv_mast_uid=12, item_id=" VALVE-20 ", item_desc="Ball valve")
DOCK = {
    "ship2_name": "Acme Supply",
    "ship2_add1": "Dock 4",
    "ship2_city": "Dayton",
    "ship2_state": "OH",
    "ship2_zip": "45402",
}
MASTER = row_of(
    Address,
    id=204411,
    name="Acme Dayton",
    phys_address1="1 Main St",
    phys_city="Dayton",
    phys_state="OH",
    phys_postal_code="45402",
    phys_country="US",
)
UPS = row_of(Address, id=155509, name="UPS Ground ")


def given(lines=None, item=VALVE, carrier=UPS):
    lines = [line()] if lines is None else lines
    return {LINE: lines, ITEM: [item] if item else [], SHIP_TO: [MASTER], CARRIER: [carrier]}


def read(row=None, *lines, entity=ENTITY, item=VALVE):
    related = given(list(lines) or None, item)
    [record] = check_entity(entity, row or order(), related=related, known=KNOWN)
    return record


def only(record, member):
    [child] = record.children[member]
    return child.body


def with_(**options):
    return with_options(TransactionOptions(**options))


def test_an_order_is_known_by_its_number():
    record = read(order(order_no=" 1400215 "))
    assert ENTITY.external_id.format_map(record.external_id) == "1400215"
    assert (record.body["transaction_number"], record.body["type"]) == ("1400215", "Order")


def test_a_line_stands_in_the_unit_it_was_ordered_in():
    body = only(read(), "lines")
    assert (body["sku"], body["qty"], body["unit_price"], body["extended_price"]) == (
        "VALVE-20",
        2,
        Decimal("12.5"),
        25,
    )
    assert body["line_info"] == {"unit": "BX"}


def test_a_price_per_piece_becomes_one_per_ordered_unit():
    body = only(read(order(), line(pricing_unit_size=Decimal(1), unit_price=Decimal("1.25"))), "lines")
    assert (body["qty"], body["unit_price"], body["extended_price"]) == (2, Decimal("12.5"), 25)


def test_a_price_per_hundred_in_a_unit_of_three_is_finite():
    odd = line(unit_size=Decimal(3), pricing_unit_size=Decimal(7), unit_price=Decimal(1), extended_price=None)
    assert only(read(order(), odd), "lines")["unit_price"] == Decimal("0.428571")


@pytest.mark.parametrize("size", [None, Decimal(0)])
def test_a_unit_without_a_size_is_one(size):
    assert only(read(order(), line(unit_size=size, pricing_unit_size=size)), "lines")["qty"] == 20


def test_the_largest_numbers_p21_can_hold_pass():
    largest = Decimal("9999999999.999999999")
    values = {"qty_ordered": largest, "unit_size": largest, "unit_price": largest, "pricing_unit_size": Decimal(1)}
    assert read(order(), line(**values, extended_price=None))


def test_what_is_invoiced_counts_as_shipped():
    assert only(read(order(), line(qty_invoiced=Decimal(10))), "lines")["qty_shipped"] == 1


def test_the_amounts_add_up():
    body = read(order(freight_out=Decimal("8.00")), line(sales_tax=Decimal("1.75"))).body
    names = ("subtotal", "tax_amount", "shipping_amount", "total", "total_qty")
    assert [body[name] for name in names] == [25, Decimal("1.75"), 8, Decimal("34.75"), 2]


def test_tax_is_a_child_in_the_spelling_of_the_hub():
    record = read(order(), line(sales_tax=Decimal("1.75")))
    assert only(record, "taxes") == {
        "authority": "Sales tax",
        "amount": Decimal("1.75"),
        "orginal_amount": Decimal("1.75"),
    }


def test_without_tax_there_is_no_child_for_it():
    assert read().children["taxes"] == []


@pytest.mark.parametrize(
    ("header", "lines", "status"),
    [
        ({}, [{}], "Pending"),
        ({"completed": "T"}, [{}], "Pending"),
        ({"completed": "Y"}, [{"qty_invoiced": Decimal(20)}], "Complete"),
        ({"cancel_flag": "Y", "completed": "Y"}, [{}], "Cancelled"),
        ({"delete_flag": "Y"}, [{}], "Cancelled"),
        ({}, [{"cancel_flag": "Y"}, {"qty_canceled": Decimal(20)}], "Cancelled"),
        ({}, [{"cancel_flag": "Y"}, {}], "Pending"),
        ({}, [{"cancel_flag": "Y"}, {"qty_invoiced": Decimal(20)}], "Shipped"),
        ({}, [{"qty_invoiced": Decimal(20)}, {"complete": "Y"}], "Shipped"),
        ({}, [{"qty_invoiced": Decimal(20)}, {}], "Backorder"),
        ({}, [{"qty_invoiced": Decimal(5)}], "Backorder"),
        ({}, [{"disposition": "B"}, {}], "Backorder"),
        ({}, [{"qty_canceled": Decimal(15), "qty_invoiced": Decimal(5)}], "Shipped"),
        ({}, [{"qty_ordered": Decimal(0)}, {}], "Pending"),
        ({"rma_flag": "Y"}, [{"qty_ordered": Decimal(-20)}], "Pending"),
        ({"rma_flag": "Y"}, [{"qty_ordered": Decimal(-20), "qty_invoiced": Decimal(-20)}], "Shipped"),
    ],
)
def test_the_status_follows_flags_and_quantities(header, lines, status):
    found = [line(number, **values) for number, values in enumerate(lines, start=1)]
    assert read(order(**header), *found).body["status"] == status


def test_a_charge_that_is_not_invoiced_yet_does_not_hold_back_the_status():
    assert read(order(), line(qty_invoiced=Decimal(20)), freight()).body["status"] == "Shipped"


def test_a_cancelled_line_stays_and_adds_nothing():
    record = read(order(), line(cancel_flag="Y", sales_tax=Decimal(1)), line(2))
    assert [child.body["status"] for child in record.children["lines"]] == ["Cancelled", "Pending"]
    assert (record.body["subtotal"], record.body["tax_amount"], record.body["total_qty"]) == (25, 0, 2)


def test_a_part_cancelled_line_asks_for_the_rest():
    body = only(read(order(), line(qty_canceled=Decimal(10))), "lines")
    assert (body["qty"], body["extended_price"]) == (1, Decimal("12.5"))


def test_a_deleted_line_is_left_out():
    assert len(read(order(), line(), line(2, delete_flag="Y")).children["lines"]) == 1


def test_a_quote_is_skipped():
    assert ENTITY.records(order(projected_order="Y"), related_rows(given())) == Skip("quote")


def test_an_rma_is_a_return():
    assert read(order(rma_flag="Y")).body["type"] == "Return"


def test_an_rma_may_be_left_out():
    assert with_(returns="skip").records(order(rma_flag="Y"), related_rows(given())) == Skip("return")


def test_freight_goes_into_the_shipping_amount():
    record = read(order(freight_out=Decimal(5)), line(), freight())
    assert (len(record.children["lines"]), record.body["shipping_amount"], record.body["total"]) == (1, 45, 70)


def test_a_cancelled_charge_costs_nothing():
    assert read(order(), line(), freight(cancel_flag="Y")).body["shipping_amount"] == 0


def test_freight_may_have_a_sku_of_its_own():
    record = read(order(), line(), freight(), entity=with_(other_charge_sku="FREIGHT"))
    assert [child.body["sku"] for child in record.children["lines"]] == ["VALVE-20", "FREIGHT"]
    assert (record.body["shipping_amount"], record.body["total"]) == (0, 65)


@pytest.mark.parametrize("item", [None, {"delete_flag": "Y"}, {"item_id": "  "}])
def test_an_item_without_a_product_is_no_parent(item):
    found = item and row_of(CatalogueItem, **{"inv_mast_uid": 12, "item_id": "VALVE-20"} | item)
    related = related_rows(given(item=found))
    assert [parent.entity for parent in ENTITY.parents(order(), related)] == ["company"]
    assert ENTITY.records(order(), related).body["shipping_amount"] == 25


def test_company_and_products_come_first_and_the_contact_may():
    related = related_rows(given([line(), line(2), freight()]))
    found = ENTITY.parents(order(contact_id="5127 "), related)
    assert [(parent.entity, parent.key, parent.member, parent.required) for parent in found] == [
        ("company", ("01", 204410), "company_id", True),
        ("customer", ("5127",), "customer_id", False),
        ("product", (12,), "", True),
    ]


def test_a_products_external_id_is_that_of_its_own_record():
    *_, parent = ENTITY.parents(order(), related_rows(given()))
    [record] = check_entity(product.ENTITY, row_of(product.Item, inv_mast_uid=12, item_id=" VALVE-20 "))
    assert parent.external_id == record.external_id


def test_the_companys_external_id_is_that_of_its_own_record():
    parent, *_ = ENTITY.parents(order(), related_rows(given()))
    row = row_of(company.Customer, company_id="01", customer_id=204410, customer_uid=1, customer_name="Acme")
    [record] = check_entity(company.ENTITY, row)
    assert parent.external_id == record.external_id


def test_the_orders_own_ship_to_comes_before_the_master():
    body = only(read(order(address_id=204411, **DOCK)), "addresses")
    assert (body["address_1"], body["company"], body["country"]) == ("Dock 4", "Acme Supply", "United States")
    assert (body["type"], body["is_primary_shipping"], body["is_primary_billing"]) == ("Shipping", True, False)


@pytest.mark.parametrize("missing", ["ship2_add1", "ship2_city", "ship2_zip"])
def test_an_incomplete_ship_to_is_that_of_the_master_under_the_orders_name(missing):
    body = only(read(order(address_id=204411, **DOCK | {missing: None})), "addresses")
    assert (body["address_1"], body["company"]) == ("1 Main St", "Acme Supply")


def test_without_any_address_the_order_goes_all_the_same():
    assert read(order()).children["addresses"] == []


@pytest.mark.parametrize(
    ("choice", "method"), [("carrier_id", "155509"), ("carrier_name", "UPS Ground"), ("none", None)]
)
def test_the_shipping_method_is_named_as_configured(choice, method):
    record = read(order(carrier_id=155509, **DOCK), entity=with_(shipping_method=choice))
    assert only(record, "addresses").get("shipping_method") == method


def test_the_po_number_is_a_note():
    assert only(read(order(po_no="PO-4711 ")), "notes")["text"] == "PO-4711"


def test_orders_of_the_hub_are_updated_in_state_only():
    assert ENTITY.route.born == ("status",)
    assert ENTITY.route.born_children == {"lines": ("status", "qty_shipped")}


def test_a_deleted_order_is_cancelled_in_the_hub():
    assert ENTITY.route.inactive == {"status": "Cancelled"}
