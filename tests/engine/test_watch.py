"""The watchdog's limit: beyond every honest wait, and what waits for others is not stuck while they move."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context

import anyio
import pytest

from p21d.assembly import stuck_seconds
from p21d.calls import witnessed
from p21d.engine.backoff import MAX_ASKED_SECONDS
from p21d.engine.incident import last_calls, task_tree
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


@pytest.fixture
def clock() -> LeapingClock:
    return LeapingClock()


@pytest.fixture
def watch(clock) -> Watch:
    return Watch(clock, stuck_seconds=100)


@contextmanager
def apart(watch: Watch, name: str, **options: str) -> Iterator[Context]:
    """Watch a piece of work of another task; what is run in its context is done by that work."""
    context, over = copy_context(), watch.over(name, **options)
    context.run(over.__enter__)
    try:
        yield context
    finally:
        context.run(over.__exit__, None, None, None)


def names(watch: Watch) -> list[str]:
    return [stuck.work for stuck in watch.stuck()]


def test_a_cycle_that_waits_for_a_slot_is_not_stuck_while_the_sink_answers(clock, watch):
    with apart(watch, "product sweep"), apart(watch, "product_inventory poll"), watch.waiting("product sweep"):
        for _ in range(5):
            clock.advance(60)
            watch.answered("product_inventory poll")
        assert names(watch) == []


def test_it_is_stuck_when_nobody_moves(clock, watch):
    with apart(watch, "product sweep"), apart(watch, "location sweep"), watch.waiting("product sweep"):
        clock.advance(60)
        watch.step("location sweep")  # a page of another entity brings no slot nearer
        clock.advance(60)
        assert names(watch) == ["product sweep"]


def test_what_waits_for_a_slot_is_not_blamed_while_its_holder_is_stuck(clock, watch):
    with apart(watch, "product sweep"), apart(watch, "location sweep"), watch.waiting("product sweep"):
        clock.advance(101)
        assert names(watch) == ["location sweep"]


def test_a_stuck_piece_tells_owner_stage_and_time(clock, watch):
    with watch.over("product", owner="product"), watch.over("product sweep", "read"):
        watch.step("product sweep", "prepare")
        clock.advance(101)
        [stuck] = watch.stuck()
    assert (stuck.work, stuck.owner, stuck.stage, round(stuck.seconds)) == ("product sweep", "product", "prepare", 101)
    assert str(stuck) == "product sweep has not moved for 101 s (stage prepare)"


def test_one_batch_that_hangs_is_stuck_though_its_siblings_move(clock, watch):
    with watch.over("product sweep"), apart(watch, "", stage="deliver"), apart(watch, "", stage="read") as reader:
        clock.advance(60)
        reader.run(watch.step, "product sweep")
        clock.advance(60)
        assert [stuck.stage for stuck in watch.stuck()] == ["deliver"]


def test_work_is_measured_again_from_the_end_of_the_work_below_it(clock, watch):
    with watch.over("product"):
        with watch.over("product sweep"):
            clock.advance(90)
            watch.step("product sweep")
            clock.advance(90)
        assert names(watch) == []
        clock.advance(101)
        assert names(watch) == ["product"]


def test_what_rests_on_other_work_is_not_stuck(clock, watch):
    with watch.over("product"):
        with watch.resting():
            clock.advance(10_000)
            assert names(watch) == []
        clock.advance(101)
        assert names(watch) == ["product"]


def test_an_answer_of_another_system_is_progress_of_the_work_that_asked(clock, watch):
    with apart(watch, "location poll"), apart(watch, "product sweep") as asking:
        clock.advance(60)
        asking.run(ask, "https://p21.example/api/v2/odata?$filter=name eq 'x'")
        clock.advance(60)
        assert names(watch) == ["location poll"]


def ask(url: str) -> None:
    with witnessed("Prophet 21", "GET", url) as call:
        call.answer = "200"


def test_the_last_call_is_kept_without_values_of_its_query_or_a_password(clock, watch):
    with watch.over("product sweep"):
        ask("https://user:secret@p21.example:8443/odata/x?$filter=name eq 'Smith'&$top=5&key=hunter2")
        clock.advance(7)
    assert last_calls(watch) == ["Prophet 21: GET https://p21.example:8443/odata/x?$filter&$top&key, 7 s ago, 200"]


def test_a_call_without_an_answer_is_no_progress(clock, watch):
    with watch.over("product sweep"):
        clock.advance(60)
        with pytest.raises(TimeoutError), witnessed("Prophet 21", "GET", "https://p21.example/"):
            raise TimeoutError
        clock.advance(60)
        assert names(watch) == ["product sweep"]


async def test_the_task_tree_shows_where_each_task_waits_through_generators_too():
    async def pages():
        yield 1
        await anyio.sleep_forever()

    async def read() -> None:
        async for _ in pages():
            pass

    async def parent() -> None:
        async with anyio.create_task_group() as below:
            below.start_soon(read, name="the reader")
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(parent, name="the parent")
        await anyio.wait_all_tasks_blocked()
        tree = task_tree()
        tasks.cancel_scope.cancel()
    [line] = [line for line in tree if "the reader" in line]
    assert re.search(r"engine/test_watch.py:\d+ pages < engine/test_watch.py:\d+ read", line)
    at = tree.index(line)
    assert "the parent" in tree[at - 1]
    assert indent(line) == indent(tree[at - 1]) + 2


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())


async def test_each_record_of_a_long_batch_is_a_step(make):
    engine = make(concurrent_batch_executions=1)
    watch, seen = engine.connection.watch, []
    answered = watch.answered
    watch.answered = lambda name: (seen.append(name), answered(name))
    await engine.sweep("location")
    assert seen == ["location sweep"] * 5
    assert watch.at_work("location") == []
