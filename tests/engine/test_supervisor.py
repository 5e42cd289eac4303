"""All entities at work at once, over a clock that a test turns: catch-up, outages, pauses, reloads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from p21d.clock import SystemClock
from p21d.engine.supervisor import Supervisor
from p21d.errors import AlreadyRunning, ConfigError, Unavailable
from p21d.sandbox.faults import Fault
from p21d.testing import FakeClock
from tests.engine.world import PARENTS_FIRST

STEP_SECONDS = 1.0
DEADLINE_SECONDS = 20


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SystemClock().now())


@pytest.fixture
async def engine(make):
    return make(entities={name: {"poll_interval": "20s"} for name in PARENTS_FIRST})


@asynccontextmanager
async def at_work(supervisor: Supervisor) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        yield
        supervisor.cut_off()


async def until(clock: FakeClock, condition: Callable[[], object]) -> None:
    """Turn the clock in small steps until the condition holds."""
    with anyio.fail_after(DEADLINE_SECONDS):
        while True:
            found = condition()
            if not isinstance(found, bool) and hasattr(found, "__await__"):
                found = await found
            if found:
                return
            clock.advance(STEP_SECONDS)
            await anyio.sleep(0.01)


def caught_up(engine) -> bool:
    return all(event.is_set() for event in engine.connection.caught_up.values())


async def ran(engine, entity: str, kind: str) -> bool:
    return any(cycle.kind == kind for cycle in await engine.store.read.cycles.latest(entity=entity))


async def nothing_waits(engine) -> bool:
    return caught_up(engine) and await engine.store.read.waiting.counts() == {}


async def test_a_first_catch_up_delivers_every_entity_and_nothing_waits_for_its_parents(engine, clock):
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: nothing_waits(engine))
    assert engine.hub.duplicates() == {}
    totals = await engine.store.read.cycles.totals(clock.now().replace(year=2000))
    assert totals["product_inventory"]["waiting"] == 0
    assert len(engine.hub.records("inventory")) == await engine.store.read.delivered.count("product_inventory")


async def test_a_change_arrives_with_the_next_poll(engine, clock):
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: caught_up(engine))
        engine.p21.change("location", {"location_id": 10}, location_name="Polled")
        await until(clock, lambda: "Polled" in [record["name"] for record in engine.hub.records("location")])
        await until(clock, lambda: ran(engine, "location", "poll"))


async def test_an_outage_of_the_hub_holds_the_entities_and_a_sweep_follows_it(engine, clock, log_lines):
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: caught_up(engine))
        down = engine.hub.faults.add(Fault(kind="status", status=503))
        engine.p21.change("location", {"location_id": 10}, location_name="During the outage")
        runner = engine.runner("location")
        await until(clock, lambda: runner.gate.hold.state is not None)
        engine.hub.faults.remove(down)
        await until(clock, lambda: "During the outage" in str(engine.hub.records("location")))
        await until(clock, lambda: runner.gate.hold.state is None)
        await until(clock, lambda: [line["kind"] for line in location_cycles(log_lines)][-1] == "sweep")
    assert await engine.letters("location") == {}
    events = [line["event"] for line in log_lines if line.get("entity") == "location" and line["event"] != "cycle"]
    assert events == ["held", "recovered"]


def location_cycles(log_lines: list[dict]) -> list[dict]:
    return [line for line in log_lines if line["event"] == "cycle" and line["entity"] == "location"]


async def test_an_outage_of_p21_at_the_start_ends_in_a_whole_catch_up(engine, clock):
    down = engine.served.p21.faults.add(Fault(kind="drop_before"))
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: all(runner.gate.hold.state for runner in (engine.runner("location"),)))
        engine.served.p21.faults.remove(down)
        await until(clock, lambda: nothing_waits(engine))
    assert len(engine.hub.records("product")) == 20


async def test_a_forbidden_table_holds_its_entity_alone(engine, clock):
    engine.served.p21.settings.forbidden_tables = {"contacts"}
    async with at_work(engine.assembly.supervisor):
        await until(clock, engine.connection.caught_up["product_inventory"].is_set)
        state = engine.runner("customer").gate.hold.state
    assert state is not None
    assert state.lasting
    assert engine.runner("product").gate.hold.state is None


async def test_a_paused_entity_starts_no_cycle_until_it_is_resumed(engine, clock):
    async with engine.store.transaction() as tables:
        await tables.paused.pause("location", "stock-taking", clock.now())
    async with at_work(engine.assembly.supervisor):
        await until(clock, engine.connection.caught_up["product"].is_set)
        with pytest.raises(AlreadyRunning, match="stock-taking"):
            await engine.runner("location").sync_keys(["10"], force=False)
        assert engine.hub.records("location") == []
        engine.runner("location").resume()
        await until(clock, lambda: caught_up(engine))
    assert len(engine.hub.records("location")) == 5


async def test_a_drained_supervisor_ends_by_itself(engine, clock):
    supervisor = engine.assembly.supervisor
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        await until(clock, engine.connection.caught_up["location"].is_set)
        with anyio.fail_after(DEADLINE_SECONDS):
            assert await supervisor.stop(3600.0)
    assert engine.connection.watch.stuck() == []


async def test_a_second_set_over_the_same_store_goes_on_where_the_first_was_drained(make, clock):
    first = make(prophet21={"page_rows": 5}, batch_rows=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first.assembly.supervisor.run)
        await until(clock, lambda: len(first.hub.records("product")) > 3)
        assert await first.assembly.supervisor.stop(3600.0)
    second = make()
    async with at_work(second.assembly.supervisor):
        await until(clock, lambda: nothing_waits(second))
    assert all(record["writes"] == 1 for record in second.hub.records("product"))
    assert second.hub.duplicates() == {}


async def test_a_set_cut_off_in_the_middle_loses_and_doubles_nothing(make, clock):
    first = make(batch_rows=2)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first.assembly.supervisor.run)
        await until(clock, lambda: len(first.hub.records("product")) > 3)
        first.assembly.supervisor.cut_off()
    second = make()
    async with at_work(second.assembly.supervisor):
        await until(clock, lambda: nothing_waits(second))
    assert len(second.hub.records("product")) == 20
    assert second.hub.duplicates() == {}


async def test_a_sync_kept_in_the_store_is_run_after_a_restart(make, clock):
    first = make()
    await first.sweep("location")
    engine = make()
    engine.p21.change("location", {"location_id": 10}, date_last_modified=clock.now() - timedelta(days=20))
    await first.runner("location").request_sync(clock.now() - timedelta(days=30))
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: ran(engine, "location", "sync"))


async def test_a_bug_in_one_entity_does_not_stop_the_others(make, clock, registry, log_lines):
    def broken(_row, _related):
        raise SystemError("plug-in")

    entities = {**registry.entities, "customer": replace(registry.entities["customer"], records=broken)}
    engine = make(registry=replace(registry, entities=entities))
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: caught_up(engine))
    letters = await engine.letters("customer")
    assert len(letters) == 6
    assert {letter["code"] for letter in letters.values()} == {"plug-in"}


async def test_an_entity_that_is_off_has_no_runner_and_says_so(make):
    engine = make(entities={"customer": {"enabled": False}})
    with pytest.raises(ConfigError, match="not enabled"):
        engine.assembly.supervisor.runner("customer")
    with pytest.raises(ConfigError, match="no entity"):
        engine.assembly.supervisor.runner("custommer")


async def test_parents_come_before_their_children(engine):
    names = list(engine.connection.plans)
    assert names.index("product_inventory") > max(names.index("product"), names.index("location"))


async def test_one_sweep_follows_an_outage_at_the_start_not_two(engine, clock):
    down = engine.served.p21.faults.add(Fault(kind="drop_before"))
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: engine.runner("location").gate.hold.state is not None)
        engine.served.p21.faults.remove(down)
        await until(clock, engine.connection.caught_up["location"].is_set)
        began = clock.monotonic()
        await until(clock, lambda: clock.monotonic() - began > 60)
    kinds = [cycle.kind for cycle in await engine.store.read.cycles.latest(entity="location")]
    assert kinds.count("sweep") == 1


async def test_time_spent_paused_does_not_put_the_next_sweep_off(make, clock):
    engine = make(entities={"location": {"sweep_interval": "1m", "poll_interval": "1h"}})
    runner = engine.runner("location")
    runner.gate.pause("stock-taking")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        await clock.until_sleeping(4)
        clock.advance(8 * 3600)
        runner.resume()
        await until(clock, lambda: ran_times(engine, "location", "sweep", 2))
        tasks.cancel_scope.cancel()


async def ran_times(engine, entity: str, kind: str, times: int) -> bool:
    return [cycle.kind for cycle in await engine.store.read.cycles.latest(entity=entity)].count(kind) >= times


async def test_a_release_loop_without_work_does_not_lift_a_hold(engine, clock):
    runner = engine.runner("location")

    async def nothing_due() -> bool:
        runner.gate.hold.failed(Unavailable("hub: 503", system="hub"))  # another loop fails meanwhile
        return await engine.releases("location").run_due()

    await runner.gate.guarded(nothing_due)
    assert runner.gate.hold.state is not None
