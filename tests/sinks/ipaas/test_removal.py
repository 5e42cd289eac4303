"""Children that a record has no more: removed by their own call, sent as inactive, or told to be left behind."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from p21d.errors import RecordFailed, Unavailable
from p21d.plugin import Route
from p21d.sandbox.faults import Fault
from p21d.sinks.port import ChildDelivery, Delivery, LinkedChild
from tests.sinks.ipaas.records import address, customer, product

UNITS = Route(resource="product", natural_key="sku", children={"units": "unit"})


async def deliver(sink, *batch):
    answers = []
    await sink.deliver(batch, answers)
    return answers


async def with_two_addresses(sink):
    """Deliver a customer with two addresses; return the delivery that has only the first, and the second's id."""
    first, second = address("12345|1"), address("12345|2", "2 Side St")
    [answer] = await deliver(sink, customer("12345", first, second))
    ids = {link.external_id: link.hub_id for link in answer.links}
    left = {"addresses": [LinkedChild("12345|2", ids["12345|2"])]}
    kept = replace(first, hub_id=ids["12345|1"])
    return customer("12345", kept, hub_id=answer.hub_id, left_behind=left), ids["12345|2"]


def addresses(hub):
    return {item["address_1"]: item["active"] for item in hub.records("customer")[0]["addresses"]}


async def test_an_address_is_removed_with_its_link(sink, hub):
    delivery, _ = await with_two_addresses(sink)
    [answer] = await deliver(sink, delivery)
    assert addresses(hub) == {"1 Main St": True, "2 Side St": False}
    assert (answer.left_behind, answer.warning) == ((), "")
    gone = hub.records("customer")[0]["addresses"][1]
    assert gone["external_ids"] == []


async def test_a_removal_may_be_repeated(sink, hub):
    delivery, _ = await with_two_addresses(sink)
    for _ in range(2):
        [answer] = await deliver(sink, delivery)
    assert answer.left_behind == ()
    assert addresses(hub) == {"1 Main St": True, "2 Side St": False}


async def test_an_address_whose_path_answers_404_is_left_behind_while_its_customer_is_found(sink, hub):
    delivery, hub_id = await with_two_addresses(sink)
    hub.settings.change({"own_paths_off": ["customer_address"]})
    [answer] = await deliver(sink, delivery)
    assert [link.hub_id for link in answer.left_behind] == [hub_id]
    assert "12345|2" in answer.warning


@pytest.mark.parametrize("status", [404, 405])
async def test_a_hub_that_finds_nothing_is_an_outage_for_a_removal_too(sink, hub, status):
    delivery, _ = await with_two_addresses(sink)
    hub.faults.add(Fault(kind="status", status=status, path="*/Address/*", body=""))
    hub.faults.add(Fault(kind="status", status=404, path="*/External/*", body=""))
    with pytest.raises(Unavailable):
        await deliver(sink, delivery)


async def test_a_removal_that_fails_is_a_failure_of_the_record(sink, hub):
    delivery, _ = await with_two_addresses(sink)
    hub.faults.add(Fault(kind="status", status=500, path="*/Address/*", times=1))
    [answer] = await deliver(sink, delivery)
    assert isinstance(answer, RecordFailed)


def with_units(*names, route=UNITS, **changes) -> Delivery:
    units = [ChildDelivery(external_id=f"ABC|{name}", body={"name": name, "conversion": 1}) for name in names]
    return replace(product("ABC"), route=route, children={"units": units}, **changes)


async def remove_case(sink, route=UNITS):
    [answer] = await deliver(sink, with_units("EA", "CASE", route=route))
    ids = {link.external_id: link.hub_id for link in answer.links}
    left = {"units": [LinkedChild("ABC|CASE", ids["ABC|CASE"])]}
    [answer] = await deliver(sink, with_units("EA", route=route, hub_id=answer.hub_id, left_behind=left))
    return answer


async def test_a_unit_has_no_call_of_its_own_and_is_left_behind(sink, hub):
    answer = await remove_case(sink)
    assert [link.external_id for link in answer.left_behind] == ["ABC|CASE"]
    assert "ABC|CASE" in answer.warning


async def test_a_unit_that_the_put_has_removed_is_not_left_behind(sink, hub):
    hub.settings.change({"put_mode": "delete_absent_children"})
    answer = await remove_case(sink)
    assert (answer.left_behind, answer.warning) == ((), "")


async def test_a_unit_is_sent_as_inactive_where_its_route_says_how(sink, hub):
    route = dataclasses.replace(UNITS, inactive_children={"units": {"conversion": 0}})
    answer = await remove_case(sink, route)
    units = {unit["name"]: unit["conversion"] for unit in hub.records("product")[0]["units"]}
    assert units == {"EA": 1, "CASE": 0}
    assert [link.external_id for link in answer.left_behind] == ["ABC|CASE"]
    assert answer.warning == ""
