"""The fuse of a plug-in: single rows are dead letters, a broken plug-in holds its entity and loses no row."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from p21d.clock import SystemClock
from p21d.engine import interrupt
from p21d.engine.building import MAX_ITEMS, build
from p21d.engine.fate import Fate
from p21d.engine.fuse import FAILED, LOOPED, MAX_IN_A_ROW, MAX_LOOPS, UNDECODABLE, Fuse
from p21d.engine.interrupt import armed, called
from p21d.engine.work import Work
from p21d.errors import PluginFailed
from p21d.prophet21.page import Page
from p21d.prophet21.related import ReadRows
from p21d.store.dead_letter import DeadLetter
from p21d.testing import FakeClock
from tests.engine.test_supervisor import at_work, until
from tests.engine.world import Engine, Part, part_plan, part_record

NOW = FakeClock().now()
SHORT_SECONDS = 0.02


@pytest.fixture
def fuse() -> Fuse:
    return Fuse("part", "part.py")


def works(count: int, code: str = "") -> list[Work]:
    made = [Work(str(number), str(number), NOW) for number in range(1, count + 1)]
    for work in made:
        if code:
            work.dead_letter(DeadLetter(entity="part", key=work.key, code=code, error="KeyError: 'x'"))
    return made


def test_single_failures_are_the_rows_own(fuse):
    for _ in range(10):
        fuse.judge([*works(MAX_IN_A_ROW - 1, FAILED), *works(1)])


def test_many_failures_in_a_row_blow_it_over_pages_too(fuse):
    fuse.judge(works(MAX_IN_A_ROW - 1, FAILED))
    with pytest.raises(PluginFailed, match=r"plug-in part.py: .* part 1: KeyError: 'x'") as blown:
        fuse.judge(works(1, FAILED))
    assert "p21d reload" in blown.value.hint
    with pytest.raises(PluginFailed):
        fuse.judge(works(1, FAILED))


def test_a_row_that_is_built_ends_it(fuse):
    over = []
    fuse.when_over = lambda: over.append(True)
    with pytest.raises(PluginFailed):
        fuse.judge(works(MAX_IN_A_ROW, FAILED))
    fuse.judge(works(1))
    assert over == [True]
    fuse.judge(works(MAX_IN_A_ROW - 1, FAILED))


def test_loops_count_wherever_they_come_and_the_plug_in_is_not_called_again(fuse):
    for _ in range(MAX_LOOPS - 1):
        fuse.note(works(1, LOOPED)[0])
        fuse.judge([*works(1, LOOPED), *works(5)])
        fuse.check()
    with pytest.raises(PluginFailed, match="did not come back"):
        fuse.note(works(1, LOOPED)[0])
    with pytest.raises(PluginFailed):
        fuse.check()
    fuse.forget()
    fuse.check()


def test_rows_that_do_not_decode_blow_it_only_where_none_does(fuse):
    fuse.judge([*works(MAX_IN_A_ROW, UNDECODABLE), *works(1)])
    with pytest.raises(PluginFailed):
        fuse.judge(works(MAX_IN_A_ROW, UNDECODABLE))


def built(records: Any, count: int = 3) -> list[Work]:
    rows = [Part(part_id=number) for number in range(1, count + 1)]
    page = Page(rows=rows, undecodable=[], read_at=NOW, reached=None, last=True)
    return build(part_plan(records=records), page, ReadRows())


def loops(_row: Part, _related: Any) -> None:
    while True:
        pass


def swallows(_row: Part, _related: Any) -> None:
    while True:
        with suppress(Exception):  # what a plug-in may well do
            loops(_row, _related)


def leaves(_row: Part, _related: Any) -> None:
    raise SystemExit


class Mute(Exception):  # a plug-in's own
    def __str__(self) -> str:
        raise RuntimeError


def mutes(_row: Part, _related: Any) -> None:
    raise Mute


def endless(row: Part, related: Any) -> Any:
    while True:
        yield part_record(row, related)


def second(hostile: Any) -> Any:
    return lambda row, related: hostile(row, related) if row.part_id == 2 else part_record(row, related)


@pytest.fixture
def short(monkeypatch) -> None:
    monkeypatch.setattr(interrupt, "LOOP_SECONDS", SHORT_SECONDS)


@pytest.mark.parametrize("hostile", [loops, swallows, leaves, mutes, lambda *_: object(), lambda *_: []])
def test_whatever_a_plug_in_does_at_one_row_the_others_are_built(short, hostile):
    found = built(second(hostile))
    assert [work.fate for work in found] == [None, Fate.DEAD_LETTERED, None]
    [letter] = found[1].letters
    assert letter.code == (LOOPED if hostile in (loops, swallows) else FAILED)
    assert "part.py" in letter.hint


def test_an_answer_without_an_end_is_cut():
    assert f"more than {MAX_ITEMS}" in built(endless, 1)[0].letters[0].error


def test_many_rows_that_are_slow_together_are_not_ended(short):
    def slow(row: Part, related: Any) -> Any:
        end = SystemClock().monotonic() + SHORT_SECONDS / 4
        while SystemClock().monotonic() < end:
            pass
        return part_record(row, related)

    assert {work.fate for work in built(slow, 20)} == {None}


def test_off_the_main_thread_nothing_is_armed(short):
    seen: list[bool] = []

    def page() -> None:
        with armed() as calls:
            calls.next()
            seen.append(True)

    thread = threading.Thread(target=page)
    thread.start()
    thread.join()
    assert seen == [True]


def test_a_mapping_that_would_end_the_process_fails_as_an_exception(short):
    with pytest.raises(RuntimeError, match="not come back"):
        called(lambda: loops(Part(part_id=1), None))
    with pytest.raises(RuntimeError, match="SystemExit"):
        called(lambda: leaves(Part(part_id=1), None))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SystemClock().now())


BEFORE = 5
"""Rows of the page before the one that shows that the plug-in is broken."""


@pytest.fixture
async def with_a_broken_plug_in(make, registry) -> Engine:
    """An engine whose products' plug-in fails at each row; so many have failed that the second page shows it."""

    def broken(_row: Any, _related: Any) -> None:
        raise KeyError("price")

    product = replace(registry.entities["product"], records=broken)
    engine = make(
        registry=replace(registry, entities={**registry.entities, "product": product}),
        entities={name: {"enabled": name in ("product", "location")} for name in registry.entities},
        prophet21={"page_rows": BEFORE},
    )
    engine.connection.fuses["product"]._in_a_row = MAX_IN_A_ROW - 2 * BEFORE
    return engine


