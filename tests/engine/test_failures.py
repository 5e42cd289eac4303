"""Refused records, records that keep failing, and outages: three different things (P6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from p21d.engine.health import MAX_LONE_PARKS
from p21d.errors import Forbidden, P21dError, Unauthorized, Unavailable
from p21d.sandbox.faults import Fault

REFUSAL = '{"code":"VALD-1010","message":"name is not to our taste"}'


def refuse(engine, *, times: int | None = None) -> int:
    """Let the hub refuse the creation of locations, `times` of them."""
    return engine.hub.faults.add(
        Fault(kind="status", status=400, body=REFUSAL, method="POST", path="*Catalog/Location", times=times)
    )


def fail_updates(engine, external_id_in_hub: str) -> int:
    return engine.hub.faults.add(Fault(kind="status", status=500, path=f"*/{external_id_in_hub}", method="PUT"))


async def hub_id(engine, table: str, external_id: str) -> str:
    return (await engine.store.read.links.by_external_id(table, [external_id]))[external_id].hub_id


async def test_a_refused_record_is_dead_lettered_with_its_body_and_the_others_go_on(make):
    engine = make(batch_rows=100, concurrent_batch_executions=1)
    refuse(engine, times=1)
    tally = await engine.sweep("location")
    assert (tally.delivered, tally.dead_lettered) == (4, 1)
    letter = (await engine.letters("location"))["10"]
    assert letter["code"] == "VALD-1010"
    assert "name is not to our taste" in letter["error"]
    assert '"name":' in letter["body"]
    assert letter["plugin"].endswith("location.py")


async def test_a_refused_record_is_counted_and_not_sent_again_while_unchanged(engine):
    refuse(engine)
    await engine.sweep("location")
    calls = len(engine.hub.requests)
    tally = await engine.sweep("location")
    assert tally.dead_lettered == tally.read == 5
    assert len(engine.hub.requests) == calls
    assert {letter["times"] for letter in (await engine.letters()).values()} == {2}


async def test_a_refused_record_is_sent_again_when_it_has_changed(engine):
    refuse(engine, times=5)
    await engine.sweep("location")
    engine.p21.change("location", {"location_id": 10}, location_name="Mended")
    tally = await engine.poll("location")
    assert tally.delivered == 1


async def test_a_mended_row_closes_its_dead_letter(engine):
    refuse(engine, times=5)
    await engine.sweep("location")
    engine.p21.change("location", {"location_id": 10}, location_name="Mended")
    await engine.poll("location")
    assert "10" not in await engine.letters()
    assert len(await engine.letters()) == 4


async def test_a_replay_sends_unchanged_content_again_and_closes_its_dead_letter(engine):
    refuse(engine, times=5)
    await engine.sweep("location")
    cycle = await engine.runner("location").sync_keys(list(await engine.letters("location")), force=True)
    assert cycle.tally.delivered == 5
    assert await engine.letters() == {}


async def test_a_dead_letter_under_another_plug_in_is_tried_again(engine, make, registry):
    refuse(engine, times=5)
    await engine.sweep("location")
    other = make(registry=replace(registry, origin={**registry.origin, "location": "other.py"}))
    assert (await other.sweep("location")).delivered == 5


async def test_a_record_that_always_fails_is_parked_and_the_others_are_delivered(engine):
    await engine.sweep("location")
    fail_updates(engine, await hub_id(engine, "location", "10"))
    for key in (10, 20, 30):
        engine.p21.change("location", {"location_id": key}, location_name=f"New {key}")
    tally = await engine.poll("location")
    assert (tally.delivered, tally.waiting, tally.dead_lettered) == (2, 1, 0)
    assert (await engine.waiting("location", "10"))["10"].attempts == 3


async def test_a_failing_record_does_not_keep_the_watermark_back(engine):
    await engine.sweep("location")
    before = await engine.watermark("location")
    fail_updates(engine, await hub_id(engine, "location", "10"))
    engine.p21.change("location", {"location_id": 10}, location_name="New")
    engine.clock.advance(90)
    await engine.poll("location")
    assert await engine.watermark("location") > before


async def test_a_failing_record_is_dead_lettered_only_after_ten_minutes(engine):
    await engine.sweep("location")
    fail_updates(engine, await hub_id(engine, "location", "10"))
    engine.p21.change("location", {"location_id": 10}, location_name="Bad")
    await engine.poll("location")
    began, number = engine.clock.monotonic(), 0
    while not await engine.letters():
        number += 1
        engine.clock.advance(125)
        engine.p21.change("location", {"location_id": 20}, location_name=f"Good {number}")
        await engine.releases("location").run("sync", ["20"])
        await engine.releases("location").run_due()
    assert engine.clock.monotonic() - began >= 600
    assert (await engine.letters())["10"]["attempts"] >= 5
    assert await engine.waiting("location", "10") == {}


async def test_a_failing_record_is_never_dead_lettered_while_no_other_succeeds(engine):
    await engine.sweep("location")
    fail_updates(engine, await hub_id(engine, "location", "10"))
    engine.p21.change("location", {"location_id": 10}, location_name="Bad")
    await engine.poll("location")
    for _ in range(8):
        engine.clock.advance(125)
        await engine.releases("location").run_due()
    assert await engine.letters() == {}


async def test_one_failing_record_of_a_quiet_entity_never_looks_like_an_outage(engine):
    await engine.sweep("location")
    fail_updates(engine, await hub_id(engine, "location", "10"))
    engine.p21.change("location", {"location_id": 10}, location_name="Bad")
    await engine.poll("location")
    for _ in range(MAX_LONE_PARKS + 3):
        engine.clock.advance(125)
        await engine.releases("location").run_due()
    assert "10" in await engine.waiting("location", "10")


async def test_a_parked_record_is_delivered_once_the_hub_takes_it(engine):
    await engine.sweep("location")
    fault = fail_updates(engine, await hub_id(engine, "location", "10"))
    engine.p21.change("location", {"location_id": 10}, location_name="New")
    await engine.poll("location")
    engine.hub.faults.remove(fault)
    engine.clock.advance(125)
    await engine.release_all()
    assert await engine.waiting("location", "10") == {}
    assert "New" in [record["name"] for record in engine.hub.records("location")]


async def test_many_records_that_fail_at_once_are_an_outage(engine):
    engine.hub.faults.add(Fault(kind="status", status=500, method="POST", path="*Catalog/Product"))
    with pytest.raises(Unavailable, match="no product gets through"):
        await engine.sweep("product")
    assert await engine.letters() == {}


OUTAGES = {
    "503": Fault(kind="status", status=503),
    "500 everywhere": Fault(kind="status", status=500),
    "connections dropped": Fault(kind="drop_before"),
    "a proxy's page": Fault(kind="html"),
    "too many requests": Fault(kind="status", status=429, headers={"Retry-After": "5"}),
    "a bare 404": Fault(kind="status", status=404),
}


@pytest.mark.parametrize("fault", OUTAGES.values(), ids=OUTAGES)
async def test_while_the_hub_is_down_nothing_is_dead_lettered_and_the_watermark_stands(engine, fault):
    await engine.sweep("location")
    before = await engine.watermark("location")
    engine.clock.advance(90)
    number = engine.hub.faults.add(fault)
    for row in engine.p21.rows("location"):
        engine.p21.change("location", {"location_id": row["location_id"]}, location_name=f"New {row['location_id']}")
    with pytest.raises(P21dError):
        await engine.poll("location")
    assert await engine.letters() == {}
    assert await engine.watermark("location") == before
    engine.hub.faults.remove(number)
    engine.clock.advance(3700)  # tokens and pauses that a test must not wait for
    tally = await engine.poll("location")
    await engine.release_all()
    assert await engine.letters() == {}
    assert tally.read == 5
    assert all(record["name"].startswith("New") for record in engine.hub.records("location"))


async def test_an_interrupted_cycle_is_recorded_with_its_note_and_counts_that_add_up(engine):
    engine.hub.faults.add(Fault(kind="status", status=503, path="*Catalog/Location"))
    with pytest.raises(Unavailable):
        await engine.sweep("location")
    cycle = (await engine.store.read.cycles.latest(entity="location", limit=1))[0]
    assert (cycle.status, cycle.read, cycle.unfinished) == ("interrupted", 5, 5)
    assert "503" in cycle.note


async def test_what_was_delivered_before_the_outage_is_not_sent_again(make):
    engine = make(batch_rows=100, concurrent_batch_executions=1)
    number = engine.hub.faults.add(Fault(kind="status", status=503, path="*Catalog/Location", method="POST", after=2))
    with pytest.raises(Unavailable):
        await engine.sweep("location")
    assert (await engine.store.read.delivered.count("location")) == 2
    engine.hub.faults.remove(number)
    tally = await engine.sweep("location")
    assert (tally.unchanged, tally.delivered) == (2, 3)
    assert all(record["writes"] == 1 for record in engine.hub.records("location"))


async def test_refused_credentials_of_the_hub_interrupt_at_once(engine):
    engine.hub.settings.login_refused = True
    with pytest.raises(Unauthorized):
        await engine.sweep("location")
    assert await engine.letters() == {}


async def test_a_missing_permission_in_the_hub_interrupts_its_entity_only(engine):
    engine.hub.settings.denied = ["POST location"]
    with pytest.raises(Forbidden):
        await engine.sweep("location")
    assert (await engine.sweep("product")).delivered == 20
    assert await engine.letters() == {}


@pytest.mark.parametrize(
    "fault",
    [Fault(kind="status", status=503), Fault(kind="drop_before"), Fault(kind="truncate"), Fault(kind="bad_json")],
    ids=lambda fault: fault.kind,
)
async def test_while_p21_is_down_the_watermark_stands_and_then_everything_arrives(make, fault):
    engine = make(prophet21={"page_rows": 5})
    await engine.sweep("location")
    before = await engine.watermark("location")
    engine.clock.advance(90)
    engine.p21.change("location", {"location_id": 10}, location_name="New")
    number = engine.served.p21.faults.add(fault)
    with pytest.raises(P21dError):
        await engine.poll("location")
    assert await engine.watermark("location") == before
    engine.served.p21.faults.remove(number)
    tally = await engine.poll("location")
    assert tally.delivered == 1
    assert await engine.letters() == {}


async def test_a_store_that_refuses_interrupts_the_cycle_and_batches_in_flight_end(make):
    engine = make(prophet21={"page_rows": 4}, batch_rows=1)
    for uid in (13, 14, 15, 16):
        engine.p21.change("inv_mast", {"inv_mast_uid": uid}, delete_flag="Y")  # a page without anything to send
    trigger = "CREATE TRIGGER full BEFORE INSERT ON skipped BEGIN SELECT RAISE(FAIL, 'disk I/O'); END"
    await engine.store._writer.execute_fetchall(trigger)
    with pytest.raises(P21dError, match="disk I/O"):
        await engine.sweep("product")
    assert len(engine.hub.records("product")) == await engine.store.read.delivered.count("product") > 0
