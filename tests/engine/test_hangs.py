"""A hang at each await of the path: it is noticed, its entity alone is begun anew, and only what swallows that is left.

Each test runs the real entities over real sockets and a clock that it turns; one call of the engine never comes back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest

from p21d.clock import SystemClock
from p21d.engine.incident import places
from p21d.engine.one_line import one_line
from p21d.engine.watchdog import Watchdog
from p21d.sandbox.faults import Fault
from p21d.testing import FakeClock
from tests.engine.orders.taking_in import desk_of, intents
from tests.engine.orders.test_over_sandboxes import check, placed
from tests.engine.test_supervisor import at_work, until
from tests.engine.world import PARENTS_FIRST, Engine, LeapingClock

ENDS_SECONDS = 5.0
NEVER_ENDS_SECONDS = 0.05
FAILED_SECONDS = 10.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SystemClock().now())


class Hang:
    """A call that does not come back the first times, however often it is made then; `met` while it hangs."""

    def __init__(self, patch: pytest.MonkeyPatch, *, times: int = 1, shielded: bool = False) -> None:
        self.met = anyio.Event()
        self.released = anyio.Event()
        self._patch = patch
        self._left = times
        self._shielded = shielded

    async def hang_here(self) -> None:
        if self._left:
            self._left -= 1
            self.met.set()
            with anyio.move_on_after(FAILED_SECONDS, shield=self._shielded):  # else a failing test would not end
                await self.released.wait()

    def again(self) -> None:
        self.met, self._left = anyio.Event(), 1

    def at(self, owner: Any, name: str, *, only: Callable[..., bool] = lambda *_: True) -> None:
        """Hang in a coroutine function."""
        call = getattr(owner, name)

        async def hanging(*arguments: Any, **options: Any) -> Any:
            if only(*arguments):
                await self.hang_here()
            return await call(*arguments, **options)

        self._patch.setattr(owner, name, hanging)

    def at_entry(self, owner: Any, name: str) -> None:
        """Hang before an asynchronous context manager is entered."""
        enter = getattr(owner, name)

        @asynccontextmanager
        async def hanging(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
            await self.hang_here()
            async with enter(*arguments, **options) as entered:
                yield entered

        self._patch.setattr(owner, name, hanging)


@pytest.fixture
async def hang(monkeypatch) -> AsyncIterator[Hang]:
    made = Hang(monkeypatch)
    yield made
    made.released.set()


def watchdog_of(engine: Engine, seconds: float = ENDS_SECONDS) -> Watchdog:
    """Return a watchdog that waits so long for what it cut off."""
    supervisor, watch = engine.assembly.supervisor, engine.connection.watch
    return Watchdog(watch, engine.clock, supervisor.restart, restart_seconds=seconds)


def only(make: Callable[..., Engine], entity: str) -> Engine:
    """Return an engine with one entity, whose parents' ids only the sink knows."""
    return make(entities={name: {"enabled": name == entity, "poll_interval": "20s"} for name in PARENTS_FIRST})


def leap(engine: Engine, seconds: float = 1.0) -> None:
    """Let the time pass after which whatever is under way now is stuck."""
    engine.clock.advance(engine.connection.watch.stuck_seconds + seconds)


def assert_clean(engine: Engine, owner: str) -> None:
    """Check that what was cut off has left nothing behind."""
    connection = engine.connection
    assert connection.slots.used == 0
    assert connection.claims._held == set()
    assert connection.watch.at_work(owner) == []
    assert not any(runner.running for runner in engine.assembly.supervisor.runners.values())
    assert connection.paces == {}


def page_of(table: str) -> Callable[..., bool]:
    return lambda path: f"/{table}?" in path


AWAITS: dict[str, tuple[str, Callable[[Hang, Engine], None]]] = {
    "the proof": ("location", lambda hang, e: hang.at(e.connection.source, "prove")),
    "P21's now": ("location", lambda hang, e: hang.at(e.connection.source, "now")),
    "the sign-in": ("location", lambda hang, e: hang.at(e.connection.source._tokens, "_mint")),
    "a page": ("location", lambda hang, e: hang.at(e.connection.source._session, "get", only=page_of("location"))),
    "a related read": ("company", lambda hang, e: hang.at(e.connection.source, "related")),
    "a link look-up": ("product_inventory", lambda hang, e: hang.at(e.connection.sink, "find")),
    "a claim": ("location", lambda hang, e: hang.at_entry(e.connection.claims, "hold")),
    "a slot": ("location", lambda hang, e: hang.at(e.connection.slots, "_acquire")),
    "a delivery": ("location", lambda hang, e: hang.at(e.connection.sink, "deliver")),
    "a read of the store": ("location", lambda hang, e: hang.at(e.store.read.delivered, "by_keys")),
    "a trigger's page": (
        "product",
        lambda hang, e: hang.at(e.connection.source._session, "get", only=page_of("item_uom")),
    ),
    "the waiting room": ("location", lambda hang, e: hang.at(e.store.read.waiting, "wanted")),
}


