from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.errors import OrderUnfit, RecordError
from p21d.prophet21.orders.render import plain, render_order
from tests.prophet21.orders.conftest import REFERENCE, body_of, edits_of, line, order


def rendered(one, text=REFERENCE, field="po_no"):
    return render_order(one, reference_text=text, reference_field=field)


def header_of(one, text=REFERENCE, field="po_no"):
    return edits_of(body_of(rendered(one, text, field))["TABPAGE_1.order"])


def test_the_header_is_typed_in_the_proven_order():
    assert header_of(order()) == [
        ("customer_id", "200003"),
        ("ship_to_id", "6000005"),
        ("sales_loc_id", "30"),
        ("source_loc_id", "20"),
        ("order_date", "2026-11-02"),
        ("requested_date", "2026-11-04"),
        ("po_no", REFERENCE),
        ("contact_id", "5003"),
        ("taker", "P21D"),
    ]


def test_the_envelope_is_the_one_p21_takes():
    body = msgspec.json.decode(rendered(order()))
    assert {name: body[name] for name in ("Name", "UseCodeValues", "IgnoreDisabled")} == {
        "Name": "Order",
        "UseCodeValues": False,
        "IgnoreDisabled": False,
    }
    (transaction,) = body["Transactions"]
    assert transaction["Status"] == "New"


def test_lines_are_kept_apart_by_our_number_which_is_typed_first():
    items = body_of(rendered(order()))["TP_ITEMS.items"]
    assert (items["Type"], items["Keys"]) == ("List", ["user_line_no"])
    assert edits_of(items, 0) == [
        ("user_line_no", "010"),
        ("oe_order_item_id", "VALVE-000012"),
        ("unit_of_measure", "EA"),
        ("unit_quantity", "4"),
        ("unit_price", "12.5"),
    ]


def test_what_is_left_to_p21_is_not_sent():
    one = order(line(unit_of_measure="", unit_price=None), contact_id="")
    items = body_of(rendered(one))["TP_ITEMS.items"]
    assert [name for name, _ in edits_of(items)] == ["user_line_no", "oe_order_item_id", "unit_quantity"]
    assert "contact_id" not in dict(header_of(one))


def test_every_value_is_a_text():
    elements = body_of(rendered(order(ship_to={"phys_city": "Columbus"}, header={"source_id": "WEB"})))
    values = [edit["Value"] for one in elements.values() for row in one["Rows"] for edit in row["Edits"]]
    assert values
    assert all(type(value) is str for value in values)


def test_a_reference_elsewhere_leaves_the_buyers_po_in_its_place():
    header = dict(header_of(order(buyer_po=" PO 77 "), "H-88", "job_name"))
    assert (header["po_no"], header["job_name"]) == ("PO 77", "H-88")


def test_po_no_is_sent_even_where_the_buyer_has_none():
    header = dict(header_of(order(), "H-88", "job_name"))
    assert (header["po_no"], header["job_name"]) == ("H-88", "H-88")


def test_a_udf_carries_the_reference_under_its_own_name():
    assert dict(header_of(order(), "H-88", "hub_ref"))["hub_ref"] == "H-88"


def test_carrier_instructions_and_further_edits_follow():
    one = order(carrier="UPS Ground", delivery_instructions="Dock\n4", header={"packing_basis": "Partial", "x": " "})
    assert header_of(one)[9:] == [
        ("oe_hdr_carrier_id", "UPS Ground"),
        ("delivery_instructions", "Dock 4"),
        ("packing_basis", "Partial"),
    ]


def test_an_address_of_its_own_stands_between_header_and_lines():
    elements = body_of(rendered(order(ship_to={"ship_to_name": "Yard", "phys_address2": ""})))
    assert list(elements) == ["TABPAGE_1.order", "TP_SHIPTO.shipto", "TP_ITEMS.items"]
    assert edits_of(elements["TP_SHIPTO.shipto"]) == [("ship_to_name", "Yard"), ("phys_address2", "")]


def test_without_one_the_element_is_left_out():
    assert "TP_SHIPTO.shipto" not in body_of(rendered(order()))


def test_the_same_order_renders_to_the_same_bytes():
    assert rendered(order()) == rendered(order())


