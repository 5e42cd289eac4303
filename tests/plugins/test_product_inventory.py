from __future__ import annotations

from decimal import Decimal

import pytest

from p21d.plugin import Skip
from p21d.testing import check_entity, related_rows, row_of
from plugins import location, product
from plugins.product_inventory import ENTITY, ITEM, Stock, StockedItem

KNOWN = (location.ENTITY, product.ENTITY)


def stock(**values):
    return row_of(Stock, **{"inv_mast_uid": 12, "location_id": 10, "company_id": "01"} | values)


def item(**values):
    return row_of(StockedItem, **{"inv_mast_uid": 12, "item_id": "VALVE-20"} | values)


def read(row, of=None):
    [record] = check_entity(ENTITY, row, related={ITEM: [of or item()]}, known=KNOWN)
    return record


def test_available_is_on_hand_less_allocated():
    row = stock(qty_on_hand=Decimal("40.000000000"), qty_allocated=Decimal("8.500000000"))
    assert read(row).body == {"qty_on_hand": Decimal(40), "qty_available": Decimal("31.5")}


def test_more_allocated_than_on_hand_is_negative():
    assert read(stock(qty_on_hand=Decimal(1), qty_allocated=Decimal(3))).body["qty_available"] == -2


def test_null_quantities_are_zero():
    assert read(stock()).body == {"qty_on_hand": 0, "qty_available": 0}


def test_the_cost_is_the_moving_average():
    assert read(stock(moving_average_cost=Decimal("7.810000000"))).body["cost"] == Decimal("7.81")


@pytest.mark.parametrize("text", ["40", "40.000000000", "4E+1", "40.0"])
def test_one_quantity_has_one_form(text):
    assert str(read(stock(qty_on_hand=Decimal(text))).body["qty_on_hand"]) == "40"


@pytest.mark.parametrize("text", ["0", "0E-9", "-0.00"])
def test_no_stock_has_one_form(text):
    assert str(read(stock(qty_on_hand=Decimal(text))).body["qty_on_hand"]) == "0"


def test_stock_is_known_by_item_and_location():
    values = read(stock(), item(item_id=" VÄLVE/20 ")).external_id
    assert ENTITY.external_id.format_map(values) == "VÄLVE/20|10"


def test_the_product_is_a_parent_by_its_key():
    [parent, _] = ENTITY.parents(stock(), related_rows({ITEM: [item(item_id=" VALVE-20")]}))
    assert (parent.entity, parent.key, parent.member, parent.required) == ("product", (12,), "parent_id", True)
    assert parent.external_id["item_id"] == "VALVE-20"


def test_the_location_is_a_parent_by_its_key():
    [_, parent] = ENTITY.parents(stock(), related_rows({ITEM: [item()]}))
    assert (parent.entity, parent.key, parent.member, parent.required) == ("location", (10,), "location_id", True)


def test_a_parents_external_id_is_that_of_its_own_record():
    [parent, _] = ENTITY.parents(stock(), related_rows({ITEM: [item(item_id="A ")]}))
    [record] = check_entity(product.ENTITY, row_of(product.Item, inv_mast_uid=12, item_id="A "))
    assert parent.external_id == record.external_id


def test_the_locations_external_id_is_that_of_its_own_record():
    [_, parent] = ENTITY.parents(stock(), related_rows({ITEM: [item()]}))
    row = row_of(location.Location, location_id=10, company_id="01 ", location_name="Dayton")
    [record] = check_entity(location.ENTITY, row)
    assert parent.external_id == record.external_id


def test_stock_without_an_item_is_skipped():
    assert ENTITY.records(stock(), related_rows()) == Skip("no item")


def test_stock_without_an_item_names_no_parent():
    assert list(ENTITY.parents(stock(), related_rows())) == []


def test_stock_of_a_deleted_item_is_skipped():
    assert ENTITY.records(stock(), related_rows({ITEM: [item(delete_flag="Y")]})) == Skip("item deleted")


def test_deleted_stock_becomes_none():
    assert ENTITY.route.inactive == {"qty_on_hand": 0, "qty_available": 0}


def test_stock_is_created_under_its_product():
    assert ENTITY.route.under == "parent_id"
