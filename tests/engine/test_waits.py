"""Drain, hold, back-off and slots: the waits of the engine, over a clock that a test turns."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.engine.backoff import MAX_ASKED_SECONDS, backoff_seconds
from p21d.engine.drain import Drain, Drained
from p21d.engine.health import MAX_LONE_PARKS, RouteHealth
from p21d.engine.hold import ASK_AGAIN_SECONDS, Hold, wait_seconds
from p21d.engine.slots import Slots
from p21d.engine.watch import STUCK_SECONDS, Watch
from p21d.errors import Forbidden, ReadRefused, Unauthorized, Unavailable
from p21d.testing import FakeClock

DOWN = Unavailable("hub: 503", system="hub")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def drain(clock) -> Drain:
    return Drain(clock)


async def test_a_sleep_ends_when_its_time_is_over(drain, clock):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drain.sleep, 10)
        await clock.until_sleeping()
        clock.advance(10)


async def test_a_drain_ends_a_sleep_at_once(drain, clock):
    async def sleep() -> None:
        with pytest.raises(Drained):
            await drain.sleep(3600)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleep)
        await clock.until_sleeping()
        drain.request()


async def test_after_a_drain_nobody_sleeps_any_more(drain):
    drain.request()
    with anyio.fail_after(1), pytest.raises(Drained):
        await drain.sleep(3600)


async def test_an_event_ends_a_wait_and_says_so(drain, clock):
    event = anyio.Event()
    event.set()
    with anyio.fail_after(1):
        assert await drain.wait_for(event, 3600)


async def test_a_wait_without_its_event_says_so(drain):
    assert not await drain.wait_for(anyio.Event(), 0)


class Other:
    """The other side of a hold, down until told otherwise."""

    def __init__(self) -> None:
        self.error: Exception | None = DOWN
        self.asked: list[str] = []

    async def probe(self, system: str) -> None:
        self.asked.append(system)
        if self.error:
            raise self.error


@pytest.fixture
async def other() -> Other:
    return Other()


@pytest.fixture
async def hold(clock, other) -> Hold:
    return Hold("part", clock, other.probe)


async def test_a_hold_asks_until_the_other_side_is_back(hold, other, clock, drain):
    hold.failed(DOWN)
    waited = anyio.Event()

    async def wait() -> None:
        await hold.wait(drain)
        waited.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        while len(other.asked) < 4:
            clock.advance(61)
            await anyio.lowlevel.checkpoint()
        assert not waited.is_set()
        other.error = None
        while not waited.is_set():
            clock.advance(61)
            await anyio.lowlevel.checkpoint()
    assert set(other.asked) == {"hub"}
    assert hold.state is not None
    hold.succeeded()
    assert hold.state is None
    assert hold.outage_ended.is_set()


async def test_a_hold_is_logged_once_when_it_begins_and_once_when_it_ends(hold, log_lines):
    for _ in range(5):
        hold.failed(DOWN)
    hold.succeeded()
    hold.succeeded()
    assert [line["event"] for line in log_lines] == ["held", "recovered"]
    assert log_lines[1]["failures"] == 5


async def test_a_new_reason_is_logged(hold, log_lines):
    hold.failed(DOWN)
    hold.failed(Forbidden("no permission", system="hub", resource="part"))
    assert [line["reason"] for line in log_lines] == ["hub: 503", "no permission"]


async def test_two_loops_that_wait_ask_one_after_the_other(hold, other, clock, drain):
    hold.failed(DOWN)
    other.error = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hold.wait, drain)
        tasks.start_soon(hold.wait, drain)
        await clock.until_sleeping()
        clock.advance(61)
    assert other.asked == ["hub", "hub"]


async def test_a_person_can_end_the_wait(hold, other, clock, drain):
    hold.failed(Unauthorized("refused", system="hub"))
    other.error = None
    with anyio.fail_after(1):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hold.wait, drain)
            await clock.until_sleeping()
            hold.hurry()


async def test_a_drain_ends_the_wait_of_a_hold(hold, other, clock, drain):
    hold.failed(Unauthorized("refused", system="hub"))
    drain.request()
    with anyio.fail_after(1), pytest.raises(Drained):
        await hold.wait(drain)
    assert other.asked == []


async def test_only_what_a_person_must_mend_is_lasting(hold):
    for error, lasting in (
        (DOWN, False),
        (ValueError("a bug"), False),
        (Unauthorized("x", system="hub"), True),
        (Forbidden("x", system="hub", resource="part"), True),
        (ReadRefused("x", table="part"), True),
    ):
        hold.failed(error)
        assert hold.state is not None
        assert hold.state.lasting is lasting


def test_refused_credentials_wait_longer_each_time_up_to_an_hour():
    error = Unauthorized("refused", system="hub")
    waits = [wait_seconds(error, failures) for failures in range(1, 12)]
    assert waits[:3] == [60, 120, 240]
    assert waits[-1] == 3600
    assert waits == sorted(waits)


def test_a_missing_permission_is_asked_for_every_fifteen_minutes():
    assert wait_seconds(Forbidden("x", system="hub", resource="part"), 9) == ASK_AGAIN_SECONDS
    assert wait_seconds(ReadRefused("x", table="part"), 1) == ASK_AGAIN_SECONDS


@given(attempt=st.integers(1, 10_000), asked=st.none() | st.floats(0, 1e9))
def test_a_back_off_honours_what_was_asked_and_stays_within_its_limits(attempt, asked):
    seconds = backoff_seconds(attempt, first=1, most=60, asked=asked)
    assert min(asked or 0.0, MAX_ASKED_SECONDS) <= seconds <= max(60, MAX_ASKED_SECONDS)


async def test_a_batch_beyond_the_slots_waits_and_a_resize_lets_it_in():
    slots = Slots(1)
    entered: list[int] = []

    async def batch(number: int) -> None:
        async with slots.hold("poll"):
            entered.append(number)
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(batch, 1)
        tasks.start_soon(batch, 2)
        await anyio.wait_all_tasks_blocked()
        assert entered == [1]
        slots.resize(2)
        await anyio.wait_all_tasks_blocked()
        assert entered == [1, 2]
        assert (slots.used, slots.total) == (2, 2)
        slots.resize(1)
        assert slots.used == 2
        tasks.cancel_scope.cancel()
    assert slots.used == 0


def test_work_that_does_not_move_is_named(clock):
    watch = Watch(clock)
    with watch.over("part sweep"):
        clock.advance(STUCK_SECONDS - 1)
        watch.step("part sweep")
        clock.advance(STUCK_SECONDS)
        assert watch.stuck() == []
        clock.advance(1)
        assert [stuck.work for stuck in watch.stuck()] == ["part sweep"]
    assert watch.stuck() == []


def test_a_route_without_success_lets_few_different_records_be_parked(clock):
    health = RouteHealth(clock)
    assert all(health.may_park_alone(str(number)) for number in range(MAX_LONE_PARKS))
    assert not health.may_park_alone("one more")
    assert health.may_park_alone("0")
    health.succeeded()
    assert health.may_park_alone("one more")


async def test_a_failure_after_progress_is_the_first_in_a_row_again(other, clock):
    settled = [0]
    hold = Hold("product", clock, other.probe, moved=lambda: settled[0])
    for _ in range(5):
        hold.failed(DOWN)
    assert hold.state.failures == 5
    settled[0] = 1000
    hold.failed(DOWN)
    assert hold.state.failures == 1