def test_an_item_keeps_the_blank_p21_has_before_it():
    items = body_of(rendered(order(line(item=" HOSE-000004 "))))["TP_ITEMS.items"]
    assert dict(edits_of(items))["oe_order_item_id"] == " HOSE-000004"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("12.50", "12.5"),
        ("1E+1", "10"),
        ("1E-9", "0.000000001"),
        ("100", "100"),
        ("0", "0"),
        ("0.30000000000000004", "0.3"),
    ],
)
def test_numbers_are_written_plainly(number, text):
    assert plain(Decimal(number)) == text


@given(st.decimals(min_value="0.000000001", max_value="9999999999", places=9))
def test_no_number_has_an_exponent_or_loses_a_place(number):
    text = plain(number)
    assert set(text) <= set("0123456789.")
    assert Decimal(text) == number


TOO_LONG = [
    ("po_no", order(), "x" * 51, "po_no"),
    ("job_name", order(), "x" * 41, "job_name"),
    ("po_no", order(buyer_po="x" * 51), "ok", "job_name"),
    ("user_line_no", order(line("x" * 26)), "ok", "po_no"),
    ("oe_order_item_id", order(line(item="x" * 41)), "ok", "po_no"),
    ("extended_desc", order(line(extended_desc="x" * 256)), "ok", "po_no"),
    ("unit_of_measure", order(line(unit_of_measure="x" * 9)), "ok", "po_no"),
    ("taker", order(taker="x" * 31), "ok", "po_no"),
    ("contact_id", order(contact_id="x" * 17), "ok", "po_no"),
    ("delivery_instructions", order(delivery_instructions="x" * 256), "ok", "po_no"),
    ("phys_postal_code", order(ship_to={"phys_postal_code": "x" * 11}), "ok", "po_no"),
    ("ship_to_name", order(ship_to={"ship_to_name": "x" * 51}), "ok", "po_no"),
    ("source_id", order(header={"source_id": "x" * 9}), "ok", "po_no"),
]
MISSING = [
    ("po_no", order(), " ", "po_no"),
    ("customer_id", order(customer_id=0), "ok", "po_no"),
    ("ship_to_id", order(ship_to_id=0), "ok", "po_no"),
    ("sales_loc_id", order(sales_location_id=0), "ok", "po_no"),
    ("source_loc_id", order(source_location_id=-1), "ok", "po_no"),
    ("taker", order(taker=" "), "ok", "po_no"),
    ("user_line_no", order(line(" ")), "ok", "po_no"),
    ("oe_order_item_id", order(line(item=" ")), "ok", "po_no"),
    ("TP_ITEMS.items", order(lines=()), "ok", "po_no"),
]
WRONG = [
    ("company_id", order(header={"company_id": "01"}), "ok", "po_no"),
    ("po_no", order(header={"po_no": "mine"}), "ok", "po_no"),
    ("job_name", order(header={"job_name": "mine"}), "ok", "job_name"),
    ("user_line_no", order(line("10"), line("10 ")), "ok", "po_no"),
    ("unit_quantity", order(line(quantity=0)), "ok", "po_no"),
    ("unit_quantity", order(line(quantity="1E-12")), "ok", "po_no"),
    ("unit_quantity", order(line(quantity="-1")), "ok", "po_no"),
    ("unit_quantity", order(line(quantity="NaN")), "ok", "po_no"),
    ("unit_price", order(line(unit_price=Decimal("1E+10"))), "ok", "po_no"),
    ("requested_date", order(requested_date=date(2026, 11, 2)), "ok", "po_no"),
    ("phys_county", order(ship_to={"phys_county": "Franklin"}), "ok", "po_no"),
    ("po_no", order(), "a\nb", "po_no"),
    ("po_no", order(), "\u8ba2\u5355 7", "po_no"),
]


@pytest.mark.parametrize(("named", "one", "text", "field"), [*TOO_LONG, *MISSING, *WRONG])
def test_what_p21_would_refuse_is_named_before_it_is_touched(named, one, text, field):
    with pytest.raises(OrderUnfit) as raised:
        rendered(one, text, field)
    assert raised.value.field == named
    assert isinstance(raised.value, RecordError)


@pytest.mark.parametrize(("field", "length"), [("po_no", 50), ("job_name", 40)])
def test_a_reference_may_fill_its_field(field, length):
    assert dict(header_of(order(), "x" * length, field))[field] == "x" * length
