from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from p21d.clock import Clock
from p21d.testing import FakeClock

START = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)


async def test_the_clock_stands_until_it_is_advanced():
    clock: Clock = FakeClock(START)
    assert (clock.now(), clock.monotonic()) == (START, 0)


async def test_an_advance_moves_both_times():
    clock = FakeClock(START)
    clock.advance(90)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=90), 90)


async def test_sleepers_wake_in_the_order_they_are_due():
    clock, woken = FakeClock(), []

    async def sleep(seconds):
        await clock.sleep(seconds)
        woken.append(seconds)

    async with anyio.create_task_group() as tasks:
        for seconds in (30, 10, 20):
            tasks.start_soon(sleep, seconds)
        await clock.until_sleeping(3)
        clock.advance(30)
    assert woken == [10, 20, 30]


async def test_who_is_not_due_sleeps_on():
    clock = FakeClock()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.sleep, 10)
        await clock.until_sleeping()
        clock.advance(9.5)
        await clock.until_sleeping()
        clock.advance(0.5)


@pytest.mark.parametrize("seconds", [0, -1])
async def test_no_time_is_not_waited_for(seconds):
    with anyio.fail_after(1):
        await FakeClock().sleep(seconds)


async def test_a_cancelled_sleeper_is_forgotten():
    clock = FakeClock()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.sleep, 10)
        await clock.until_sleeping()
        tasks.cancel_scope.cancel()
    with anyio.move_on_after(0) as scope:
        await clock.until_sleeping()
    assert scope.cancelled_caught


async def test_two_may_wait_for_sleepers():
    clock = FakeClock()
    async with anyio.create_task_group() as sleepers:
        with anyio.fail_after(1):
            async with anyio.create_task_group() as waiters:
                waiters.start_soon(clock.until_sleeping, 1)
                waiters.start_soon(clock.until_sleeping, 2)
                sleepers.start_soon(clock.sleep, 5)
                sleepers.start_soon(clock.sleep, 5)
        clock.advance(5)
