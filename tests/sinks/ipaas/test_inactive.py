from __future__ import annotations

import pytest

from p21d.errors import RecordRefused, Unavailable
from p21d.sandbox.faults import Fault
from p21d.sinks.port import Acknowledged
from tests.sinks.ipaas.records import location, product


async def deliver_one(sink, delivery):
    answers = []
    await sink.deliver([delivery], answers)
    return answers[0]


async def test_a_record_with_inactive_members_is_put_with_them(sink, hub):
    made = await deliver_one(sink, product())

    await deliver_one(sink, product(hub_id=made.hub_id, active=False))

    assert [(item["status"], item["name"]) for item in hub.records("product")] == [("Inactive", "Ball valve")]


async def test_a_record_without_inactive_members_is_deactivated_by_the_hubs_call(sink, hub):
    made = await deliver_one(sink, location())

    answer = await deliver_one(sink, location(hub_id=made.hub_id, active=False))

    assert answer.links == made.links
    assert not hub.records("location")[0]["active"]


async def test_deactivating_takes_one_call_and_the_same_again_is_done(sink, hub):
    made = await deliver_one(sink, location())
    hub.counters.clear()

    for _ in range(2):
        assert isinstance(await deliver_one(sink, location(hub_id=made.hub_id, active=False)), Acknowledged)

    assert len(hub.requests) == 2


async def test_deactivating_a_record_the_hub_does_not_have_is_done(sink, hub):
    assert isinstance(await deliver_one(sink, location(hub_id="999999", active=False)), Acknowledged)
    assert isinstance(await deliver_one(sink, location("11", active=False)), Acknowledged)
    assert hub.records("location") == []


async def test_a_bare_404_does_not_count_as_deactivated(sink, hub):
    made = await deliver_one(sink, location())
    hub.faults.add(Fault(kind="status", status=404, path="*/Location/*", method="DELETE"))

    with pytest.raises(Unavailable):
        await deliver_one(sink, location(hub_id=made.hub_id, active=False))


async def test_a_record_somebody_else_made_inactive_stays_so(sink, hub):
    made = await deliver_one(sink, location())
    await deliver_one(sink, location(hub_id=made.hub_id, active=False))

    answer = await deliver_one(sink, location())

    assert isinstance(answer, RecordRefused)
    assert answer.code == "inactive-in-hub"
    assert not hub.records("location")[0]["active"]


@pytest.mark.parametrize("known", [True, False])
async def test_a_record_p21d_made_inactive_comes_back(sink, hub, known):
    made = await deliver_one(sink, location())
    await deliver_one(sink, location(hub_id=made.hub_id, active=False))

    answer = await deliver_one(sink, location(hub_id=made.hub_id if known else None, revive=True))

    assert answer.hub_id == made.hub_id
    assert hub.records("location")[0]["active"]


async def test_reviving_falls_back_to_the_hubs_own_call(sink, hub):
    made = await deliver_one(sink, location())
    await deliver_one(sink, location(hub_id=made.hub_id, active=False))
    refusal = '{"code": "NFND-1001", "message": "not active"}'
    hub.faults.add(Fault(kind="status", status=404, body=refusal, path="re:/Location/\\d+$", method="PUT", times=1))

    answer = await deliver_one(sink, location(hub_id=made.hub_id, revive=True))

    assert answer.hub_id == made.hub_id
    assert hub.records("location")[0]["active"]


async def test_an_inactive_twin_of_a_new_record_is_named_and_left(sink, hub):
    made = await deliver_one(sink, location("10", "Main"))
    await deliver_one(sink, location("10", "Main", hub_id=made.hub_id, active=False))

    answer = await deliver_one(sink, location("11", "Main"))

    assert answer.code == "inactive-in-hub"


async def test_an_inactive_record_is_not_found_as_a_parent(sink, hub):
    made = await deliver_one(sink, location())
    await deliver_one(sink, location(hub_id=made.hub_id, active=False))

    assert await sink.find(location().route, "10") is None
