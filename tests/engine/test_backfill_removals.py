"""What P21 has no more, or the filter leaves out, becomes inactive; never a great part of it unasked."""

from __future__ import annotations

import pytest

from p21d.engine.removal import Removal
from p21d.errors import Unavailable
from p21d.sandbox.faults import Fault
from p21d.sandbox.serve import serve
from tests.engine.backfilling import (
    DAY,
    ITEMS,
    SMALL_PAGES,
    backfill,
    calls,
    delivered_uids,
    is_active,
    last_cycle,
    queries,
    skipped,
    vanish_many,
)


@pytest.fixture
async def served():
    async with serve(rows=ITEMS, seed=1) as both:
        yield both


@pytest.fixture
async def engine(make):
    return make(prophet21=SMALL_PAGES)


async def test_a_vanished_row_becomes_inactive_and_says_why(engine):
    await backfill(engine)
    row = engine.p21.rows("inv_mast", {"delete_flag": "N", "inactive": "N"})[3]
    uid = row["inv_mast_uid"]
    assert is_active_in_hub(engine, row)
    engine.p21.delete("inv_mast", {"inv_mast_uid": uid})
    tally = (await backfill(engine)).tally
    assert (tally.delivered, await is_active(engine, uid)) == (1, False)
    assert await skipped(engine, uid) == {str(uid): "gone from P21"}
    assert not is_active_in_hub(engine, row)


def is_active_in_hub(engine, row):
    sku = row["item_id"].strip()
    return next(record["active"] for record in engine.hub.records("product") if record["sku"] == sku)


async def test_a_row_that_left_the_filter_becomes_inactive_and_says_why(engine, make):
    await backfill(engine)
    uid = delivered_uids(engine)[3]
    filtered = make(prophet21=SMALL_PAGES, entities={"product": {"filter": f"inv_mast_uid ne {uid}"}})
    await backfill(filtered)
    assert not await is_active(filtered, uid)
    assert await skipped(filtered, uid) == {str(uid): "outside the filter"}


async def test_a_row_made_inactive_is_not_touched_again(engine):
    await backfill(engine)
    engine.p21.delete("inv_mast", {"inv_mast_uid": delivered_uids(engine)[0]})
    await backfill(engine)
    before = calls(engine)
    assert (await backfill(engine)).tally.delivered == 0
    assert calls(engine) == before


async def test_a_row_that_comes_back_is_active_again(engine, make):
    await backfill(engine)
    uid = delivered_uids(engine)[3]
    await backfill(make(prophet21=SMALL_PAGES, entities={"product": {"filter": f"inv_mast_uid ne {uid}"}}))
    again = make(prophet21=SMALL_PAGES)
    await backfill(again)
    assert await is_active(again, uid)
    assert not await skipped(again, uid)


async def test_what_a_poll_delivers_during_a_backfill_has_not_vanished(engine):
    await backfill(engine)
    engine.served.p21.faults.add(Fault(kind="status", path="*inv_mast", after=5))
    with pytest.raises(Unavailable):
        await backfill(engine)
    engine.served.p21.faults.clear()
    engine.clock.advance(1)
    engine.p21.insert("inv_mast", inv_mast_uid=-5, item_id="NEW-5", delete_flag="N", inactive="N")
    await engine.poll("product")
    await engine.runner("product").backfills.run()
    assert await is_active(engine, -5)


async def test_many_vanished_rows_at_once_are_asked_about_and_none_is_sent(engine):
    uids = await vanish_many(engine)
    before = calls(engine)
    outcome = await backfill(engine)
    assert (outcome.status, calls(engine)) == ("asks", before)
    assert all([await is_active(engine, uid) for uid in uids])
    assert (await last_cycle(engine)).status == "asks"


async def test_status_says_what_is_asked_and_the_command(engine):
    await vanish_many(engine)
    await backfill(engine)
    reason, hint = await engine.runner("product").backfills.notice()
    assert reason.startswith("12 delivered records are gone from P21 or outside the filter")
    assert hint.startswith("p21d sync product --all --confirm-removals")


async def test_a_confirmation_carries_it_out_without_reading_everything_again(engine):
    uids = await vanish_many(engine)
    await backfill(engine)
    seen = len(queries(engine))
    outcome = await backfill(engine, confirmed=True)
    assert (outcome.status, outcome.tally.delivered) == ("completed", len(uids))
    assert not any([await is_active(engine, uid) for uid in uids])
    assert all("inv_mast_uid eq " in query for query in queries(engine)[seen:])
    assert await engine.runner("product").backfills.notice() == ("", "")


async def test_a_row_that_is_back_by_the_time_of_the_confirmation_stays_active(engine):
    await backfill(engine)
    row = engine.p21.rows("inv_mast", {"inv_mast_uid": delivered_uids(engine)[0]})[0]
    uids = await vanish_many(engine)
    await backfill(engine)
    engine.p21.insert_many("inv_mast", tuple(row), [tuple(row.values())])
    assert (await backfill(engine, confirmed=True)).tally.delivered == len(uids) - 1
    assert await is_active(engine, row["inv_mast_uid"])


async def test_a_confirmation_does_not_hold_for_another_filter(engine, make):
    await vanish_many(engine)
    await backfill(engine)
    await engine.runner("product").backfills.request(confirmed=True)
    narrower = make(prophet21=SMALL_PAGES, entities={"product": {"filter": "inv_mast_uid eq 30"}})
    outcome = await narrower.runner("product").backfills.run()
    assert outcome.status == "asks"


async def test_an_asking_backfill_is_not_run_again_before_its_interval(engine):
    await vanish_many(engine)
    await backfill(engine)
    assert await engine.runner("product").backfills.due_seconds() > 6 * DAY


async def test_few_vanished_rows_are_not_asked_about(engine, make):
    await backfill(engine, "location")
    locations = engine.p21.rows("location", {"delete_flag": "N"})
    engine.p21.delete("location", {"location_id": locations[0]["location_id"]})
    assert (await backfill(engine, "location")).status == "completed"
    assert not await is_active(engine, locations[0]["location_id"], "location")


async def test_vanished_keys_are_asked_for_in_pages(engine):
    await vanish_many(engine)
    await backfill(engine)
    keys = await engine.store.read.met.missed("product", engine.clock.now(), after="", limit=5)
    page = await engine.connection.source.by_keys(engine.plan("product").reading, keys)
    works = await Removal(engine.plan("product"), engine.connection, kind="backfill").prepare(page)
    assert [work.key for work in works] == keys
