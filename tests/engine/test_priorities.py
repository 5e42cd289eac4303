"""Who goes first, how many calls there are at once, and that nothing holds up what has nothing to do with it.

Proved by the order of calls the hub has seen. A hub that is held at a gate stands for one that is slow.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import anyio
import pytest

from p21d.clock import SystemClock
from p21d.errors import Unavailable
from p21d.sandbox.faults import Fault
from p21d.sandbox.serve import serve
from tests.engine.world import LeapingClock

LONG_AGO = "2020-01-01T00:00:00"
GATE = 4711.0
"""A delay of so many seconds lasts until the gate opens."""


class GateClock(LeapingClock):
    """A sandbox's clock: real, but for the one delay that stands for "until the test says so"."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = anyio.Event()
        self.standing = 0

    async def sleep(self, seconds: float) -> None:
        if seconds != GATE:
            await super().sleep(seconds)
            return
        self.standing += 1
        await self.gate.wait()
        self.standing -= 1


class StandingClock(LeapingClock):
    """A daemon's clock on which a back-off lasts until the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = anyio.Event()
        self.sleeping = 0

    async def sleep(self, seconds: float) -> None:
        self.sleeping += 1
        await self.gate.wait()
        self.sleeping -= 1


@pytest.fixture
def gate() -> GateClock:
    return GateClock()


@pytest.fixture
async def served(gate):
    async with serve(rows=20, seed=1, clock=gate) as both:
        yield both


def delay(engine, path: str, method: str = "PUT") -> None:
    engine.hub.faults.add(Fault(kind="slow", seconds=GATE, path=path, method=method))


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110  # what the hub has met announces itself to nobody
            await anyio.sleep(0.005)


def writes(engine) -> list[str]:
    """Return the resources the hub was asked to write, oldest first."""
    return [call.path.split("/")[4].split("?")[0] for call in engine.hub.requests if call.method in {"POST", "PUT"}]


async def changed(make, **settings):
    """An engine whose products and stock are in the hub, and have all changed since."""
    engine = make(**settings)
    await engine.sweep_all("location", "product", "product_inventory")
    for uid in range(1, 21):
        engine.p21.change("inv_mast", {"inv_mast_uid": uid}, item_desc=f"changed {uid}")
    engine.p21.change("inv_loc", {}, qty_on_hand=4242)
    engine.hub.counters.clear()
    return engine


async def test_the_stock_poll_is_delivered_while_a_sweep_of_products_holds_all_it_may(make, gate):
    engine = await changed(make, concurrent_batch_executions=4, batch_rows=2)
    delay(engine, "*/Product/*")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.sweep, "product")
        await until(lambda: gate.standing == 2)
        tally = await engine.poll("product_inventory")
        assert (tally.delivered, gate.standing) == (tally.read, 2)
        gate.gate.set()
    assert tally.delivered > 0


async def test_a_poll_waits_for_one_call_of_a_sweep_and_not_for_the_sweep(make, gate):
    engine = await changed(make, concurrent_batch_executions=1, batch_rows=1)
    delay(engine, "*/Product/*")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.sweep, "product")
        await until(lambda: gate.standing == 1)
        tasks.start_soon(engine.poll, "product_inventory")
        slots = engine.connection.slots
        await until(lambda: slots._queues[False])
        gate.gate.set()
    order = writes(engine)
    stock = [number for number, resource in enumerate(order) if "nventory" in resource]
    assert order[0] == "Product"
    assert stock[0] == 1
    assert order.count("Product") == 20


@pytest.mark.parametrize(("kind", "at_once"), [("sweep", 2), ("sync", 2), ("poll", 5)])
async def test_the_number_of_calls_at_once_is_that_of_the_slots(make, gate, kind, at_once):
    engine = await changed(make, concurrent_batch_executions=5, batch_rows=1)
    delay(engine, "*/Product/*")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.windows("product").run, kind)
        await until(lambda: gate.standing == at_once)
        gate.gate.set()
    assert engine.hub.counters.most_at_once == at_once


async def test_look_ups_of_parents_count_as_calls(make):
    engine = make(concurrent_batch_executions=1)
    async with anyio.create_task_group() as tasks:
        for entity in ("customer", "product_inventory"):  # their parents are not there, so the hub is asked for each
            tasks.start_soon(engine.sweep, entity)
    assert any("LookupSpecial" in call.path for call in engine.hub.requests)
    assert engine.hub.counters.most_at_once == 1


async def test_more_slots_help_a_sweep_that_runs(make, gate):
    engine = await changed(make, concurrent_batch_executions=2, batch_rows=1)
    delay(engine, "*/Product/*")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.sweep, "product")
        await until(lambda: gate.standing == 1)
        engine.connection.slots.resize(6)
        await until(lambda: gate.standing == 3)
        gate.gate.set()


async def test_a_record_in_back_off_holds_no_slot(make, gate):
    clock = StandingClock()
    engine = make(concurrent_batch_executions=1)
    await engine.sweep("location")
    hub_id = (await engine.store.read.links.by_external_id("location", ["10"]))["10"].hub_id
    engine.hub.faults.add(Fault(kind="status", status=500, path=f"*/{hub_id}", method="PUT", times=1))
    engine.p21.change("location", {"location_id": 10}, location_name="Failing")
    patient = make(clock=clock, concurrent_batch_executions=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(patient.poll, "location")
        await until(lambda: clock.sleeping == 1)
        assert patient.connection.slots.used == 0
        assert (await patient.sweep("product")).delivered == 20
        assert clock.sleeping == 1
        clock.gate.set()
    assert "Failing" in [record["name"] for record in engine.hub.records("location")]


async def test_the_rate_keeps_the_calls_below_the_limit_of_the_hub(gate, make):
    # one call at a time, as this clock leaps over calls on their way
    engine = make(sink={"rate": "20/60s"}, clock=gate, concurrent_batch_executions=1)
    engine.hub.settings.change({"limit_calls": 20, "limit_seconds": 60.0})
    tallies = await engine.sweep_all("location", "product")
    assert tallies["product"].delivered == 20
    assert 429 not in engine.hub.counters.statuses
    assert gate.leapt_seconds >= 60


async def test_without_a_rate_the_same_load_meets_the_limit(gate, make):
    engine = make(clock=gate)
    engine.hub.settings.change({"limit_calls": 20, "limit_seconds": 60.0})
    with suppress(Unavailable):  # whether it gets through is not asked here
        await engine.sweep_all("location", "product")
    assert engine.hub.counters.statuses[429] > 0


async def test_in_the_first_catch_up_children_begin_after_their_parents(make, gate):
    engine = make(clock=SystemClock())
    supervisor = engine.assembly.supervisor
    delay(engine, "*/Product", method="POST")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        await until(lambda: gate.standing >= 1)
        await until(engine.connection.caught_up["location"].is_set)
        assert [query for query in engine.reads_of("inv_loc") if "$top=1000" in query] == []
        gate.gate.set()
        await until(engine.connection.caught_up["product_inventory"].is_set)
        assert await supervisor.stop(10)
    latest = engine.store.read.cycles.latest
    first = {name: (await latest(entity=name, limit=1000))[-1] for name in ("product", "product_inventory")}
    assert first["product_inventory"].waiting == 0
    assert first["product"].ended_at <= first["product_inventory"].started_at


async def test_stock_that_moves_while_the_products_are_still_loaded_is_delivered(make, gate):
    engine = make(clock=SystemClock(), entities={"product_inventory": {"poll_interval": "0.2s"}})
    await engine.sweep("location")
    await engine.releases("product").run("sync", ["1"])
    engine.p21.change("inv_loc", {}, stamp=False, date_last_modified=LONG_AGO)
    delay(engine, "*/Product", method="POST")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.assembly.supervisor.run)
        await until(lambda: gate.standing >= 1)
        engine.p21.change("inv_loc", {"inv_mast_uid": 1, "location_id": 10}, qty_on_hand=4242)
        await until(lambda: 4242 in [stock["qty_on_hand"] for stock in engine.hub.records("inventory")])
        assert not engine.connection.caught_up["product"].is_set()
        assert await engine.watermark("product_inventory") is None
        gate.gate.set()
        await until(engine.connection.caught_up["product_inventory"].is_set)
        assert await engine.assembly.supervisor.stop(10)
