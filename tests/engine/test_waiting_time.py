"""How long a row waits for its parent: only while both work, and then it says for whom it has waited."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from p21d.engine.waiting_time import TICK_SECONDS, WaitingTime
from p21d.errors import Unavailable
from p21d.sandbox.faults import Fault
from tests.engine.world import LeapingClock

HOUR = 3600.0


class MinuteClock(LeapingClock):
    """Leaps over the minutes of the waiting time alone."""

    async def sleep(self, seconds: float) -> None:
        if seconds == TICK_SECONDS:
            await anyio.sleep(0.005)
            self.advance(seconds)
        else:
            await anyio.sleep(seconds)


@pytest.fixture
async def waiting(make):
    """All stock waits for its products, which the hub fails to take one by one; the limit is two hours."""
    return await parked(make())


async def parked(engine):
    await engine.sweep("location")
    assert (await engine.sweep("product_inventory")).waiting > 0
    return engine


def time_of(engine, **not_working: bool) -> WaitingTime:
    return WaitingTime(engine.connection, lambda entity: entity not in not_working)


async def hours(time: WaitingTime, count: int) -> None:
    for _ in range(count):
        await time.tick(HOUR)


async def test_a_row_that_waits_longer_is_a_dead_letter_that_names_the_parent_and_how_long(make):
    engine = await parked(make(entities={"product_inventory": {"max_wait": "2h"}}))
    key = next(iter(await keys_waiting(engine)))
    await hours(time_of(engine), 2)
    letter = (await engine.letters("product_inventory"))[key]
    uid = key.split("|")[0]
    assert letter["error"] == f"its parent product {uid} did not come within 2 hours"
    assert (letter["parent_entity"], letter["parent_key"]) == ("product", uid)


async def keys_waiting(engine) -> list[str]:
    rows = await engine.store.read.waiting._all("SELECT key FROM waiting WHERE entity = ?", ("product_inventory",))
    return [row["key"] for row in rows]


async def test_before_that_it_waits(waiting):
    number = len(await keys_waiting(waiting))
    await hours(time_of(waiting), 23)
    assert len(await keys_waiting(waiting)) == number
    assert await waiting.letters() == {}


async def test_the_usual_limit_is_a_day(waiting):
    number = len(await keys_waiting(waiting))
    await hours(time_of(waiting), 24)
    assert len(await waiting.letters("product_inventory")) == number
    assert await keys_waiting(waiting) == []


@pytest.mark.parametrize("entity", ["product", "product_inventory"])
async def test_time_in_which_parent_or_child_does_not_work_does_not_count(waiting, entity):
    await hours(time_of(waiting, **{entity: True}), 100)
    assert await waiting.letters() == {}


async def test_time_in_which_something_else_does_not_work_counts(waiting):
    await hours(time_of(waiting, company=True), 24)
    assert len(await waiting.letters("product_inventory")) > 0


async def test_a_minute_in_which_work_began_again_does_not_count(waiting):
    stopped: set[str] = {"product"}
    time = WaitingTime(waiting.connection, lambda entity: entity not in stopped)
    stopped.clear()
    await time.tick(60.0)
    assert await waiting.store.read.worked.seconds("product_inventory", "product") == 0
    await time.tick(60.0)
    assert await waiting.store.read.worked.seconds("product_inventory", "product") == 60


async def test_what_was_waited_before_a_restart_counts_and_the_time_between_does_not(waiting, make):
    await hours(time_of(waiting), 20)
    waiting.clock.advance(300 * HOUR)
    again = make()
    await hours(time_of(again), 3)
    assert await again.letters() == {}
    await hours(time_of(again), 1)
    assert len(await again.letters("product_inventory")) > 0


async def test_a_row_that_came_later_waits_its_own_time(waiting):
    engine = waiting
    await hours(time_of(engine), 20)
    row = engine.p21.rows("inv_loc", {"inv_mast_uid": 1})[0]
    engine.p21.insert("inv_loc", **{**row, "location_id": 99})
    engine.p21.change("inv_loc", {"location_id": 99})
    await engine.sweep("product_inventory")
    await hours(time_of(engine), 4)
    assert await keys_waiting(engine) == ["1|99"]


async def test_a_row_met_again_by_a_sweep_goes_on_waiting_where_it_was(waiting):
    await hours(time_of(waiting), 20)
    await waiting.sweep("product_inventory")
    await hours(time_of(waiting), 4)
    assert await keys_waiting(waiting) == []


async def test_a_row_given_up_follows_by_itself_once_its_parent_is_delivered(waiting):
    await hours(time_of(waiting), 24)
    await waiting.sweep("product")
    await waiting.release_all()
    assert await waiting.letters() == {}
    assert len(waiting.hub.records("inventory")) > 0


async def test_a_row_given_up_is_counted_and_not_parked_again_by_the_next_sweep(waiting):
    await hours(time_of(waiting), 24)
    tally = await waiting.sweep("product_inventory")
    assert (tally.waiting, tally.dead_lettered) == (0, tally.read)


async def test_zero_waits_for_ever(make):
    engine = await parked(make(entities={"product_inventory": {"max_wait": 0}}))
    await hours(time_of(engine), 48)
    assert await engine.letters() == {}


async def test_a_row_released_and_not_read_yet_is_not_given_up(waiting):
    async with waiting.store.transaction() as tables:
        await tables.waiting.release_children("product", [str(uid) for uid in range(1, 21)], waiting.clock.now())
    await hours(time_of(waiting), 48)
    assert await waiting.letters() == {}


async def test_rows_parked_for_a_retry_are_not_given_up(engine):
    await engine.sweep("location")
    hub_id = (await engine.store.read.links.by_external_id("location", ["10"]))["10"].hub_id
    engine.hub.faults.add(Fault(kind="status", status=500, path=f"*/{hub_id}", method="PUT"))
    for key in (10, 20):
        engine.p21.change("location", {"location_id": key}, location_name="New")
    await engine.poll("location")
    assert "10" in await engine.waiting("location", "10")
    await hours(time_of(engine), 48)
    assert await engine.letters() == {}


async def test_a_parent_whose_entity_is_off_is_waited_for_as_long_as_the_child_works(make):
    engine = await parked(make(entities={"product": {"enabled": False}}))
    await hours(time_of(engine, product=True), 24)
    letters = await engine.letters("product_inventory")
    assert len(letters) > 0
    assert all("the entity product is off" in letter["error"] for letter in letters.values())


async def test_while_nothing_waits_nothing_is_written(engine):
    await engine.sweep_all()
    before = engine.store.path.with_name(engine.store.path.name + "-wal").stat().st_size
    await hours(time_of(engine), 1)
    assert engine.store.path.with_name(engine.store.path.name + "-wal").stat().st_size == before


async def test_an_entity_that_is_held_or_paused_does_not_work(engine):
    runner = engine.runner("product")
    assert runner.gate.open
    runner.gate.hold.failed(Unavailable("down", system="Prophet 21"))
    assert not runner.gate.open
    runner.gate.hold.succeeded()
    runner.gate.pause("month end")
    assert not runner.gate.open
    runner.resume()
    assert runner.gate.open


async def test_the_time_passes_while_the_supervisor_runs(make):
    settings = {"product": {"enabled": False}, "product_inventory": {"max_wait": "5m"}}
    engine = await parked(make(clock=MinuteClock(), entities=settings))
    supervisor = engine.assembly.supervisor
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        with anyio.fail_after(10):
            while not await engine.letters("product_inventory"):  # noqa: ASYNC110  # the store tells nobody
                await anyio.sleep(0.01)
        supervisor.cut_off()
    assert timedelta(seconds=engine.clock.leapt_seconds) >= timedelta(minutes=5)
