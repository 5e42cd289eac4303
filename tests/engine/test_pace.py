"""How far a window is, and how long the rest takes, for a person who asks."""

from __future__ import annotations

import anyio
import pytest

from p21d.control.screen import Screen
from p21d.engine.fate import Tally
from p21d.engine.pace import Pace
from p21d.sandbox.faults import Fault
from tests.engine.world import LeapingClock


def counts(engine, table: str) -> list[str]:
    return [query for query in engine.reads_of(table) if "$count=true" in query]


@pytest.fixture
async def small_pages(make):
    return make(prophet21={"page_rows": 5})


@pytest.mark.parametrize("kind", ["sweep", "sync"])
async def test_a_window_of_several_pages_is_counted_once(small_pages, kind):
    await small_pages.windows("product").run(kind)
    assert len(counts(small_pages, "inv_mast")) == 1


async def test_a_poll_is_not_counted(small_pages):
    await small_pages.poll("product")
    assert counts(small_pages, "inv_mast") == []


async def test_a_window_of_one_page_costs_no_request_more(engine):
    await engine.sweep("product")
    assert counts(engine, "inv_mast") == []


async def test_the_count_reads_one_row_under_the_condition_of_the_window(small_pages):
    await small_pages.sweep("product")
    (query,) = counts(small_pages, "inv_mast")
    assert "$top=1&" in query
    assert "date_last_modified ge" in query


async def test_the_source_counts_the_rows_of_a_window(engine):
    reading = engine.plan("product").reading
    assert await engine.connection.source.count(reading) == 20
    assert await engine.connection.source.count(reading, after=(15,)) == 5


async def test_a_resumed_window_counts_what_is_left(small_pages):
    engine = small_pages
    fault = Fault(kind="status", status=503, path="*/inv_mast", after=len(("page", "count", "page", "page")))
    number = engine.served.p21.faults.add(fault)
    with pytest.raises(Exception, match="503"):
        await engine.sweep("product")
    engine.served.p21.faults.remove(number)
    window = await engine.store.read.checkpoints.open_window("product", "sweep")
    totals = await totals_while(engine)
    assert totals == {20 - int(window.reached)}


async def totals_while(engine) -> set[int]:
    """Sweep the products, and return every total that was shown meanwhile."""
    seen: set[int] = set()

    def look(_table: str) -> None:
        pace = engine.connection.paces.get(("product", "sweep"))
        if pace is not None and pace.total is not None:
            seen.add(pace.total)

    engine.served.p21.odata.after_page = look
    await engine.sweep("product")
    engine.served.p21.odata.after_page = None
    return seen


async def test_a_count_that_p21_refuses_harms_nothing(small_pages):
    small_pages.served.p21.faults.add(Fault(kind="status", status=400, query="*count=true*", body='{"error":"no"}'))
    assert (await small_pages.sweep("product")).delivered == 20


async def test_a_count_that_does_not_come_is_given_up(small_pages, monkeypatch):
    monkeypatch.setattr("p21d.engine.pace.COUNT_SECONDS", 0.02)
    small_pages.served.p21.faults.add(Fault(kind="hang", seconds=30, query="*count=true*"))
    with anyio.fail_after(5):
        assert (await small_pages.sweep("product")).delivered == 20


async def test_status_shows_rows_so_far_of_how_many_and_the_time_left(small_pages):
    engine = small_pages
    runner = engine.runner("product")
    screen = Screen(engine.assembly.supervisor, engine.clock, started_at=engine.clock.now(), config_path="p21d.yaml")
    shown = []

    async with anyio.create_task_group() as tasks:

        async def show() -> None:
            status = await screen.status([])
            shown.append(next(entity for entity in status.entities if entity.entity == "product"))

        engine.served.p21.odata.after_page = lambda _table: tasks.start_soon(show)
        await runner.gate.guarded(lambda: runner._windows.run("sweep"))
    known = [entity for entity in shown if entity.total is not None and entity.left_seconds is not None]
    assert known[-1].total == 20
    assert known[-1].running.endswith(" of 20 rows")
    assert all(entity.left_seconds >= 0 for entity in known)


async def test_after_the_window_nothing_is_shown(small_pages):
    await small_pages.sweep("product")
    assert small_pages.connection.paces == {}


def test_the_time_left_follows_the_pace_so_far():
    clock, tally = LeapingClock(), Tally()
    pace = Pace(tally, clock)
    pace.total = 400_000
    tally.delivered, tally.unchanged = 90_000, 10_000
    clock.advance(100)
    assert pace.left_seconds() == pytest.approx(300, abs=1)


def test_before_the_first_fate_and_without_a_total_nobody_knows_the_time_left():
    clock, tally = LeapingClock(), Tally()
    pace = Pace(tally, clock)
    pace.total = 10
    assert pace.left_seconds() is None
    tally.delivered, pace.total = 5, None
    assert pace.left_seconds() is None


def test_more_rows_than_were_counted_leave_no_time_and_are_shown_as_all():
    tally = Tally(read=12, delivered=12)
    pace = Pace(tally, LeapingClock())
    pace.total = 10
    assert (pace.left_seconds(), pace.text()) == (0, "12 of 12")