@pytest.mark.parametrize("where", AWAITS)
async def test_a_hang_is_logged_and_its_entity_is_begun_anew_alone(make, clock, hang, log_lines, where):
    entity, plant = AWAITS[where]
    engine = only(make, entity)
    plant(hang, engine)
    watchdog = watchdog_of(engine)
    async with at_work(engine.assembly.supervisor):
        await until(clock, hang.met.is_set)
        before = engine.runner(entity)
        assert await watchdog.look()
        assert engine.runner(entity) is before

        leap(engine)
        assert await watchdog.look()

        assert engine.runner(entity) is not before
        assert "has not moved for" in engine.runner(entity).gate.hold.state.reason
        assert f"1 of 1 entities held; {entity}: " in one_line(engine.assembly.supervisor, watchdog.trouble)
        await until(clock, lambda: in_step(engine, entity))
        assert_clean(engine, entity)
    [stuck] = [line for line in log_lines if line["event"] == "stuck"]
    assert any("engine/test_hangs.py" in line and "hang_here" in line for line in stuck["tasks"])
    assert all(work["seconds"] > 1000 and work["stage"] for work in stuck["work"])
    assert [line["owner"] for line in log_lines if line["event"] == "begun anew"] == [entity]
    assert engine.hub.duplicates() == {}


async def in_step(engine: Engine, entity: str) -> bool:
    runner = engine.runner(entity)
    quiet = runner.gate.hold.state is None and not runner.running and not engine.connection.watch.at_work(entity)
    return quiet and engine.connection.caught_up[entity].is_set()


@pytest.mark.parametrize("system", ["P21", "the sink"])
async def test_a_probe_that_hangs_is_begun_anew(make, clock, hang, system):
    engine = only(make, "location")
    simulator = engine.served.p21 if system == "P21" else engine.hub
    down = simulator.faults.add(Fault(kind="status", status=503))
    hang.at(engine.connection.source if system == "P21" else engine.connection.sink, "probe")
    watchdog = watchdog_of(engine)
    async with at_work(engine.assembly.supervisor):
        await until(clock, hang.met.is_set)
        leap(engine)
        assert "probe" in {one.stage for one in engine.connection.watch.stuck()}
        assert await watchdog.look()
        simulator.faults.remove(down)
        await until(clock, lambda: in_step(engine, "location"))
        assert_clean(engine, "location")


async def test_other_entities_keep_their_runners_and_go_on(make, clock, hang):
    names = ("location", "company")
    engine = make(entities={name: {"enabled": name in names, "poll_interval": "20s"} for name in PARENTS_FIRST})
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: in_step(engine, "company"))
        await until(clock, lambda: in_step(engine, "location"))
        hang.at(engine.connection.sink, "deliver")
        engine.p21.change("location", {"location_id": 10}, location_name="Stuck")
        await until(clock, hang.met.is_set)
        location, company = engine.runner("location"), engine.runner("company")
        await until(clock, lambda: in_step(engine, "company"))
        leap(engine)
        assert await watchdog_of(engine).look()
        assert engine.runner("location") is not location
        assert engine.runner("company") is company
        await until(clock, lambda: "Stuck" in str(engine.hub.records("location")))


async def test_a_paused_entity_stays_paused_when_it_is_begun_anew(make, clock, hang):
    engine = only(make, "location")
    hang.at(engine.connection.sink, "deliver")
    async with at_work(engine.assembly.supervisor):
        await until(clock, hang.met.is_set)
        engine.runner("location").gate.pause("stock-taking")
        leap(engine)
        assert await watchdog_of(engine).look()
        assert engine.runner("location").gate.paused == "stock-taking"


async def test_a_sync_that_a_person_waits_for_is_cut_off_with_its_entity(make, clock, hang):
    engine = only(make, "location")
    refused: list[str] = []

    async def sync() -> None:
        try:
            await engine.runner("location").sync_keys(["10"], force=True)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is looked at below
            refused.append(str(error))

    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: in_step(engine, "location"))
        hang.at(engine.connection.sink, "deliver")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sync)
            await until(clock, hang.met.is_set)
            leap(engine)
            assert await watchdog_of(engine).look()
        assert refused == ["the entity is begun anew"]
        await until(clock, lambda: in_step(engine, "location"))
        assert_clean(engine, "location")


