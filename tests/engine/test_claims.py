"""Claims: holders of a common name never overlap, none waits for ever."""

from __future__ import annotations

import anyio
import anyio.lowlevel
from hypothesis import given, settings
from hypothesis import strategies as st

from p21d.engine.claims import Claims

name_sets = st.lists(st.sets(st.sampled_from("abcde"), min_size=1), min_size=1, max_size=12)


@given(wanted=name_sets)
@settings(max_examples=40, deadline=None)
def test_two_holders_of_a_common_name_never_overlap_and_all_get_their_turn(wanted):
    held: list[str] = []
    done: list[int] = []

    async def batch(claims: Claims, number: int, letters: set[str]) -> None:
        async with claims.hold([("part", letter) for letter in letters]):
            assert not set(held) & letters
            held.extend(letters)
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
            for letter in letters:
                held.remove(letter)
        done.append(number)

    async def run() -> None:
        claims = Claims()
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                for number, letters in enumerate(wanted):
                    tasks.start_soon(batch, claims, number, letters)

    anyio.run(run)
    assert sorted(done) == list(range(len(wanted)))


async def test_batches_without_a_common_name_run_together():
    claims = Claims()
    with anyio.fail_after(1):
        async with claims.hold([("part", "1")]), claims.hold([("part", "2")]):
            pass


async def test_a_cancelled_holder_frees_its_names():
    claims = Claims()

    async def hold_for_ever() -> None:
        async with claims.hold([("part", "1")]):
            held.set()
            await anyio.sleep_forever()

    held = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hold_for_ever)
        await held.wait()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(1):
        async with claims.hold([("part", "1")]):
            pass


async def test_a_cancelled_waiter_leaves_nothing_claimed():
    claims = Claims()
    async with claims.hold([("part", "1")]):
        with anyio.move_on_after(0.01):
            async with claims.hold([("part", "1"), ("part", "2")]):
                raise AssertionError
    with anyio.fail_after(1):
        async with claims.hold([("part", "1"), ("part", "2")]):
            pass
