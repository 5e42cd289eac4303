"""Every key is read without a time condition, each once, and a restart goes on in the middle."""

from __future__ import annotations

import gc
import itertools
import re

import anyio
import pytest

from p21d.engine.drain import Drained
from p21d.engine.work import Work
from p21d.errors import AlreadyRunning, Unavailable
from p21d.sandbox.faults import Fault
from p21d.sandbox.serve import serve
from tests.engine.backfilling import (
    DAY,
    ITEMS,
    SMALL_PAGES,
    backfill,
    calls,
    delivered_uids,
    forget_stamps,
    interrupt,
    is_active,
    last_cycle,
    queries,
)
from tests.engine.world import DEADLINE_SECONDS


@pytest.fixture
async def served():
    async with serve(rows=ITEMS, seed=1) as both:
        yield both


@pytest.fixture
async def engine(make):
    return make(prophet21=SMALL_PAGES)


async def test_rows_with_a_null_stamp_are_delivered(engine):
    engine.p21.change("inv_mast", {}, stamp=False, date_last_modified=None)
    assert (await engine.sweep("product")).read == 0
    tally = (await backfill(engine)).tally
    assert (tally.read, tally.delivered) == (ITEMS, len(delivered_uids(engine)))


async def test_a_stock_that_changed_without_its_stamp_is_delivered(engine):
    forget_stamps(engine, "inv_loc")
    await engine.sweep_all("location", "product")
    assert (await backfill(engine, "product_inventory")).tally.delivered
    stock = engine.p21.rows("inv_loc", {"inv_mast_uid": delivered_uids(engine)[0]})[0]
    key = {name: stock[name] for name in ("inv_mast_uid", "location_id")}
    engine.p21.change("inv_loc", key, stamp=False, qty_on_hand=4711)
    assert (await engine.sweep("product_inventory")).read == 0
    assert (await backfill(engine, "product_inventory")).tally.delivered == 1
    assert [r for r in engine.hub.records("inventory") if float(r.get("qty_on_hand", 0)) == 4711]


async def test_unchanged_rows_cost_no_hub_call(engine):
    await backfill(engine)
    before = calls(engine)
    tally = (await backfill(engine)).tally
    assert (tally.unchanged + tally.skipped, calls(engine)) == (ITEMS, before)


async def test_force_sends_unchanged_rows_too(engine):
    await backfill(engine)
    assert (await backfill(engine, force=True)).tally.delivered == len(delivered_uids(engine))


async def test_the_watermark_stays_where_it_is(engine):
    await engine.sweep("product")
    before = await engine.watermark("product")
    engine.clock.advance(DAY)
    await backfill(engine)
    assert await engine.watermark("product") == before


async def test_an_interrupted_backfill_goes_on_where_it_was_after_a_restart(engine, make):
    await interrupt(engine, 8)
    done = await last_cycle(engine)
    assert 0 < done.read < ITEMS
    again = make(prophet21=SMALL_PAGES)
    tally = (await again.runner("product").backfills.run()).tally
    assert done.read - done.unfinished + tally.read == ITEMS


async def test_an_interrupted_backfill_is_due_at_once(engine, make):
    await interrupt(engine, 8)
    assert await make(prophet21=SMALL_PAGES).runner("product").backfills.due_seconds() == 0


async def test_another_filter_begins_an_interrupted_backfill_anew(engine, make):
    await interrupt(engine, 8)
    again = make(prophet21=SMALL_PAGES, entities={"product": {"filter": "inv_mast_uid gt 0"}})
    assert (await again.runner("product").backfills.run()).tally.read == ITEMS


async def test_a_drain_leaves_the_backfill_open(engine, make):
    runner = engine.runner("product")
    await runner.backfills.request()
    runner.drain.request()
    with pytest.raises(Drained):
        await runner.backfills.run()
    assert (await make(prophet21=SMALL_PAGES).runner("product").backfills.run()).tally.read == ITEMS


async def test_ranges_read_every_key_once(engine):
    tally = (await backfill(engine)).tally
    assert tally.read == ITEMS
    assert len({found for query in queries(engine) for found in re.findall(r"inv_mast_uid le (\d+)", query)}) == 3


