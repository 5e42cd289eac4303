"""Tracking numbers: by their own calls, else inside the transaction; the vendor's records adopted where they agree."""

from __future__ import annotations

from contextlib import suppress

import pytest
from msgspec.structs import replace

from p21d.errors import ParentMissing, RecordFailed, RecordRefused, Unavailable
from p21d.sandbox.faults import Fault
from p21d.sandbox.hub import OTHER_SYSTEM
from p21d.sinks.port import Acknowledged
from tests.sinks.ipaas.records import ORDERS, TRACKING, tracking

MODES = ["replace", "merge", "delete_absent_children"]


async def deliver_one(sink, delivery):
    answers = []
    await sink.deliver([delivery], answers)
    return answers[0]


@pytest.fixture
def order_id(hub):
    """An order of the web shop in the hub, and the shipping method of its parcels."""
    (hub_id,) = hub.seed_orders(1, types=("Order",), statuses=("Pending",))
    hub.create("shipping_method", name="UPS")
    return str(hub_id)


@pytest.fixture(params=[404, 405])
def without_calls(request, hub):
    """A hub that has no calls for tracking numbers of their own."""
    hub.settings.own_paths_off, hub.settings.own_paths_off_status = ["tracking"], request.param


def shown(hub):
    return hub.records("transaction")[0]["tracking"]


def calls(hub, part):
    return [call.method for call in hub.requests if part in call.path]


def whole(hub):
    """Return the transaction without what a tracking number and a write may change."""
    record = dict(hub.records("transaction")[0])
    for name in ("tracking", "writes", "updated_datetime"):
        record.pop(name)
    for member in ("lines", "taxes", "addresses", "payments", "notes"):
        record[member] = [{name: value for name, value in item.items() if name != "writes"} for item in record[member]]
    return record


async def test_a_number_goes_by_its_own_call(sink, hub, order_id):
    answer = await deliver_one(sink, tracking(order_id))

    assert isinstance(answer, Acknowledged)
    assert [(item["tracking_number"], item["id"]) for item in shown(hub)] == [("1Z001", answer.hub_id)]
    assert await sink.find(TRACKING, "UPS|1001|1Z001") == answer.hub_id


async def test_a_known_number_is_one_call(sink, hub, order_id):
    hub_id = (await deliver_one(sink, tracking(order_id))).hub_id
    hub.counters.clear()
    body = {"shipping_method": "UPS", "tracking_number": "1Z001", "cost": 9}

    await deliver_one(sink, tracking(order_id, hub_id=hub_id, body=body))

    assert calls(hub, "") == ["PUT"]
    assert shown(hub)[0]["cost"] == 9


@pytest.mark.parametrize("mode", MODES)
async def test_without_calls_of_its_own_it_goes_inside_the_transaction(sink, hub, order_id, without_calls, mode):
    hub.settings.put_mode, before = mode, whole(hub)

    first = await deliver_one(sink, tracking(order_id))
    second = await deliver_one(sink, tracking(order_id, "1Z002"))

    assert [item["tracking_number"] for item in shown(hub)] == ["1Z001", "1Z002"]
    assert [item["id"] for item in shown(hub)] == [first.hub_id, second.hub_id]
    assert await sink.find(TRACKING, "UPS|1001|1Z001") == first.hub_id
    assert whole(hub) == before


@pytest.mark.parametrize("mode", MODES)
async def test_without_calls_a_known_number_is_changed_in_place(sink, hub, order_id, without_calls, mode):
    hub.settings.put_mode = mode
    first = await deliver_one(sink, tracking(order_id))
    await deliver_one(sink, tracking(order_id, "1Z002"))
    body = {"shipping_method": "UPS", "tracking_number": "1Z001", "cost": 9}

    answer = await deliver_one(sink, tracking(order_id, hub_id=first.hub_id, body=body))

    assert answer.hub_id == first.hub_id
    assert [(item["tracking_number"], item["cost"]) for item in shown(hub)] == [("1Z001", 9), ("1Z002", 8.41)]


async def test_the_missing_call_is_tried_once_per_session(sink, hub, order_id, without_calls):
    for number in range(3):
        await deliver_one(sink, tracking(order_id, f"1Z{number}"))

    assert calls(hub, "Transaction/Tracking") == ["POST"]


