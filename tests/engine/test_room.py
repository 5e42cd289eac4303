"""A disk that is nearly full stops the reading, and nothing else."""

from __future__ import annotations

import shutil

import anyio
import pytest

from p21d.engine.hold import STORE
from p21d.errors import StoreFull

HUGE = "999999999GB"


async def test_with_too_little_free_disk_nothing_is_read_and_the_entity_says_why(make):
    engine = make(store={"min_free": HUGE})
    runner = engine.runner("location")
    assert await runner.gate.guarded(lambda: runner._windows.run("sweep")) is None
    state = runner.gate.hold.state
    assert state.reason.startswith(f"less than {HUGE} free on the disk of {engine.store.path.parent}")
    assert "store.min_free" in state.hint
    assert engine.reads_of("location") == []


async def test_it_goes_on_by_itself_when_there_is_room_again(make):
    engine = make(store={"min_free": HUGE})
    runner = engine.runner("location")
    await runner.gate.guarded(lambda: runner._windows.run("sweep"))
    engine.connection.min_free_bytes = 1
    tally = await runner.gate.guarded(lambda: runner._windows.run("sweep"))
    assert tally.delivered == 5
    assert runner.gate.hold.state is None


async def test_the_hold_stands_while_there_is_no_room_and_is_logged_once(make, log_lines):
    engine = make(store={"min_free": HUGE})
    runner = engine.runner("location")
    await runner.gate.guarded(lambda: runner._windows.run("sweep"))
    with anyio.move_on_after(0.05):
        await runner.gate.hold.wait(runner.drain)
    assert runner.gate.hold.state.system == STORE
    assert [line["event"] for line in log_lines].count("held") == 1


async def test_a_long_window_stops_at_the_page_at_which_the_room_ended(make):
    engine = make(prophet21={"page_rows": 5})

    def fill(_table: str) -> None:
        if len(engine.hub.records("product")) >= 5:
            engine.connection.min_free_bytes = 2**62

    engine.served.p21.odata.after_page = fill
    with pytest.raises(StoreFull):
        await engine.sweep("product")
    assert 5 <= await engine.store.read.delivered.count("product") < 20


async def test_a_sync_that_a_person_asks_for_is_refused_too(make):
    engine = make(store={"min_free": HUGE})
    with pytest.raises(StoreFull):
        await engine.runner("location").sync_keys(["10"], force=False)
    assert engine.reads_of("location") == []


async def test_no_limit_means_no_question(make, monkeypatch):
    monkeypatch.delattr(shutil, "disk_usage")
    engine = make(store={"min_free": 0})
    assert (await engine.sweep("location")).delivered == 5
