"""Two versions of one record are never in flight together, and an older never overwrites a newer (P4)."""

from __future__ import annotations

import anyio
import pytest

from p21d.engine.cycle import Cycle
from p21d.engine.drain import Drain
from p21d.errors import P21dError, Unavailable
from p21d.sandbox.faults import Fault


def name_in_hub(engine, old: str) -> list[str]:
    return [record["name"] for record in engine.hub.records("location") if record["name"].startswith(old)]


async def test_an_older_copy_that_waits_for_its_turn_is_read_again(engine):
    """The sweep has read the row and waits; a release delivers a newer version; the sweep must not undo that."""
    key = {"location_id": 10}
    await engine.sweep("location")
    engine.p21.change("location", key, location_name="Old")
    older = await engine.connection.source.by_keys(engine.plan("location").reading, ["10"])
    engine.p21.change("location", key, location_name="New")
    await engine.releases("location").run("release", ["10"])

    async def pages():
        yield older

    cycle = Cycle(engine.plan("location"), engine.connection, Drain(engine.clock), kind="release")
    await cycle.run(pages())
    assert cycle.tally.unchanged == 1
    assert name_in_hub(engine, "Old") == []
    assert name_in_hub(engine, "New") == ["New"]


async def test_a_record_read_longer_ago_than_two_minutes_is_read_again_before_it_is_sent(engine):
    engine.p21.change("location", {"location_id": 10}, location_name="Old")
    older = await engine.connection.source.by_keys(engine.plan("location").reading, ["10"])
    engine.p21.change("location", {"location_id": 10}, location_name="New")
    engine.clock.advance(121)

    async def pages():
        yield older

    cycle = Cycle(engine.plan("location"), engine.connection, Drain(engine.clock), kind="release")
    await cycle.run(pages())
    assert name_in_hub(engine, "") == ["New"]


async def test_of_two_cycles_over_one_key_the_newer_version_stays(make):
    engine = make(concurrent_batch_executions=4, batch_rows=2)
    await engine.sweep("location")
    key = {"location_id": 10}
    engine.p21.change("location", key, location_name="Second")
    engine.hub.faults.add(Fault(kind="slow", method="PUT", seconds=0.04, times=1))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.sweep, "location")
        with anyio.fail_after(5):
            while not any(call.method == "PUT" for call in engine.hub.requests):
                await anyio.wait_all_tasks_blocked()
        engine.p21.change("location", key, location_name="Third")
        tasks.start_soon(engine.poll, "location")
    assert name_in_hub(engine, "Third") == ["Third"]
    assert name_in_hub(engine, "Second") == []


async def test_two_cycles_that_read_the_same_version_write_it_once(make):
    engine = make(concurrent_batch_executions=4, batch_rows=1)
    engine.hub.faults.add(Fault(kind="slow", method="POST", path="*Location", seconds=0.03))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.sweep, "location")
        tasks.start_soon(engine.poll, "location")
    assert engine.hub.writes == 5


@pytest.mark.parametrize("attempt", range(2))
async def test_many_cycles_over_the_same_rows_write_each_version_once(make, attempt):
    engine = make(concurrent_batch_executions=8, batch_rows=1)
    async with anyio.create_task_group() as tasks:
        for kind in ("sweep", "poll"):
            tasks.start_soon(engine.windows("product").run, kind)
        for _ in range(3):
            tasks.start_soon(engine.runner("product")._releases.run, "release", [str(uid) for uid in range(1, 21)])
    assert all(record["writes"] == 1 for record in engine.hub.records("product"))
    assert engine.hub.duplicates() == {}


async def test_a_lost_answer_and_a_change_back_end_with_what_p21_has(engine):
    await engine.sweep("location")
    original = engine.p21.rows("location", {"location_id": 10})[0]["location_name"]
    engine.p21.change("location", {"location_id": 10}, location_name="Meanwhile")
    lost = engine.hub.faults.add(Fault(kind="drop_after", method="PUT"))
    with pytest.raises(P21dError):
        await engine.poll("location")
    assert name_in_hub(engine, "Meanwhile") == ["Meanwhile"]
    engine.hub.faults.remove(lost)
    engine.p21.change("location", {"location_id": 10}, location_name=original)
    await engine.poll("location")
    assert name_in_hub(engine, original) == [original]


async def test_a_lost_answer_of_a_create_makes_no_second_record(engine):
    engine.hub.faults.add(Fault(kind="drop_after", method="POST", path="*Catalog/Location", times=1))
    tally = await engine.sweep("location")
    assert tally.delivered == 5
    assert len(engine.hub.records("location")) == 5


async def test_a_row_deleted_after_the_answer_of_its_create_was_lost_does_not_stay_active(engine):
    lost = engine.hub.faults.add(Fault(kind="drop_after", method="POST", path="*Catalog/Location", times=1))
    down = engine.hub.faults.add(Fault(kind="status", status=503, after=4))
    with pytest.raises(Unavailable):
        await engine.releases("location").run("release", ["10"])
    engine.hub.faults.remove(lost)
    engine.hub.faults.remove(down)
    assert [record["active"] for record in engine.hub.records("location")] == [True]
    engine.p21.change("location", {"location_id": 10}, delete_flag="Y")
    await engine.sweep("location")
    assert not engine.hub.records("location")[0]["active"]


async def test_a_renamed_item_stays_one_record(engine):
    await engine.sweep("product")
    before = len(engine.hub.records("product"))
    engine.p21.change("inv_mast", {"inv_mast_uid": 1}, item_id="RENAMED-1")
    await engine.poll("product")
    assert len(engine.hub.records("product")) == before


async def test_a_stock_row_deleted_together_with_its_item_becomes_zero_stock(engine):
    await engine.sweep_all("location", "product", "product_inventory")
    engine.p21.change("inv_mast", {"inv_mast_uid": 1}, delete_flag="Y")
    rows = engine.p21.change("inv_loc", {"inv_mast_uid": 1}, delete_flag="Y")
    await engine.poll("product")
    tally = await engine.poll("product_inventory")
    assert tally.delivered == rows, await engine.letters()