async def test_a_missing_call_is_found_out_by_an_update_too(make_sink, hub, order_id):
    first = await deliver_one(make_sink(), tracking(order_id))
    hub.settings.own_paths_off = ["tracking"]
    body = {"shipping_method": "UPS", "tracking_number": "1Z001", "cost": 9}

    answer = await deliver_one(make_sink(), tracking(order_id, hub_id=first.hub_id, body=body))

    assert isinstance(answer, Acknowledged)
    assert [(item["id"], item["cost"]) for item in shown(hub)] == [(first.hub_id, 9)]


async def test_a_hub_that_gives_404_for_everything_is_down(sink, hub, order_id):
    hub.faults.add(Fault(kind="status", status=404))

    with pytest.raises(Unavailable):
        await deliver_one(sink, tracking(order_id))


async def test_a_number_of_an_order_that_is_not_there_waits_for_it(sink, hub, order_id, without_calls):
    assert isinstance(await deliver_one(sink, tracking("999999")), ParentMissing)


async def test_a_number_whose_order_went_waits_for_it(sink, hub, order_id):
    assert isinstance(await deliver_one(sink, tracking("999999")), ParentMissing)


async def test_a_hub_that_keeps_it_nowhere_is_told_and_asked_anew(sink, hub, order_id):
    hub.settings.own_paths_off, hub.settings.nested_off = ["tracking"], ["tracking"]
    assert isinstance(await deliver_one(sink, tracking(order_id)), RecordFailed)
    hub.settings.own_paths_off = []

    assert isinstance(await deliver_one(sink, tracking(order_id)), Acknowledged)
    assert len(shown(hub)) == 1


@pytest.mark.parametrize("fault", ["drop_after", "empty", "bad_json"])
async def test_a_lost_answer_to_the_transaction_makes_no_second_number(sink, hub, order_id, without_calls, fault):
    await deliver_one(sink, tracking(order_id, "1Z000"))
    hub.faults.add(Fault(kind=fault, path="*/Transaction/*", method="PUT", times=1, body="no"))
    try:
        await deliver_one(sink, tracking(order_id))
    except Unavailable:
        assert fault == "drop_after"

    answer = await deliver_one(sink, tracking(order_id))

    assert isinstance(answer, Acknowledged)
    assert [item["tracking_number"] for item in shown(hub)] == ["1Z000", "1Z001"]


async def test_a_lost_link_inside_the_transaction_is_repaired(sink, hub, order_id, without_calls):
    hub.create("tracking", parent_id=int(order_id), shipping_method="UPS", tracking_number="1Z001")

    answer = await deliver_one(sink, tracking(order_id))

    assert [item["id"] for item in shown(hub)] == [answer.hub_id]
    assert await sink.find(TRACKING, "UPS|1001|1Z001") == answer.hub_id


@pytest.mark.parametrize("nested", [False, True])
async def test_an_unknown_carrier_names_the_shipping_method_to_create(sink, hub, order_id, nested):
    hub.settings.own_paths_off = ["tracking"] if nested else []

    answer = await deliver_one(sink, tracking(order_id, carrier="ups"))

    assert isinstance(answer, RecordRefused)
    assert answer.code == "unknown-shipping-method"
    assert "'ups'" in answer.hint
    assert "Data Management > Shipping Method" in answer.hint
    assert "Shipping Method: Create" in answer.hint


def vendors(hub, order_id, number, external_id="UPS|1001"):
    """A tracking number as the vendor's integration leaves it: one per carrier and order."""
    links = [{"system_id": 5120, "external_id": external_id}, {"system_id": OTHER_SYSTEM, "external_id": "x"}]
    values = {"shipping_method": "UPS", "tracking_number": number, "external_ids": links}
    return hub.create("tracking", parent_id=int(order_id), **values)["id"]


@pytest.mark.parametrize("nested", [False, True])
async def test_the_vendors_record_of_this_number_is_adopted(sink, hub, order_id, nested):
    hub.settings.own_paths_off = ["tracking"] if nested else []
    hub_id = vendors(hub, order_id, "1Z001")

    answer = await deliver_one(sink, tracking(order_id, former=("UPS|1001",)))

    assert answer.hub_id == hub_id
    assert [(item["id"], item["cost"]) for item in shown(hub)] == [(hub_id, 8.41)]
    assert await sink.find(TRACKING, "UPS|1001|1Z001") == hub_id
    assert await sink.find(TRACKING, "UPS|1001") is None


