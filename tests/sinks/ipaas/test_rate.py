from __future__ import annotations

import anyio
import pytest

from p21d.sinks.rate import Pace
from tests.sinks.ipaas.records import product


async def test_no_window_ever_holds_more_calls_than_the_rate(clock):
    pace, passed = Pace((3, 10.0), clock), []
    for number in range(20):
        await pace.wait()
        passed.append(clock.monotonic())
        clock.seconds += number % 3

    assert all(late - early >= 10 for early, late in zip(passed, passed[3:], strict=False))


async def test_calls_pass_at_once_below_the_rate(clock):
    pace = Pace((3, 10.0), clock)
    for _ in range(3):
        await pace.wait()

    assert clock.slept == []


async def test_without_a_rate_nothing_waits(clock):
    pace = Pace(None, clock)
    for _ in range(1000):
        await pace.wait()

    assert (clock.slept, pace.seconds_left()) == ([], 0)


async def test_a_cancelled_caller_gives_its_turn_back(clock):
    pace = Pace((1, 10.0), clock)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await pace.wait()
    await pace.wait()

    assert pace.waiting == 0


@pytest.mark.parametrize("rate", ["2/10s"])
async def test_logins_and_data_calls_share_the_rate(make_sink, login, clock, rate):
    sink = make_sink(**login, rate=rate)

    await sink.deliver([product()], [])

    assert clock.slept == [11.0]  # with the margin
