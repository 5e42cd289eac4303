"""What the lines of a hub order are."""

from __future__ import annotations

from decimal import Decimal

import pytest

from p21d.hub_lines import sort_lines
from p21d.order import HubLine, HubOrder


def line(type_="Product", price="1", quantity="1", **more):
    return HubLine(id="1", type=type_, unit_price=Decimal(price), quantity=Decimal(quantity), **more)


def sort(*lines, **order):
    return sort_lines(HubOrder(id="7", number="7", type="Order", status="Pending", lines=lines, **order))


@pytest.mark.parametrize("type_", ["Product", "product", " PRODUCT ", ""])
def test_goods_are_known_however_the_hub_writes_it(type_):
    assert len(sort(line(type_)).products) == 1


def test_a_negative_price_is_a_discount_whatever_its_type():
    found = sort(line(price="-2", quantity="2"), line("Shipping", "-1"))
    assert (found.products, found.discount, found.freight) == ([], Decimal(5), Decimal(0))


def test_the_larger_of_lines_and_order_counts():
    assert sort(line("Freight", "3"), shipping_amount=Decimal(8)).freight == Decimal(8)
    assert sort(line("Freight", "9"), shipping_amount=Decimal(8)).freight == Decimal(9)
    assert sort(line(price="-9"), discount_amount=Decimal(8)).discount == Decimal(9)


def test_lines_of_one_sequence_keep_the_order_of_their_ids():
    lines = [HubLine(id=number, type="Product") for number in ("10", "9", "100")]
    assert [one.id for one in sort(*lines).products] == ["9", "10", "100"]


def test_what_is_cancelled_or_costs_nothing_is_nothing():
    found = sort(line(status="Cancelled"), line("Gift Card", "0"))
    assert (found.products, found.others) == ([], [])
    assert len(sort(line("Gift Card", "5")).others) == 1
