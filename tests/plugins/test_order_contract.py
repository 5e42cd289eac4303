"""The contract of a mapping: each check has a mapping that must fail it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from p21d.order import Held, Order, OrderLine, OrderMapping, OrderMark
from p21d.plugin import Options
from p21d.testing import BrokenContract, check_mapping, check_mark
from tests.plugins.test_order import ACME, FOUND, ORDER, VALVE


class Keys(Options, frozen=True):
    """The defaults of the mappings here."""

    taker: str = "P21D"


LINE = OrderLine(user_line_no="010", hub_line_id=VALVE.id, item_id="VALVE-20", unit_quantity=Decimal(4))
GOOD = Order(
    customer_id=ACME,
    ship_to_id=ACME,
    sales_location_id=10,
    source_location_id=20,
    order_date=FOUND.today,
    requested_date=FOUND.today + timedelta(days=1),
    taker="P21D",
    lines=[LINE],
)


def mapping(answer=GOOD, **changes):
    order = answer if callable(answer) else lambda *_: answer
    mark = lambda row: OrderMark(order_no=row.order_no, customer_id=1)  # noqa: E731  # one of several functions
    fixed = {"name": "mine", "entity": "transaction", "company_entity": "company", "contact_entity": "customer"}
    return OrderMapping(**{**fixed, "defaults": Keys, "order": order, "mark": mark, **changes})


def test_a_good_mapping_passes():
    assert check_mapping(mapping(), ORDER, found=FOUND) == [GOOD]


def test_an_order_may_be_held():
    assert check_mapping(mapping(Held("no SKU")), ORDER, found=FOUND) == [Held("no SKU")]


def test_the_configured_defaults_are_handed_on():
    mine = mapping(lambda order, found, keys: replace(GOOD, taker=keys.taker))
    [order] = check_mapping(mine, ORDER, found=FOUND, defaults=Keys(taker="WEB"))
    assert order.taker == "WEB"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"customer_id": 1}, "customer 1 is not the order's"),
        ({"ship_to_id": 1}, "ship-to 1 is none of the customer's"),
        ({"sales_location_id": 1}, "location 1 is no active one of company 01"),
        ({"source_location_id": 1}, "location 1 is no active one"),
        ({"contact_id": "1"}, "contact 1 is not the customer's"),
        ({"requested_date": FOUND.today}, "is not after the order date"),
        ({"taker": " "}, "it has no taker"),
        ({"header": {"company_id": "01"}}, "header sets company_id"),
        ({"header": {"approved": True}}, "approved is True: every value that P21 takes is text"),
        ({"ship_to": {"phys_city": None}}, "phys_city is None"),
        ({"buyer_po": 4711}, "buyer_po is 4711"),
        ({"lines": []}, "it has no lines"),
        ({"lines": [LINE, LINE]}, "two lines have one user_line_no"),
        ({"lines": [replace(LINE, user_line_no=" ")]}, "user_line_no must have 1 to 25"),
        ({"lines": [replace(LINE, user_line_no="0" * 26)]}, "user_line_no must have 1 to 25"),
        ({"lines": [replace(LINE, hub_line_id="1")]}, "the hub order has no line 1"),
        ({"lines": [replace(LINE, item_id="X")]}, "P21 has no item X"),
        ({"lines": [replace(LINE, unit_of_measure="Pallet")]}, "has no unit of measure Pallet"),
        ({"lines": [replace(LINE, unit_quantity=Decimal(0))]}, "its quantity is"),
        ({"lines": [replace(LINE, unit_quantity=4)]}, "its quantity is 4"),
        ({"lines": [replace(LINE, unit_quantity=Decimal("NaN"))]}, "its quantity is"),
        ({"lines": [replace(LINE, unit_price=12.5)]}, "its price is 12.5"),
        ({"lines": [replace(LINE, unit_price=Decimal("Infinity"))]}, "its price is"),
    ],
)
def test_what_p21_or_the_core_could_not_live_with_is_told(changes, told):
    with pytest.raises(BrokenContract, match=told):
        check_mapping(mapping(replace(GOOD, **changes)), ORDER, found=FOUND)


def test_a_held_order_needs_a_reason():
    with pytest.raises(BrokenContract, match="a Held has no reason"):
        check_mapping(mapping(Held(" ")), ORDER, found=FOUND)


def test_an_order_without_an_address_must_be_held():
    with pytest.raises(BrokenContract, match="without a shipping address"):
        check_mapping(mapping(), replace(ORDER, addresses=()), found=FOUND)


def test_two_calls_must_agree():
    count = itertools.count()
    with pytest.raises(BrokenContract, match="two calls with one order differ"):
        check_mapping(mapping(lambda *_: replace(GOOD, buyer_po=str(next(count)))), ORDER, found=FOUND)


def test_an_item_that_skus_does_not_name_is_not_known_to_the_mapping():
    seen = []
    mine = mapping(
        lambda order, found, keys: seen.append(dict(found.items)) or Held("looked"), skus=lambda *_: ["VALVE-20"]
    )
    check_mapping(mine, ORDER, found=FOUND)
    assert list(seen[0]) == ["VALVE-20"]


def test_an_empty_sku_is_not_asked_for():
    with pytest.raises(BrokenContract, match="skus names an empty one"):
        check_mapping(mapping(skus=lambda *_: [""]), ORDER, found=FOUND)


class Strict(Options, frozen=True):
    """Defaults with a key that must be set."""

    taker: str


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "My Orders"}, "its name is not a word"),
        ({"mark": "order_no"}, "mark is not a function"),
        ({"defaults": dict}, "defaults is not a Struct"),
        ({"defaults": Strict}, "taker of its defaults has no default"),
    ],
)
def test_a_declaration_that_cannot_work_is_told(changes, told):
    with pytest.raises(BrokenContract, match=told):
        check_mapping(mapping(**changes), ORDER, found=FOUND)


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        (lambda row: row.order_no, "mark answers str"),
        (lambda row: OrderMark(order_no="", customer_id=1), "no order number"),
        (lambda row: OrderMark(order_no="1", customer_id=1, po_no="4711 "), "padded"),
    ],
)
def test_a_mark_by_which_nothing_is_recognised_is_told(mark, told):
    with pytest.raises(BrokenContract, match=told):
        check_mark(mapping(mark=mark), SimpleNamespace(order_no="1"))
