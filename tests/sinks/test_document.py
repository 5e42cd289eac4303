from __future__ import annotations

from decimal import Decimal

from p21d.plugin import Route
from p21d.sinks.document import document, encode, table_of
from p21d.sinks.port import ChildDelivery, Delivery

ROUTE = Route(resource="customer", children={"addresses": "address"})


def delivery(**changes):
    fields = {"entity": "customer", "key": "01|7", "external_id": "7", "route": ROUTE, "body": {"name": "Ann"}}
    return Delivery(**{**fields, **changes})


def test_a_record_stands_beside_its_key():
    assert document(delivery()) == {
        "entity": "customer",
        "key": "01|7",
        "external_id": "7",
        "record": {"name": "Ann"},
    }


def test_children_stand_in_the_record_with_their_external_ids():
    child = ChildDelivery(external_id="7|1", body={"city": "Boise"})
    record = document(delivery(children={"addresses": [child]}))["record"]
    assert record["addresses"] == [{"external_id": "7|1", "city": "Boise"}]


def test_a_parent_stands_under_its_member():
    record = document(delivery(parents={"company_id": "01", "": "unsent"}))["record"]
    assert record == {"name": "Ann", "company_id": "01"}


def test_an_inactive_record_says_so():
    assert document(delivery(active=False))["active"] is False


def test_a_decimal_is_a_number_with_all_its_digits():
    assert encode({"price": Decimal("1.50")}) == b'{"price":1.50}'


def test_links_are_kept_under_the_resource_or_its_child():
    assert (table_of(ROUTE), table_of(ROUTE, "addresses")) == ("customer", "address")
    assert table_of(Route(resource="x", link_table="y")) == "y"
