"""The built-in mapping: what a hub order becomes in P21, and what a person must look at first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.order import (
    Found,
    Held,
    HubAddress,
    HubLine,
    HubOrder,
    P21Customer,
    P21Item,
    P21Location,
    P21ShipTo,
)
from p21d.registry import load_entities
from p21d.testing import check_mapping, check_mark

MAPPING = load_entities().orders
Defaults = MAPPING.defaults
ACME = 204410
WAREHOUSE = 204411

SHIPPING = HubAddress(
    type="Shipping",
    first_name="Ann",
    last_name="Lee",
    company="Acme Supply",
    phone_number="937 555 0100",
    address_1="1 Main Street",
    city="Dayton",
    region="OH",
    postal_code="45402",
    country="United States",
    is_primary_shipping=True,
)
VALVE = HubLine(
    id="620001", sequence_number=1, type="Product", sku="VALVE-20", quantity=Decimal(4), unit_price=Decimal("12.50")
)
ELBOW = HubLine(
    id="620002", sequence_number=2, type="Product", sku="ELBOW-1", quantity=Decimal(1), unit_price=Decimal("3.1000")
)
ORDER = HubOrder(
    id="149049",
    number="WEB-731",
    type="Order",
    status="Pending",
    email_address="ann@acme.example",
    created_at=datetime(2026, 11, 20, tzinfo=UTC),
    lines=(VALVE, ELBOW),
    addresses=(SHIPPING,),
    discount_amount=Decimal(0),
    shipping_amount=Decimal(0),
)
OWN = P21ShipTo(ship_to_id=ACME, name="Acme Supply", address_1="9 High St", postal_code="45402", country="USA")
OTHER = P21ShipTo(
    ship_to_id=WAREHOUSE, name="Acme Warehouse", address_1="77 Dock Rd.", postal_code="45404", preferred_location_id=20
)
FOUND = Found(
    customer=P21Customer(company_id="01", customer_id=ACME, name="Acme Supply"),
    ship_tos=(OWN, OTHER),
    locations={
        10: P21Location(location_id=10, name="Dayton", source_location_id=20),
        20: P21Location(location_id=20, name="Troy", source_location_id=99),
    },
    items={
        "VALVE-20": P21Item(item_id="VALVE-20", inv_mast_uid=1, selling_unit="EA", units=frozenset({"EA", "CS"})),
        "ELBOW-1": P21Item(item_id="ELBOW-1", inv_mast_uid=2, selling_unit="EA", units=frozenset({"EA"})),
        "FREIGHT": P21Item(item_id="FREIGHT", inv_mast_uid=3, selling_unit="EA"),
        "COUPON": P21Item(item_id="COUPON", inv_mast_uid=4, selling_unit="EA"),
    },
    today=date(2026, 12, 1),
    contact_id="5127",
    carriers={"155509": "UPS GROUND"},
)
AT_10 = Defaults(sales_location_id=10)


def mapped(order=ORDER, found=FOUND, defaults=AT_10):
    [answer] = check_mapping(MAPPING, order, found=found, defaults=defaults)
    return answer


def held(order=ORDER, found=FOUND, defaults=AT_10):
    answer = mapped(order, found, defaults)
    assert isinstance(answer, Held), answer
    assert answer.hint.endswith("then p21d orders retry WEB-731")
    return answer


def with_address(**changes):
    return replace(ORDER, addresses=(replace(SHIPPING, **changes),))


def with_lines(*lines, **changes):
    return replace(ORDER, lines=lines, **changes)


def test_an_order_has_its_customer_its_dates_and_its_lines():
    order = mapped()
    assert (order.customer_id, order.taker, order.contact_id) == (ACME, "P21D", "5127")
    assert (order.order_date, order.requested_date) == (date(2026, 12, 1), date(2026, 12, 3))
    lines = [(line.user_line_no, line.item_id, line.unit_quantity, line.unit_of_measure) for line in order.lines]
    assert lines == [("010", "VALVE-20", Decimal(4), "EA"), ("020", "ELBOW-1", Decimal(1), "EA")]
    assert [line.hub_line_id for line in order.lines] == ["620001", "620002"]


def test_lines_go_by_their_sequence():
    order = mapped(with_lines(replace(VALVE, sequence_number=9), ELBOW))
    assert [line.item_id for line in order.lines] == ["ELBOW-1", "VALVE-20"]


def test_two_lines_of_one_item_stay_two():
    order = mapped(with_lines(VALVE, replace(VALVE, id="620009")))
    assert [line.user_line_no for line in order.lines] == ["010", "020"]


def test_a_hundred_and_more_lines_have_numbers_of_their_own():
    order = mapped(with_lines(*(replace(VALVE, id=str(number), sequence_number=number) for number in range(1, 150))))
    assert order.lines[-1].user_line_no == "1490"


def test_a_cancelled_line_is_left_out():
    assert len(mapped(with_lines(VALVE, replace(ELBOW, status="Cancelled"))).lines) == 1


def test_prices_are_the_hub_s_or_p21_s():
    assert [line.unit_price for line in mapped().lines] == [Decimal("12.5"), Decimal("3.1")]
    theirs = mapped(defaults=Defaults(sales_location_id=10, price="p21"))
    assert [line.unit_price for line in theirs.lines] == [None, None]


@pytest.mark.parametrize(("unit", "taken"), [("", "EA"), ("CS", "CS"), ("cs", "CS"), ("Carton", "CS")])
def test_a_unit_is_one_of_the_item_s(unit, taken):
    defaults = Defaults(sales_location_id=10, units={"Carton": "CS"})
    assert mapped(with_lines(replace(VALVE, unit=unit)), defaults=defaults).lines[0].unit_of_measure == taken


def test_an_unknown_unit_is_held_since_four_cartons_are_not_four_pieces():
    problem = held(with_lines(replace(VALVE, unit="Pallet")))
    assert problem.reason == "line 1: VALVE-20 has no unit of measure Pallet in P21"
    assert "orders.defaults.units" in problem.hint
    assert "CS, EA" in problem.hint


def test_an_unknown_sku_is_held_by_line_and_sku():
    problem = held(with_lines(VALVE, replace(ELBOW, sku="ELBOW-99")))
    assert problem.reason == "line 2: P21 has no active item ELBOW-99"
    assert "create the item in P21 or correct the SKU in the hub" in problem.hint


def test_everything_that_is_wrong_is_said_at_once():
    problem = held(
        with_lines(replace(VALVE, sku=""), replace(ELBOW, quantity=None), replace(VALVE, sku="X"), addresses=())
    )
    assert problem.reason == (
        "line 1: it has no SKU; line 1: P21 has no active item X; line 2: ELBOW-1 has the quantity None; "
        "it has no shipping address"
    )


@pytest.mark.parametrize("quantity", [Decimal(0), Decimal(-1)])
def test_a_line_without_a_quantity_is_held(quantity):
    assert f"has the quantity {quantity}" in held(with_lines(replace(VALVE, quantity=quantity))).reason


@pytest.mark.parametrize("lines", [(), (replace(VALVE, status="Cancelled"),)])
def test_an_order_without_goods_is_held(lines):
    assert held(with_lines(*lines)).reason == "it has no line with a product"


def test_an_order_without_a_shipping_address_is_held():
    billing = replace(SHIPPING, type="Billing", is_primary_shipping=False)
    assert held(replace(ORDER, addresses=(billing,))).reason == "it has no shipping address"


@pytest.mark.parametrize("lacking", ["address_1", "city", "postal_code"])
def test_half_an_address_is_held(lacking):
    assert held(with_address(**{lacking: ""})).reason == "its shipping address has no street, city or postal code"


@pytest.mark.parametrize("street", ["77 Dock Rd.", "77  dock ROAD", "77 Dock Road,"])
@pytest.mark.parametrize("code", ["45404", "45404-1234", " 454041234 "])
def test_a_ship_to_is_found_by_its_address_however_it_is_typed(street, code):
    order = mapped(with_address(address_1=street, postal_code=code))
    assert (order.ship_to_id, order.ship_to) == (WAREHOUSE, {})


@pytest.mark.parametrize("changes", [{"address_1": "7 Dock Rd"}, {"postal_code": "45405"}])
def test_a_ship_to_next_door_is_not_taken(changes):
    order = mapped(with_address(**{"address_1": "77 Dock Rd", "postal_code": "45404", **changes}))
    assert order.ship_to_id == ACME


def test_of_two_ship_tos_at_one_address_the_one_of_that_name_is_taken():
    twin = replace(OTHER, ship_to_id=1, name="Acme Returns")
    order = with_address(address_1="77 Dock Rd", postal_code="45404", company="acme warehouse")
    assert mapped(order, replace(FOUND, ship_tos=(OWN, twin, OTHER))).ship_to_id == WAREHOUSE


def test_the_suite_is_said_to_a_ship_to_that_was_found():
    order = mapped(with_address(address_1="77 Dock Rd", postal_code="45404", address_2="Suite 4", address_3="Gate B"))
    assert order.ship_to == {"phys_address2": "Suite 4, Gate B"}


def test_another_address_overrides_the_customer_s_own_ship_to_for_this_order():
    order = mapped()
    assert order.ship_to_id == ACME
    assert order.ship_to == {
        "ship_to_name": "Acme Supply",
        "phys_address1": "1 Main Street",
        "phys_address2": "",
        "phys_city": "Dayton",
        "phys_state": "OH",
        "phys_postal_code": "45402",
        "phys_country": "USA",
        "central_phone_number": "937 555 0100",
        "email_address": "ann@acme.example",
    }


def test_another_country_is_said():
    assert mapped(with_address(country="Canada")).ship_to["phys_country"] == "Canada"


def test_a_person_s_name_stands_in_for_a_company():
    assert mapped(with_address(company="")).ship_to["ship_to_name"] == "Ann Lee"


def test_without_override_another_address_is_held():
    problem = held(defaults=Defaults(sales_location_id=10, override_ship_to=False))
    assert problem.reason == f"customer {ACME} has no ship-to at 1 Main Street, Dayton 45402"
    assert f"add it to customer {ACME} in P21" in problem.hint


def test_a_match_may_be_switched_off():
    order = with_address(address_1="77 Dock Rd", postal_code="45404")
    assert mapped(order, defaults=Defaults(sales_location_id=10, match_ship_to=False)).ship_to_id == ACME


def test_a_customer_with_one_ship_to_of_another_number_has_that_one():
    assert mapped(found=replace(FOUND, ship_tos=(OTHER,))).ship_to_id == WAREHOUSE


@pytest.mark.parametrize("ship_tos", [(), (OTHER, replace(OTHER, ship_to_id=1))])
def test_a_customer_without_a_ship_to_of_its_own_is_held(ship_tos):
    assert "has no ship-to at" in held(found=replace(FOUND, ship_tos=ship_tos)).reason


def test_the_sales_location_is_the_configured_one():
    assert mapped().sales_location_id == 10


def test_else_it_is_the_one_p21_prefers_for_the_ship_to():
    order = with_address(address_1="77 Dock Rd", postal_code="45404")
    assert mapped(order, defaults=Defaults()).sales_location_id == 20


def test_else_it_is_the_only_one_of_the_company():
    found = replace(FOUND, locations={10: FOUND.locations[10]})
    assert mapped(found=found, defaults=Defaults()).sales_location_id == 10


def test_else_the_order_is_held_and_names_the_key():
    problem = held(defaults=Defaults())
    assert problem.reason == f"nothing says which location of company 01 sells to ship-to {ACME}"
    assert "set orders.defaults.sales_location_id to one of 10, 20" in problem.hint


@pytest.mark.parametrize("key", ["sales_location_id", "source_location_id"])
def test_a_configured_location_of_another_company_is_held(key):
    problem = held(defaults=Defaults(**{"sales_location_id": 10, key: 77}))
    assert problem.reason == f"{key} 77 is no active location of the customer's company 01"
    assert f"correct orders.defaults.{key}" in problem.hint


def test_the_source_location_is_configured_or_that_of_the_sales_location():
    assert mapped(defaults=Defaults(sales_location_id=10, source_location_id=10)).source_location_id == 10
    assert mapped().source_location_id == 20
    assert mapped(defaults=Defaults(sales_location_id=20)).source_location_id == 20  # 99 is of another company


def test_the_carrier_is_found_by_the_hub_s_shipping_method():
    assert mapped(with_address(shipping_method="155509")).carrier == "UPS GROUND"
    defaults = Defaults(sales_location_id=10, carriers={"Overnight": "FEDEX 1"}, carrier="WILL CALL")
    assert mapped(with_address(shipping_method="Overnight"), defaults=defaults).carrier == "FEDEX 1"
    assert mapped(defaults=defaults).carrier == "WILL CALL"


def test_a_shipping_method_that_p21_does_not_know_is_said_on_the_pick_ticket():
    order = mapped(with_address(shipping_method="Drone"))
    assert (order.carrier, order.delivery_instructions) == ("", "Attn Ann Lee; ship by Drone")


def test_the_po_is_the_custom_field_else_the_hub_s_number():
    defaults = Defaults(sales_location_id=10, po_custom_field="PO")
    assert mapped(replace(ORDER, custom_fields={"PO": " 4711 "}), defaults=defaults).buyer_po == "4711"
    assert mapped(replace(ORDER, custom_fields={"PO": " "}), defaults=defaults).buyer_po == "WEB-731"
    assert mapped().buyer_po == "WEB-731"


NOTED = replace(ORDER, notes=("Ring the bell.\nTwice.", "x" * 300))


def test_notes_go_onto_the_pick_ticket_as_far_as_it_has_room():
    text = mapped(NOTED).delivery_instructions
    assert text.startswith("Attn Ann Lee; Ring the bell. Twice.; xxx")
    assert (len(text), text[-3:]) == (255, "...")


def test_notes_go_onto_the_first_line_or_nowhere():
    order = mapped(NOTED, defaults=Defaults(sales_location_id=10, notes="line_text"))
    assert order.lines[0].extended_desc.startswith("Ring the bell. Twice.")
    assert (len(order.lines[0].extended_desc), order.delivery_instructions) == (255, "Attn Ann Lee")
    assert mapped(NOTED, defaults=Defaults(sales_location_id=10, notes="none")).lines[0].extended_desc == ""


def test_options_of_a_line_are_its_text():
    order = mapped(with_lines(replace(VALVE, options={"Colour": "red", "Engraving": "A.L."})))
    assert order.lines[0].extended_desc == "Colour: red; Engraving: A.L."


def test_freight_is_p21_s_unless_an_item_carries_it():
    order = replace(ORDER, shipping_amount=Decimal("8.00"))
    assert len(mapped(order).lines) == 2
    line = mapped(order, defaults=Defaults(sales_location_id=10, freight_item="FREIGHT")).lines[-1]
    assert (line.user_line_no, line.item_id, line.unit_quantity) == ("030", "FREIGHT", Decimal(1))
    assert (line.unit_price, line.hub_line_id) == (Decimal(8), "")


def test_a_line_of_freight_that_repeats_the_order_s_amount_counts_once():
    freight = HubLine(id="9", type="Shipping", quantity=Decimal(1), unit_price=Decimal(8))
    order = with_lines(VALVE, freight, shipping_amount=Decimal(8))
    charged = mapped(order, defaults=Defaults(sales_location_id=10, freight_item="FREIGHT"))
    assert [line.unit_price for line in charged.lines] == [Decimal("12.5"), Decimal(8)]


def test_a_freight_item_that_p21_does_not_have_is_held_by_its_key():
    order = replace(ORDER, shipping_amount=Decimal(8))
    problem = held(order, defaults=Defaults(sales_location_id=10, freight_item="FRIEGHT"))
    assert problem.reason == "P21 has no active item FRIEGHT"
    assert "orders.defaults.freight_item" in problem.hint


DISCOUNT_LINE = HubLine(id="9", type="Product", sku="SAVE5", quantity=Decimal(1), unit_price=Decimal(-5))


@pytest.mark.parametrize(
    "order", [replace(ORDER, discount_amount=Decimal(5)), with_lines(VALVE, DISCOUNT_LINE)], ids=["order", "line"]
)
def test_a_discount_that_p21_would_not_take_off_is_held_unless_an_item_carries_it(order):
    assert held(order).reason == "the hub takes 5 off, and P21 would not"
    charged = mapped(order, defaults=Defaults(sales_location_id=10, discount_item="COUPON"))
    assert (charged.lines[-1].item_id, charged.lines[-1].unit_price) == ("COUPON", Decimal(-5))
    assert all(
        line.unit_price is None for line in mapped(order, defaults=Defaults(sales_location_id=10, price="p21")).lines
    )


def test_a_line_of_an_unknown_type_that_costs_something_is_held():
    gift = HubLine(id="9", sequence_number=3, type="Gift Card", unit_price=Decimal(50))
    assert held(with_lines(VALVE, gift)).reason == "line 3: p21d has no rule for lines of type Gift Card"
    assert len(mapped(with_lines(VALVE, replace(gift, unit_price=None))).lines) == 1


def test_only_what_is_needed_is_asked_of_p21():
    defaults = Defaults(freight_item="FREIGHT", discount_item="")
    order = with_lines(VALVE, replace(VALVE, id="2"), DISCOUNT_LINE, replace(ELBOW, status="Cancelled"))
    assert MAPPING.skus(order, defaults) == ["VALVE-20", "FREIGHT"]


def test_constants_go_into_the_header():
    assert mapped(defaults=Defaults(sales_location_id=10, header={"class_1id": "WEB"})).header == {"class_1id": "WEB"}


@pytest.mark.parametrize("field", ["company_id", "po_no", "taker", "customer_id"])
def test_a_constant_for_a_field_with_a_rule_is_refused(field):
    with pytest.raises(ValueError, match=f"header must not set {field}"):
        Defaults(header={field: "1"})


@pytest.mark.parametrize("taker", ["", "  ", "x" * 31])
def test_a_taker_that_p21_cannot_take_is_refused(taker):
    with pytest.raises(ValueError, match="taker"):
        Defaults(taker=taker)


def test_an_order_is_recognised_by_its_row():
    row = SimpleNamespace(order_no="1400215 ", customer_id=ACME, taker=" P21D", po_no="4711 HUB-1 ", job_name=None)
    mark = check_mark(MAPPING, row)
    assert (mark.order_no, mark.customer_id, mark.taker, mark.po_no, mark.job_name) == (
        "1400215",
        ACME,
        "P21D",
        "4711 HUB-1",
        "",
    )


TEXTS = st.text(max_size=400)
HUB_LINES = st.builds(
    HubLine,
    id=st.text("0123456789", min_size=1, max_size=6),
    sequence_number=st.integers(0, 5),
    type=st.sampled_from(["", "Product", "Shipping", "Discount", "Gift Card"]),
    status=st.sampled_from(["", "Pending", "Cancelled"]),
    sku=st.sampled_from(["VALVE-20", "ELBOW-1", "", "X"]),
    quantity=st.none() | st.decimals(-5, 5, places=2),
    unit_price=st.none() | st.decimals(-50, 50, places=4),
    unit=st.sampled_from(["", "EA", "cs", "Pallet"]),
    options=st.dictionaries(TEXTS, TEXTS, max_size=2),
)


@given(
    lines=st.lists(HUB_LINES, max_size=5, unique_by=lambda line: line.id),
    texts=st.lists(TEXTS, min_size=4, max_size=4),
    amounts=st.tuples(*[st.none() | st.decimals(0, 50, places=2)] * 2),
    notes=st.sampled_from(["delivery_instructions", "line_text", "none"]),
)
def test_whatever_the_hub_says_it_is_mapped_by_the_contract_or_held_with_a_reason(lines, texts, amounts, notes):
    address = replace(SHIPPING, company=texts[0], address_1=texts[1], address_2=texts[2], shipping_method=texts[3])
    order = replace(
        ORDER, lines=tuple(lines), addresses=(address,), notes=tuple(texts), shipping_amount=amounts[0],
        discount_amount=amounts[1],
    )  # fmt: skip
    defaults = Defaults(sales_location_id=10, notes=notes, freight_item="FREIGHT", discount_item="COUPON")
    answer = mapped(order, defaults=defaults)
    if not isinstance(answer, Held):
        assert (
            max(len(text) for text in (answer.delivery_instructions, *(x.extended_desc for x in answer.lines))) <= 255
        )