async def test_a_hang_that_swallows_its_cancellation_is_left_to_systemd(make, clock, monkeypatch, log_lines):
    engine, hang = only(make, "location"), Hang(monkeypatch, shielded=True)
    hang.at(engine.connection.sink, "deliver")
    watchdog, before = watchdog_of(engine, NEVER_ENDS_SECONDS), engine.runner("location")
    async with at_work(engine.assembly.supervisor):
        await until(clock, hang.met.is_set)
        leap(engine)
        assert not await watchdog.look()
        assert not await watchdog.look()
        assert "hangs: location sweep has not moved" in one_line(engine.assembly.supervisor, watchdog.trouble)
        assert engine.runner("location") is before  # never two at once
        hang.released.set()
        await until(clock, lambda: in_step(engine, "location"))
        assert await watchdog.look()
        assert engine.runner("location") is not before
    assert [line["event"] for line in log_lines if line["event"] in ("stuck", "hang lasts")] == ["stuck", "hang lasts"]


async def test_a_commit_that_hangs_is_left_to_systemd(make, clock, monkeypatch):
    engine = only(make, "location")
    hang = Hang(monkeypatch, shielded=True)
    hang.at(engine.store, "_run", only=lambda sql: sql == "COMMIT")
    watchdog = watchdog_of(engine, NEVER_ENDS_SECONDS)
    async with at_work(engine.assembly.supervisor):
        await until(clock, hang.met.is_set)
        leap(engine)
        assert not await watchdog.look()
        hang.released.set()
        await until(clock, lambda: in_step(engine, "location"))


@pytest.mark.parametrize("periods", [1, 3])
async def test_the_same_hang_again_soon_is_left_to_systemd_and_a_later_one_is_not(make, clock, hang, periods):
    engine = only(make, "location")
    hang.at(engine.connection.sink, "deliver")
    watchdog = watchdog_of(engine)
    async with at_work(engine.assembly.supervisor):
        await until(clock, hang.met.is_set)
        leap(engine)
        hang.again()
        assert await watchdog.look()
        await until(clock, hang.met.is_set)
        leap(engine, 1 + (periods - 1) * engine.connection.watch.stuck_seconds)
        assert await watchdog.look() is (periods > 1)


async def test_what_nothing_can_begin_anew_is_left_to_systemd(engine, clock):
    with engine.connection.watch.over("housekeeping"):
        leap(engine)
        assert not await watchdog_of(engine).look()


async def test_a_slot_that_a_cut_off_batch_kept_would_be_seen(make, clock, hang, monkeypatch):
    engine = only(make, "location")
    slots = engine.connection.slots
    monkeypatch.setattr(slots, "hold", lambda kind: leaking_hold(slots, kind))
    hang.at(engine.connection.sink, "deliver")
    async with at_work(engine.assembly.supervisor):
        await until(clock, hang.met.is_set)
        leap(engine)
        await watchdog_of(engine).look()
    with pytest.raises(AssertionError):
        assert_clean(engine, "location")


@asynccontextmanager
async def leaking_hold(slots: Any, kind: str) -> AsyncIterator[None]:
    """A slot that is given back only by work that ends well: the bug that `assert_clean` must see."""
    background = kind == "sweep"
    await slots._acquire(background=background)
    yield
    slots._used[background] -= 1


ORDERS: dict[str, Callable[[Hang, Engine], None]] = {
    "who writes": lambda hang, e: hang.at(desk_of(e).context.inbox, "writer"),
    "the hub's order": lambda hang, e: hang.at(desk_of(e).context.inbox, "order"),
    "the look-up": lambda hang, e: hang.at(desk_of(e).context.desk, "by_reference"),
    "the write": lambda hang, e: hang.at(desk_of(e).context.desk, "write"),
}


@pytest.mark.parametrize("where", list(ORDERS))
async def test_an_order_that_hangs_is_begun_anew_and_written_once(make, hang, where):
    clock = LeapingClock()
    engine, [hub_id] = await placed(partial(make, clock=clock), 1)
    ORDERS[where](hang, engine)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.assembly.supervisor._restartable["orders"].run)
        await until(clock, hang.met.is_set)
        leap(engine)
        assert await watchdog_of(engine).look()
        assert "has not moved" in desk_of(engine).state().held_reason
        await until(clock, lambda: linked(engine, hub_id))
        tasks.cancel_scope.cancel()
    await check(engine, [hub_id])


async def linked(engine: Engine, hub_id: str) -> bool:
    return (await intents(engine))[hub_id].state == "linked"


def test_a_place_holds_no_values():
    async def wait_for(_secret: str) -> None:
        await anyio.sleep_forever()

    waiting: Awaitable[None] = wait_for("hunter2")
    assert "hunter2" not in str(places(waiting))
    waiting.close()