@pytest.mark.parametrize("nested", [False, True])
async def test_the_vendors_record_of_another_number_is_left(sink, hub, order_id, nested):
    hub.settings.own_paths_off = ["tracking"] if nested else []
    hub_id = vendors(hub, order_id, "1Z999")

    answer = await deliver_one(sink, tracking(order_id, former=("UPS|1001",)))

    assert answer.hub_id != hub_id
    assert [item["tracking_number"] for item in shown(hub)] == ["1Z999", "1Z001"]
    assert await sink.find(TRACKING, "UPS|1001") == hub_id


async def test_two_parcels_share_the_vendors_id_and_one_of_them_has_its_record(sink, hub, order_id):
    hub_id = vendors(hub, order_id, "1Z002")

    answers = [
        await deliver_one(sink, tracking(order_id, n, former=("UPS|1001",))) for n in ("1Z001", "1Z002", "1Z003")
    ]

    assert answers[1].hub_id == hub_id
    assert len({answer.hub_id for answer in answers}) == len(shown(hub)) == 3


async def test_an_adoption_that_was_cut_off_goes_on(sink, hub, order_id):
    hub_id = vendors(hub, order_id, "1Z001")
    hub.faults.add(Fault(kind="drop_after", path="*/UpdateExternalId", times=1))
    wanted = tracking(order_id, former=("UPS|1001",))
    with pytest.raises(Unavailable):
        await deliver_one(sink, wanted)

    assert (await deliver_one(sink, wanted)).hub_id == hub_id
    assert len(shown(hub)) == 1


async def test_a_vendors_record_that_is_inactive_or_of_another_order_is_left(sink, hub, order_id):
    (other,) = hub.seed_orders(1)
    vendors(hub, other, "1Z001")

    answer = await deliver_one(sink, tracking(order_id, former=("UPS|1001", "UPS|1001|1Z001", "nothing")))

    assert [item["id"] for item in shown(hub)] == [answer.hub_id]


async def test_a_known_number_asks_for_no_former_id(sink, hub, order_id):
    first = await deliver_one(sink, tracking(order_id))
    hub.counters.clear()

    await deliver_one(sink, replace(tracking(order_id, former=("UPS|1001",)), hub_id=first.hub_id))

    assert calls(hub, "LookupSpecial") == []


async def test_a_number_that_cannot_be_removed_is_told_and_holds_up_nothing(sink, hub, order_id, without_calls):
    await sink.inbox.link(ORDERS, "1001", order_id)
    first = await deliver_one(sink, tracking(order_id))

    answer = await deliver_one(sink, tracking(order_id, hub_id=first.hub_id, active=False))

    assert isinstance(answer, Acknowledged)
    assert "may still show it" in answer.warning
    assert len(shown(hub)) == 1


async def test_a_number_is_removed_by_its_own_call(sink, hub, order_id):
    first = await deliver_one(sink, tracking(order_id))

    answer = await deliver_one(sink, tracking(order_id, hub_id=first.hub_id, active=False))

    assert answer.warning == ""
    assert [item["active"] for item in shown(hub)] == [False]


@pytest.mark.parametrize("fault", ["empty", "drop_after"])
async def test_a_number_whose_link_and_answer_were_lost_is_not_made_twice(sink, hub, order_id, fault):
    hub.settings.link_lost_next = 1
    hub.faults.add(Fault(kind=fault, path="*/Tracking*", method="POST", times=1))
    answers = []
    with suppress(Unavailable):
        await sink.deliver([tracking(order_id)], answers)
    assert not any(isinstance(answer, Acknowledged) for answer in answers)

    answer = await deliver_one(sink, tracking(order_id, body={"tracking_number": "1Z001", "cost": 9}))

    assert [(item["id"], item["cost"]) for item in shown(hub)] == [(answer.hub_id, 9)]
    assert await sink.find(TRACKING, "UPS|1001|1Z001") == answer.hub_id


async def test_two_parcels_of_one_number_are_two_records(sink, hub, order_id):
    hub.create("shipping_method", name="FedEx")
    await deliver_one(sink, tracking(order_id))
    await deliver_one(sink, tracking(order_id, carrier="FedEx"))
    assert [item["shipping_method"] for item in shown(hub)] == ["UPS", "FedEx"]


async def test_a_number_that_another_system_has_linked_is_left_to_it(sink, hub, order_id):
    links = [{"system_id": OTHER_SYSTEM, "external_id": "theirs"}]
    hub.create("tracking", parent_id=int(order_id), shipping_method="UPS", tracking_number="1Z001", external_ids=links)
    await deliver_one(sink, tracking(order_id))
    assert len(shown(hub)) == 2
