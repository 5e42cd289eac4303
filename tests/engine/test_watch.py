"""The watchdog's limit: beyond every honest wait, and what waits for others is not stuck while they move."""

from __future__ import annotations

import pytest

from p21d.assembly import stuck_seconds
from p21d.engine.backoff import MAX_ASKED_SECONDS
from p21d.engine.watch import Watch, longest_wait_seconds
from p21d.prophet21.session import ATTEMPTS
from tests.engine.world import LeapingClock


@pytest.mark.parametrize("timeout", [1.0, 120.0, 1800.0])
def test_the_limit_is_beyond_a_page_that_is_asked_for_twice(timeout):
    assert longest_wait_seconds(timeout) > 2 * ATTEMPTS * timeout
    assert longest_wait_seconds(timeout) > MAX_ASKED_SECONDS


async def test_the_limit_follows_the_slower_system(make):
    usual = stuck_seconds(make().assembly.config)
    assert usual == longest_wait_seconds(120.0)
    assert stuck_seconds(make(prophet21={"timeout": "10m"}).assembly.config) == longest_wait_seconds(600.0)
    assert stuck_seconds(make(sink={"timeout": "20m"}).assembly.config) == longest_wait_seconds(1200.0)


def test_a_cycle_that_waits_for_a_slot_is_not_stuck_while_the_sink_answers():
    clock = LeapingClock()
    watch = Watch(clock, stuck_seconds=100)
    with watch.over("product sweep"), watch.over("product_inventory poll"), watch.waiting("product sweep"):
        for _ in range(5):
            clock.advance(60)
            watch.answered("product_inventory poll")
        assert watch.stuck() == []


def test_it_is_stuck_when_nobody_moves():
    clock = LeapingClock()
    watch = Watch(clock, stuck_seconds=100)
    with watch.over("product sweep"), watch.over("location sweep"), watch.waiting("product sweep"):
        clock.advance(60)
        watch.step("location sweep")  # a page of another entity brings no slot nearer
        clock.advance(60)
        assert watch.stuck() == ["product sweep"]


async def test_each_record_of_a_long_batch_is_a_step(make):
    engine = make(concurrent_batch_executions=1)
    watch, seen = engine.connection.watch, []
    answered = watch.answered
    watch.answered = lambda name: (seen.append(name), answered(name))
    await engine.sweep("location")
    assert seen == ["location sweep"] * 5
