from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from p21d.prophet21.orders.comparison import differences
from p21d.prophet21.orders.port import FoundLine, FoundOrder
from tests.prophet21.orders.conftest import REFERENCE, line, order


def kept(number="010", item="VALVE-000012", quantity="4.000000000", **changes):
    values = {
        "line_no": 1,
        "user_line_no": number,
        "item_id": item,
        "unit_quantity": Decimal(quantity),
        "unit_of_measure": "EA",
        "unit_price": Decimal("12.500000000"),
    }
    return FoundLine(**{**values, **changes})


def found(*lines, **changes):
    values = {
        "order_no": "1400215",
        "company_id": "01",
        "customer_id": 200003,
        "ship_to_id": 6000005,
        "po_no": REFERENCE,
        "reference_text": REFERENCE,
        "taker": "P21D",
        "state": "N",
        "cancelled": False,
        "created_at": None,
        "order_date": date(2026, 11, 2),
        "requested_date": date(2026, 11, 4),
        "contact_id": "5003",
        "sales_location_id": 30,
        "source_location_id": 20,
        "lines": lines or (kept(), kept("020", "BEARING-000008", "2", line_no=2)),
    }
    return FoundOrder(**{**values, **changes})


def told(asked, there, text=REFERENCE, field="po_no"):
    return differences(asked, text, field, there)


def test_what_is_as_asked_has_no_difference():
    assert told(order(), found()) == []


def test_what_was_left_to_p21_is_not_compared():
    asked = order(line(unit_price=None, unit_of_measure=""), contact_id="")
    there = found(kept(unit_price=Decimal(99), unit_of_measure="BX"), contact_id="5001", carrier="UPS Ground")
    assert told(asked, there) == []


def test_case_and_blanks_that_p21_does_not_mind_are_no_difference():
    there = found(kept(item=" valve-000012 ", unit_of_measure="ea "), taker="p21d", contact_id="5003   ")
    assert told(order(line()), there) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"customer_id": 200001}, "customer id: 200003 asked, 200001 in P21"),
        ({"ship_to_id": None}, "ship-to: 6000005 asked, none in P21"),
        ({"sales_location_id": 10}, "sales location: 30 asked, 10 in P21"),
        ({"source_location_id": 30}, "source location: 20 asked, 30 in P21"),
        ({"order_date": date(2026, 11, 3)}, "order date: 2026-11-02 asked, 2026-11-03 in P21"),
        ({"requested_date": None}, "requested date: 2026-11-04 asked, none in P21"),
        ({"taker": "ANN"}, "taker: P21D asked, ANN in P21"),
        ({"contact_id": ""}, "contact: 5003 asked, none in P21"),
        ({"po_no": "4711"}, f"our reference (po_no): {REFERENCE} asked, 4711 in P21"),
        ({"cancelled": True}, "the order is cancelled in P21"),
        ({"deleted": True}, "the order is deleted in P21"),
    ],
)
def test_each_part_of_the_header_is_compared(changes, sentence):
    assert told(order(), found(**changes)) == [sentence]


def test_a_carrier_that_was_asked_for_is_compared():
    assert told(order(carrier="UPS Ground"), found(carrier="Our Truck")) == [
        "carrier: UPS Ground asked, Our Truck in P21"
    ]


def test_an_address_of_its_own_is_compared_where_it_was_asked_for():
    asked = order(ship_to={"phys_city": "Dublin", "phys_state": "oh", "phys_address2": ""})
    there = found(ship_to={"phys_city": "Columbus", "phys_state": "OH", "phys_address2": "Suite 200"})
    assert told(asked, there) == ["ship-to address (phys_city): Dublin asked, Columbus in P21"]


def test_texts_are_compared_as_they_were_typed():
    asked = order(line(extended_desc="mind\nthe step"), delivery_instructions=" Dock\t4 ")
    assert told(asked, found(kept(extended_desc="mind the step"), delivery_instructions="Dock 4")) == []
    assert told(asked, found(kept(), delivery_instructions="")) == [
        "delivery instructions: Dock 4 asked, none in P21",
        "line 010 (VALVE-000012): text: mind the step asked, none in P21",
    ]


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        ((kept(),), "line 020 (BEARING-000008) is missing in P21"),
        ((kept("", line_no=1),), "line 010 (VALVE-000012) is missing in P21"),
    ],
)
def test_a_dropped_line_is_told(there, sentence):
    assert sentence in told(order(), found(*there))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"quantity": "1"}, "line 010 (VALVE-000012): 4 asked, 1 in P21"),
        ({"item": "VALVE-9"}, "line 010 (VALVE-000012): P21 has the item VALVE-9"),
        ({"unit_of_measure": "BX"}, "line 010 (VALVE-000012): unit: EA asked, BX in P21"),
        ({"unit_price": Decimal("12.51")}, "line 010 (VALVE-000012): price 12.5 asked, 12.51 in P21"),
        ({"unit_price": None}, "line 010 (VALVE-000012): price 12.5 asked, none in P21"),
        ({"cancelled": True}, "line 010 (VALVE-000012) is cancelled in P21"),
    ],
)
def test_each_part_of_a_line_is_compared(changes, sentence):
    assert told(order(line()), found(kept(**changes))) == [sentence]


def test_two_lines_of_one_item_that_p21_made_one_are_told():
    asked = order(line("010"), line("020"))
    assert told(asked, found(kept("020", quantity="8"))) == [
        "line 010 (VALVE-000012) is missing in P21",
        "line 020 (VALVE-000012): 4 asked, 8 in P21",
    ]


def test_a_line_that_nobody_asked_for_is_told():
    there = found(kept(), kept("002", "FREIGHT", "1", line_no=2))
    assert told(order(line()), there) == ["line 002 (FREIGHT) is in P21, but was not asked for"]


def test_a_line_that_stands_twice_is_told():
    there = found(kept(), kept(line_no=2))
    assert told(order(line()), there) == ["line 010 (VALVE-000012) stands in P21 twice"]


def test_the_parts_of_an_assembly_are_p21s_own():
    there = found(kept(), kept("", "PART", "1", line_no=2, component=True))
    assert told(order(line()), there) == []


def test_more_places_than_p21_has_are_no_difference():
    asked = order(line(unit_price=Decimal("3.33333333333333"), quantity="0.30000000000000004"))
    there = found(kept(quantity="0.300000000", unit_price=Decimal("3.333333333")))
    assert told(asked, there) == []


def test_a_reference_elsewhere_is_compared_beside_the_po():
    there = found(po_no="PO 8", job_name="H-89", reference_text="H-89")
    assert told(order(buyer_po="PO 7"), there, "H-88", "job_name") == [
        "our reference (job_name): H-88 asked, H-89 in P21",
        "PO number: PO 7 asked, PO 8 in P21",
    ]


def test_a_udf_is_compared_by_what_was_read_of_it():
    there = replace(found(), po_no="PO 7", reference_text="H-88")
    assert told(order(buyer_po="PO 7"), there, "H-88", "hub_ref") == []