async def check_fused_off(engine: Engine) -> None:
    """Assert that the products alone are held, with words to act on, and that their rows are undecided."""
    assert engine.runner("location").gate.hold.state is None, "the others are held"
    assert len(engine.hub.records("location")) == 5
    state = engine.runner("product").gate.hold.state
    assert state is not None, "not held"
    assert (state.lasting, state.needs_cycle) == (True, True)
    assert "plug-in" in state.reason
    assert "KeyError: 'price'" in state.reason
    assert "p21d reload" in state.hint
    assert not engine.connection.caught_up["product"].is_set()
    window = await engine.store.read.checkpoints.open_window("product", "sweep")
    letters = await engine.letters("product")
    assert len(letters) == BEFORE
    assert window.reached == max(letters, key=int)


async def test_a_broken_plug_in_holds_its_entity_and_its_rows_stay_undecided(with_a_broken_plug_in, clock):
    engine = with_a_broken_plug_in
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: engine.runner("product").gate.hold.state)
        await until(clock, engine.connection.caught_up["location"].is_set)
        await check_fused_off(engine)


async def test_a_fuse_that_never_blows_is_caught(with_a_broken_plug_in, clock, monkeypatch):
    monkeypatch.setattr(Fuse, "judge", lambda *_: None)
    engine = with_a_broken_plug_in
    async with at_work(engine.assembly.supervisor):
        await until(clock, engine.connection.caught_up["product"].is_set)
        await until(clock, engine.connection.caught_up["location"].is_set)
        with pytest.raises(AssertionError, match="not held"):
            await check_fused_off(engine)


async def test_a_fuse_that_takes_the_others_with_it_is_caught(with_a_broken_plug_in, clock, monkeypatch):
    def judge(*_: Any) -> None:
        raise PluginFailed("one for all")

    monkeypatch.setattr(Fuse, "judge", judge)
    engine = with_a_broken_plug_in
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: engine.runner("location").gate.hold.state)
        with pytest.raises(AssertionError, match="the others are held"):
            await check_fused_off(engine)


async def test_a_page_that_is_decided_although_the_fuse_has_blown_is_caught(with_a_broken_plug_in, clock, monkeypatch):
    engine, judge = with_a_broken_plug_in, Fuse.judge
    blown: list[PluginFailed] = []

    def later(self: Fuse, works: Any) -> None:
        """Raise at the page behind the one that shows it."""
        if blown:
            raise blown[0]
        try:
            judge(self, works)
        except PluginFailed as error:
            blown.append(error)

    monkeypatch.setattr(Fuse, "judge", later)
    async with at_work(engine.assembly.supervisor):
        await until(clock, lambda: engine.runner("product").gate.hold.state)
        await until(clock, engine.connection.caught_up["location"].is_set)
        with pytest.raises(AssertionError, match=str(2 * BEFORE)):
            await check_fused_off(engine)
