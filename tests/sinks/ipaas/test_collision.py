from __future__ import annotations

import pytest
from msgspec.structs import replace

from p21d.errors import RecordRefused
from p21d.sandbox.hub.server import HubSandbox
from p21d.sinks.ipaas import CollisionRule
from p21d.sinks.port import Acknowledged, Delivery
from tests.sinks.ipaas.records import TRANSACTION, customer, inventory, location, product

SHELF = {"sku": "ABC", "name": "Of the shop", "type": "Physical", "tracking_method": "Product", "status": "Active"}


async def deliver_one(sink, delivery):
    answers = []
    await sink.deliver([delivery], answers)
    return answers[0]


def transaction(kind: str, external_id: str = "1001") -> Delivery:
    body = {"transaction_number": external_id, "type": kind, "status": "Pending", "total": 1}
    return Delivery(
        entity=kind, key=external_id, external_id=external_id, route=TRANSACTION, body=body, children={"lines": ()}
    )


@pytest.mark.parametrize("names_holder", [True, False])
@pytest.mark.parametrize("error_style", ["body", "reason", "reason_code", "both", "problem", "text"])
async def test_an_existing_record_is_updated_and_linked(sink, hub: HubSandbox, names_holder, error_style):
    shelf = hub.create("product", **SHELF)
    hub.settings.names_holder, hub.settings.error_style = names_holder, error_style

    answer = await deliver_one(sink, product())

    assert answer.hub_id == str(shelf["id"])
    assert await sink.find(product().route, "ABC") == answer.hub_id
    assert [item["name"] for item in hub.records("product")] == ["Ball valve"]


async def test_the_error_form_leaves_an_existing_record_alone(make_sink, hub):
    hub.create("product", **SHELF)
    sink = make_sink(collision="error")

    answer = await deliver_one(sink, product())

    assert isinstance(answer, RecordRefused)
    assert answer.code == "collision"
    assert hub.records("product")[0]["name"] == "Of the shop"


async def test_remap_and_link_links_before_it_updates(make_sink, hub):
    hub.create("product", **SHELF)
    sink = make_sink(collision="remap_and_link")

    await deliver_one(sink, product())

    written = [call.path.rpartition("/v2/")[2].split("?")[0] for call in hub.requests if call.status == 200]
    assert written.index("External/UpdateExternalId") < len(written) - 1
    assert hub.records("product")[0]["name"] == "Ball valve"


async def test_update_and_no_link_updates_without_a_link(make_sink, hub):
    hub.create("product", **SHELF)
    sink = make_sink(collision="update_and_no_link")

    answer = await deliver_one(sink, product())

    assert answer.links == ()
    assert await sink.find(product().route, "ABC") is None
    assert hub.records("product")[0]["name"] == "Ball valve"


async def test_a_rule_of_the_entity_comes_before_the_sinks(make_sink, hub):
    hub.create("product", **SHELF)
    sink = make_sink(rules={"product": CollisionRule("error")})

    assert isinstance(await deliver_one(sink, product()), RecordRefused)


async def test_match_first_finds_a_record_where_nothing_is_unique(make_sink, hub):
    hub.settings.check_unique = False
    shelf = hub.create("product", **SHELF)

    answer = await deliver_one(make_sink(match_first=True), product())

    assert answer.hub_id == str(shelf["id"])
    assert len(hub.records("product")) == 1


async def test_match_first_takes_nothing_from_a_list_whose_filter_is_ignored(make_sink, hub):
    hub.settings.filter_ignored = True
    hub.create("product", **{**SHELF, "sku": "OTHER"})

    await deliver_one(make_sink(match_first=True), product())

    assert len(hub.records("product")) == 2


async def test_a_record_linked_to_another_of_our_keys_is_never_taken(sink, hub):
    await deliver_one(sink, customer("12345"))

    answer = await deliver_one(sink, replace(customer("67890"), body=customer("12345").body))

    assert isinstance(answer, RecordRefused)
    assert await sink.find(customer().route, "67890") is None


async def test_a_record_of_another_type_is_never_taken(sink, hub):
    hub.create("product", **{**SHELF, "type": "Virtual"})

    answer = await deliver_one(sink, product())

    assert isinstance(answer, RecordRefused)
    assert hub.records("product")[0]["type"] == "Virtual"


async def test_an_invoice_is_not_written_over_the_order_of_the_same_number(sink, hub):
    await deliver_one(sink, transaction("Order"))

    answer = await deliver_one(sink, transaction("Invoice"))

    assert answer.code == "other-type"
    assert [item["type"] for item in hub.records("transaction")] == ["Order"]


async def test_several_records_with_the_natural_key_are_left_to_a_person(make_sink, hub):
    hub.settings.check_unique = False
    for _ in range(2):
        hub.create("product", **SHELF)

    answer = await deliver_one(make_sink(match_first=True), product())

    assert answer.code == "ambiguous"


async def test_an_inventory_is_found_by_its_product_and_location(sink, hub):
    made, place = await deliver_one(sink, product()), await deliver_one(sink, location())
    ids = {"parent_id": int(made.hub_id), "location_id": int(place.hub_id)}
    shelf = hub.create("inventory", **ids, qty_on_hand=1)
    hub.settings.names_holder = False

    answer = await deliver_one(sink, inventory(made.hub_id, place.hub_id))

    assert isinstance(answer, Acknowledged)
    assert answer.hub_id == str(shelf["id"])
