from __future__ import annotations

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from p21d.engine.slots import BACKGROUND_KINDS, Slots

KINDS = ("poll", "release", "orders", "sweep", "sync", "backfill")


class Load:
    """Batches on slots: who holds one, in which order they came by it, and what was the most at once."""

    def __init__(self, total: int) -> None:
        self.slots = Slots(total)
        self.holding: dict[str, str] = {}
        self.order: list[str] = []
        self.most = self.most_background = 0
        self.ends: dict[str, anyio.Event] = {}

    @property
    def background(self) -> int:
        return sum(kind in BACKGROUND_KINDS for kind in self.holding.values())

    async def batch(self, name: str, kind: str) -> None:
        end = self.ends[name] = anyio.Event()
        async with self.slots.hold(kind):
            self.holding[name] = kind
            self.order.append(name)
            self.most = max(self.most, len(self.holding))
            self.most_background = max(self.most_background, self.background)
            await end.wait()
            del self.holding[name]


async def settle() -> None:
    for _ in range(10):
        await checkpoint()


@settings(max_examples=60, deadline=None)
@given(
    total=st.integers(1, 6),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("begin"), st.sampled_from(KINDS)),
            st.tuples(st.sampled_from(["end", "cancel"]), st.integers(0, 30)),
            st.tuples(st.just("resize"), st.integers(1, 6)),
        ),
        max_size=40,
    ),
)
def test_whatever_happens_the_bounds_hold_and_no_awakening_is_lost(total, steps):
    anyio.run(play, total, steps)


async def play(total: int, steps: list[tuple[str, object]]) -> None:
    load, scopes, bound = Load(total), [], total
    kinds: dict[str, str] = {}

    async def run(name: str, kind: str, scope: anyio.CancelScope) -> None:
        with scope:
            try:
                await load.batch(name, kind)
            finally:
                load.holding.pop(name, None)
                kinds.pop(name, None)

    async with anyio.create_task_group() as tasks:
        for action, value in steps:
            names = list(kinds)
            if action == "begin":
                name, scope = f"batch {len(scopes)}", anyio.CancelScope()
                scopes.append((name, scope))
                kinds[name] = str(value)
                tasks.start_soon(run, name, str(value), scope)
            elif action == "resize":
                load.slots.resize(int(str(value)))
                bound = max(int(str(value)), load.slots.used)
            elif names:
                name = names[int(str(value)) % len(names)]
                if action == "cancel":
                    dict(scopes)[name].cancel()
                elif name in load.holding:
                    load.ends[name].set()
            load.most = load.most_background = 0
            await settle()
            bound = max(load.slots.total, min(bound, load.slots.used))
            check(load, kinds, bound)
        tasks.cancel_scope.cancel()
    assert load.slots.used == 0


def check(load: Load, kinds: dict[str, str], bound: int) -> None:
    assert load.most <= bound
    assert load.slots.used == len(load.holding)
    waiting = [kind for name, kind in kinds.items() if name not in load.holding]
    free = load.slots.total - load.slots.used
    in_front = [kind for kind in waiting if kind not in BACKGROUND_KINDS]
    if free > 0:
        assert not in_front
        assert not waiting or load.background >= load.slots.of("sweep")
    if load.most_background:  # a background batch was let in during this step
        assert load.most_background <= max(load.slots.of("sweep"), load.background)


@pytest.mark.parametrize(("total", "half"), [(1, 1), (2, 1), (3, 1), (10, 5)])
async def test_background_kinds_hold_half_of_the_slots_and_at_least_one(total, half):
    load = Load(total)
    async with anyio.create_task_group() as tasks:
        for number in range(12):
            tasks.start_soon(load.batch, str(number), ("sweep", "sync", "backfill")[number % 3])
        await settle()
        assert len(load.holding) == half
        tasks.cancel_scope.cancel()


async def test_foreground_kinds_may_hold_all_slots():
    load = Load(4)
    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(load.batch, str(number), "poll")
        await settle()
        assert len(load.holding) == 4
        tasks.cancel_scope.cancel()


async def test_a_poll_that_came_last_gets_the_next_free_slot():
    load = Load(1)
    async with anyio.create_task_group() as tasks:
        for name, kind in (("a", "sweep"), ("b", "sweep"), ("c", "sync"), ("d", "poll")):
            tasks.start_soon(load.batch, name, kind)
            await settle()
        for name in ("a", "d", "b", "c"):
            load.ends[name].set()
            await settle()
    assert load.order == ["a", "d", "b", "c"]


async def test_within_a_class_who_came_first_is_served_first():
    load = Load(1)
    async with anyio.create_task_group() as tasks:
        for name, kind in (("a", "poll"), ("b", "release"), ("c", "orders"), ("d", "poll")):
            tasks.start_soon(load.batch, name, kind)
            await settle()
        for name in "abcd":
            load.ends[name].set()
            await settle()
    assert load.order == ["a", "b", "c", "d"]


async def test_more_slots_let_the_waiting_in_at_once():
    load = Load(2)
    async with anyio.create_task_group() as tasks:
        for number in range(6):
            tasks.start_soon(load.batch, str(number), "sweep")
        await settle()
        load.slots.resize(8)
        await settle()
        assert len(load.holding) == 4
        tasks.cancel_scope.cancel()


async def test_fewer_slots_let_nobody_in_before_enough_have_ended():
    load = Load(4)
    async with anyio.create_task_group() as tasks:
        for name in "abcdef":
            tasks.start_soon(load.batch, name, "poll")
            await settle()
        load.slots.resize(2)
        seen = []
        for name in "abcd":
            load.ends[name].set()
            await settle()
            seen.append("".join(load.holding))
        tasks.cancel_scope.cancel()
    assert seen == ["bcd", "cd", "de", "ef"]


async def test_a_slot_granted_to_a_batch_cancelled_in_the_same_moment_goes_to_the_next():
    load, scope = Load(1), anyio.CancelScope()

    async def cancelled() -> None:
        with scope:
            await load.batch("b", "poll")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(load.batch, "a", "poll")
        await settle()
        tasks.start_soon(cancelled)
        await settle()
        tasks.start_soon(load.batch, "c", "poll")
        await settle()
        load.ends["a"].set()
        await checkpoint()
        scope.cancel()
        await settle()
        load.ends["c"].set()
    assert load.order[-1] == "c"
    assert load.slots.used == 0
