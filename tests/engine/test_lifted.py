"""What ends a wait ends it for every loop that waits: a resume, and the success of another loop."""

from __future__ import annotations

import anyio

from p21d.engine.drain import Drain
from p21d.engine.hold import Hold
from p21d.errors import Unauthorized
from p21d.fake_clock import FakeClock


async def no_answer(_system: str) -> None:
    raise AssertionError("nobody asks before the time")


async def test_a_resume_wakes_every_loop_that_waits_for_it(make):
    gate = make(clock=FakeClock()).runner("location").gate
    gate.pause("a test")
    with anyio.fail_after(1):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(gate.pass_through)
            await anyio.wait_all_tasks_blocked()
            gate.resume()  # the clock stands: who is not woken would look again 15 seconds later


async def test_a_second_pause_is_waited_for_again(make):
    gate = make(clock=FakeClock()).runner("location").gate
    gate.pause("a test")
    gate.resume()
    gate.pause("again")
    passed = anyio.Event()

    async def wait() -> None:
        await gate.pass_through()
        passed.set()

    with anyio.fail_after(1):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            assert not passed.is_set()
            gate.resume()


async def test_a_loop_that_waits_a_hold_out_goes_on_when_another_lifts_it():
    clock = FakeClock()
    hold = Hold("part", clock, no_answer)
    hold.failed(Unauthorized("refused", system="hub"))
    with anyio.fail_after(1):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hold.wait, Drain(clock))
            await anyio.wait_all_tasks_blocked()
            hold.succeeded()


async def test_what_lifted_one_hold_does_not_shorten_the_next():
    clock = FakeClock()
    hold = Hold("part", clock, no_answer)
    hold.failed(Unauthorized("refused", system="hub"))
    hold.succeeded()
    hold.failed(Unauthorized("refused again", system="hub"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hold.wait, Drain(clock))
        await anyio.wait_all_tasks_blocked()
        assert hold.state is not None
        tasks.cancel_scope.cancel()