async def test_keys_inserted_above_the_highest_during_it_are_read(engine):
    await interrupt(engine, 2)  # the outer keys are known, no page is read yet
    for uid in (1000, 1001):
        engine.p21.insert("inv_mast", inv_mast_uid=uid, item_id=f"NEW-{uid}", delete_flag="N", inactive="N")
    tally = (await engine.runner("product").backfills.run()).tally
    assert tally.read == ITEMS + 2
    assert await is_active(engine, 1001)


async def test_a_failing_range_lets_the_others_end_their_batches(engine):
    engine.served.p21.faults.add(Fault(kind="status", path="*inv_mast", query="*inv_mast_uid le 16*"))
    with pytest.raises(Unavailable):
        await backfill(engine)
    cycle = await last_cycle(engine)
    assert cycle.read == sum((cycle.delivered, cycle.unchanged, cycle.skipped, cycle.unfinished))
    known = await engine.store.read.delivered.count("product")
    assert known == cycle.delivered


async def test_the_keys_met_are_forgotten_at_the_end(engine):
    await backfill(engine)
    assert await engine.store.read.met._all("SELECT * FROM met", ()) == []
    assert await engine.store.read.checkpoints.open_ranges("product", "backfill") == []


async def test_one_backfill_runs_at_a_time(engine):
    tallies = []
    async with anyio.create_task_group() as tasks:

        async def run():
            tallies.append((await backfill(engine)).tally.read)

        tasks.start_soon(run)
        tasks.start_soon(run)
    assert tallies == [ITEMS, ITEMS]
    assert len([c for c in await engine.store.read.cycles.latest(entity="product") if c.kind == "backfill"]) == 1


async def test_force_is_refused_while_one_runs_without_it(engine):
    backfills = engine.runner("product").backfills
    await backfills.request()
    async with backfills._turn:
        with pytest.raises(AlreadyRunning):
            await backfills.request(force=True)


async def test_memory_follows_the_pages_and_not_the_rows(engine):
    row = engine.p21.rows("inv_mast", {"inv_mast_uid": 1})[0]
    more = [tuple({**row, "inv_mast_uid": uid, "item_id": f"M-{uid}"}.values()) for uid in range(ITEMS + 1, 150)]
    engine.p21.insert_many("inv_mast", tuple(row), more)
    ranges, pages, page_rows, batches_in_flight = 4, 2, 3, 7
    assert await most_works_alive(engine) <= ranges * (pages * page_rows + batches_in_flight)


async def most_works_alive(engine):
    """Return how many pieces of work were alive at once, as seen at every tenth request to P21."""
    requests, most = itertools.count(), 0

    def look():
        nonlocal most
        if next(requests) % 10 == 0:
            most = max(most, sum(type(found) is Work for found in gc.get_objects()))
        return False

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.served.p21.journal.wait_until, look)
        await backfill(engine)
        tasks.cancel_scope.cancel()
    assert most
    return most


@pytest.mark.parametrize(("interval", "asked"), [("1d", False), (0, True)])
async def test_the_runner_runs_a_backfill_that_is_due_or_asked_for(make, interval, asked):
    engine = make(prophet21=SMALL_PAGES, entities={"location": {"full_sweep_interval": interval}})
    runner = engine.runner("location")
    if asked:
        await runner.request_backfill(force=False, confirmed=False)
    with anyio.fail_after(DEADLINE_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(runner.run)
            await engine.served.p21.journal.wait_until(lambda: asks_for_the_highest_key(engine))
            assert (await runner.backfills.run()).tally.read
            tasks.cancel_scope.cancel()


def asks_for_the_highest_key(engine):
    """Tell whether a backfill has begun: nothing else reads from the end."""
    return any("location_id desc" in query for query in queries(engine, "location"))


async def test_nothing_is_watched_any_more_at_the_end(engine):
    await backfill(engine)
    engine.clock.advance(DAY)
    assert engine.connection.watch.stuck() == []
