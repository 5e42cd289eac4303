"""Windows over many pages: resumed in the middle, restarted when they no longer fit, and what moves the watermark."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from p21d.engine.drain import Drain, Drained
from p21d.errors import P21dError, Unavailable
from p21d.sandbox.faults import Fault


@pytest.fixture
async def small_pages(make):
    return make(prophet21={"page_rows": 5}, batch_rows=2)


def break_after_pages(engine, pages: int) -> int:
    return engine.served.p21.faults.add(Fault(kind="status", status=503, path="*table/inv_mast", after=pages))


async def interrupted(engine, pages: int) -> int:
    """Break P21 after some pages of the first sweep and mend it; return the rows that were delivered."""
    number = break_after_pages(engine, pages)
    with pytest.raises(Unavailable):
        await engine.sweep("product")
    engine.served.p21.faults.remove(number)
    return await engine.store.read.delivered.count("product")


async def test_an_interrupted_sweep_goes_on_from_the_key_reached(small_pages):
    engine = small_pages
    done = await interrupted(engine, 3)
    assert 5 <= done <= 15
    assert (await engine.store.read.checkpoints.open_window("product", "sweep")).reached == str(done)
    engine.served.p21.journal.clear()
    tally = await engine.sweep("product")
    assert tally.read == tally.delivered == 20 - done
    assert all("inv_mast_uid gt " in query for query in engine.reads_of("inv_mast"))


async def test_the_key_reached_never_passes_a_row_without_a_fate(small_pages):
    engine = small_pages
    broken = engine.hub.faults.add(Fault(kind="status", status=503, path="*Catalog/Product", method="POST", after=7))
    with pytest.raises(Unavailable):
        await engine.sweep("product")
    engine.hub.faults.remove(broken)
    window = await engine.store.read.checkpoints.open_window("product", "sweep")
    passed = [str(uid) for uid in range(1, int(window.reached or 0) + 1)]
    assert len(await engine.store.read.delivered.by_keys("product", passed)) == len(passed)
    await engine.sweep("product")
    assert await engine.store.read.delivered.count("product") == 20


async def test_a_restart_goes_on_with_the_open_window(small_pages, make):
    done = await interrupted(small_pages, 3)
    after_restart = make(prophet21={"page_rows": 5})
    assert (await after_restart.sweep("product")).read == 20 - done


async def test_another_filter_restarts_the_window_from_its_low(small_pages, make):
    done = await interrupted(small_pages, 3)
    changed = make(prophet21={"page_rows": 5}, entities={"product": {"filter": "inv_mast_uid ge 1"}})
    tally = await changed.sweep("product")
    assert (tally.read, tally.unchanged) == (20, done)


async def test_an_interrupted_window_keeps_its_low_and_high(small_pages):
    engine = small_pages
    await interrupted(engine, 2)
    opened = await engine.store.read.checkpoints.open_window("product", "sweep")
    engine.clock.advance(86_400)
    await engine.sweep("product")
    assert await engine.watermark("product") == opened.high_at


async def test_a_row_changed_behind_the_reader_is_met_by_the_next_poll(small_pages):
    engine = small_pages
    seen: list[str] = []

    def change_behind(table: str) -> None:
        seen.append(table)
        if seen.count("inv_mast") == 3:
            engine.p21.change("inv_mast", {"inv_mast_uid": 1}, item_desc="changed behind")

    engine.served.p21.odata.after_page = change_behind
    await engine.sweep("product")
    engine.served.p21.odata.after_page = None
    assert (await engine.poll("product")).delivered == 1
    assert "changed behind" in [record["name"] for record in engine.hub.records("product")]


async def test_the_watermark_stays_behind_p21s_now_by_the_settle_time(engine):
    await engine.sweep("location")
    behind = engine.served.p21.database.time.now() - await engine.watermark("location")
    assert timedelta(seconds=60) <= behind < timedelta(seconds=70)


@pytest.mark.parametrize("kind", ["sync", "release"])
async def test_syncs_and_releases_do_not_move_the_watermark(engine, kind):
    await engine.sweep("location")
    before = await engine.watermark("location")
    engine.clock.advance(300)
    if kind == "sync":
        await engine.runner("location").sync_window(engine.clock.now() - timedelta(days=3), force=False)
    else:
        await engine.releases("location").run("release", ["10"])
    assert await engine.watermark("location") == before


async def test_a_first_sync_leaves_an_entity_without_a_watermark(engine):
    await engine.runner("location").sync_window(engine.clock.now() - timedelta(days=3), force=False)
    assert await engine.watermark("location") is None
    assert not engine.connection.caught_up["location"].is_set()


async def test_a_poll_before_the_first_catch_up_leaves_an_entity_without_a_watermark(engine, clock):
    await engine.windows("location").run("poll", low=clock.now() - timedelta(minutes=10))
    assert await engine.watermark("location") is None
    assert not engine.connection.caught_up["location"].is_set()


async def test_a_poll_that_begins_above_the_watermark_does_not_move_it(engine, clock):
    await engine.sweep("location")
    before = await engine.watermark("location")
    clock.advance(3600)
    await engine.windows("location").run("poll", low=clock.now() - timedelta(minutes=10))
    assert await engine.watermark("location") == before
    await engine.poll("location")
    assert await engine.watermark("location") > before


async def test_an_interrupted_sweep_moves_no_watermark(small_pages):
    await interrupted(small_pages, 2)
    assert await small_pages.watermark("product") is None


async def test_a_drained_sweep_is_recorded_so_and_resumed(small_pages):
    engine = small_pages
    drain = Drain(engine.clock)
    engine.served.p21.odata.after_page = lambda _table: (
        drain.request() if sum("top=5" in query for query in engine.reads_of("inv_mast")) > 2 else None
    )
    with pytest.raises(Drained):
        await engine.windows("product", drain).run("sweep")
    engine.served.p21.odata.after_page = None
    assert (await engine.store.read.cycles.latest(limit=1))[0].status == "drained"
    done = await engine.store.read.delivered.count("product")
    assert 0 < done < 20
    assert (await engine.sweep("product")).read <= 20 - done + 5
    assert await engine.store.read.delivered.count("product") == 20


async def test_a_batch_in_back_off_does_not_hold_up_a_drain(engine, clock):
    drain = Drain(engine.clock)
    engine.hub.faults.add(Fault(kind="status", status=503, path="*Catalog/Location"))

    async def drain_when_sleeping(seconds: float) -> None:
        drain.request()
        await anyio.sleep_forever()

    clock.sleep = drain_when_sleeping
    with anyio.fail_after(5), pytest.raises(Drained):
        await engine.windows("location", drain).run("sweep")
    assert await engine.letters() == {}


async def test_nothing_of_a_completed_window_stays_open(engine):
    await engine.sweep("location")
    assert await engine.store.read.checkpoints.open_window("location", "sweep") is None


async def test_a_poll_and_a_sweep_have_windows_of_their_own(small_pages):
    engine = small_pages
    done = await interrupted(engine, 2)
    number = break_after_pages(engine, 0)
    with pytest.raises(P21dError):
        await engine.poll("product")
    engine.served.p21.faults.remove(number)
    open_window = engine.store.read.checkpoints.open_window
    assert (await open_window("product", "sweep")).reached == (str(done) if done else "")
    assert (await open_window("product", "poll")).reached == ""


async def test_a_wider_sync_asked_for_while_one_runs_is_not_lost(small_pages):
    engine = small_pages
    runner, now = engine.runner("product"), engine.clock.now()
    old = engine.p21.time.now() - timedelta(days=20)
    engine.p21.change("inv_mast", {"inv_mast_uid": 1}, date_last_modified=old)
    asked: list[str] = []

    async with anyio.create_task_group() as tasks:

        def ask_in_the_middle(_table: str) -> None:
            if not asked and len(engine.reads_of("inv_mast")) == 3:
                asked.append("wider")
                tasks.start_soon(runner.request_sync, now - timedelta(days=30))

        engine.served.p21.odata.after_page = ask_in_the_middle
        await runner.sync_window(now - timedelta(days=4), force=False)
    engine.served.p21.odata.after_page = None
    window = await engine.store.read.checkpoints.open_window("product", "sync")
    assert window is not None
    await runner._run_open_sync()
    assert await engine.store.read.delivered.count("product") == 20


async def test_two_syncs_of_keys_may_run_at_once(engine):
    runner = engine.runner("product")
    async with anyio.create_task_group() as tasks:
        for first in (1, 6):
            keys = [str(uid) for uid in range(first, first + 5)]
            tasks.start_soon(lambda keys=keys: runner.sync_keys(keys, force=False))
    assert await engine.store.read.delivered.count("product") == 10
    assert runner.running == {}
