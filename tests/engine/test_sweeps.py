"""What a sweep does to every row of the sandbox: its fate, the counts, and what it costs the hub."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from p21d.engine.fate import Fate
from tests.engine.world import PARENTS_FIRST


def adds_up(tally) -> bool:
    return tally.read == tally.unfinished + sum(getattr(tally, fate.value) for fate in Fate)


async def test_the_counts_of_every_first_sweep_add_up_to_the_rows_read(engine):
    tallies = await engine.sweep_all()
    assert all(adds_up(tally) and tally.unfinished == 0 for tally in tallies.values())
    assert {name: tally.read for name, tally in tallies.items()} == {
        "location": 5,
        "company": 3,
        "customer": 6,
        "product": 20,
        "product_inventory": 50,
        "transaction": 4,
        "invoice": 1,
        "transaction_tracking_number": 2,
    }


async def test_each_delivered_record_was_written_once(engine):
    tallies = await engine.sweep_all("location", "customer", "product")
    assert engine.hub.writes == sum(tally.delivered for tally in tallies.values())
    assert all(record["writes"] == 1 for record in engine.hub.records("product"))
    assert engine.hub.duplicates() == {}


async def test_a_second_sweep_over_unchanged_rows_makes_no_hub_call(engine):
    await engine.sweep_all("location", "customer", "product")
    calls = len(engine.hub.requests)
    again = await engine.sweep_all("location", "customer", "product")
    assert len(engine.hub.requests) == calls
    assert all(tally.delivered == 0 for tally in again.values())


async def test_a_second_sweep_of_all_entities_writes_nothing(engine):
    await engine.sweep_all()
    await engine.release_all()
    writes = engine.hub.writes
    await engine.sweep_all()
    assert engine.hub.writes == writes


async def test_k_changed_rows_cost_k_writes_and_no_look_up(engine):
    await engine.sweep("product")
    writes, calls = engine.hub.writes, len(engine.hub.requests)
    for uid in (1, 7, 13):
        engine.p21.change("inv_mast", {"inv_mast_uid": uid}, item_desc=f"renewed {uid}")
    tally = await engine.poll("product")
    assert tally.delivered == 3
    assert engine.hub.writes - writes == len(engine.hub.requests) - calls == 3


async def test_a_touched_row_with_the_same_content_costs_no_call(engine):
    await engine.sweep("product")
    calls = len(engine.hub.requests)
    engine.p21.change("inv_mast", {"inv_mast_uid": 1}, last_maintained_by="somebody")
    tally = await engine.poll("product")
    assert tally.unchanged >= 1
    assert len(engine.hub.requests) == calls


async def test_every_row_that_is_read_has_a_fate_in_the_store(engine):
    await engine.sweep_all()
    for entity in PARENTS_FIRST:
        read = engine.store.read
        with closing(sqlite3.connect(engine.store.path)) as file:  # a row may be several records
            sql = "SELECT count(DISTINCT key) FROM delivered WHERE entity = ? AND fingerprint IS NOT NULL"
            [[delivered]] = file.execute(sql, (entity,)).fetchall()
        skipped = sum((await read.skipped.counts()).get(entity, {}).values())
        waiting = (await read.waiting.counts()).get(entity, 0)
        letters = (await read.dead_letters.counts()).get(entity, 0)
        latest = (await read.cycles.latest(entity=entity, limit=1))[0]
        assert delivered + skipped + waiting + letters == latest.read


async def test_a_contact_without_e_mail_is_skipped_with_its_reason(engine):
    engine.p21.change("contacts", {"id": engine.p21.rows("contacts")[0]["id"]}, email_address="  ")
    await engine.sweep("customer")
    assert "no e-mail" in (await engine.store.read.skipped.counts())["customer"]


async def test_a_skipped_contact_that_gets_an_e_mail_is_delivered_and_no_longer_skipped(engine):
    key = engine.p21.rows("contacts")[0]["id"]
    engine.p21.change("contacts", {"id": key}, email_address=None)
    await engine.sweep("customer")
    engine.p21.change("contacts", {"id": key}, email_address="new@example.com")
    tally = await engine.poll("customer")
    assert tally.delivered == 1
    assert await engine.store.read.skipped.by_keys("customer", [str(key)]) == {}


async def test_a_deleted_row_becomes_inactive_in_the_hub(engine):
    await engine.sweep("location")
    engine.p21.change("location", {"location_id": 10}, delete_flag="Y")
    assert (await engine.poll("location")).delivered == 1
    assert [record["active"] for record in engine.hub.records("location")].count(False) == 1


async def test_a_row_deleted_again_costs_nothing(engine):
    await engine.sweep("location")
    engine.p21.change("location", {"location_id": 10}, delete_flag="Y")
    await engine.poll("location")
    calls = len(engine.hub.requests)
    engine.p21.change("location", {"location_id": 10}, delete_flag="Y")
    assert (await engine.poll("location")).delivered == 0
    assert len(engine.hub.requests) == calls


async def test_a_row_that_is_deleted_no_more_is_revived(engine):
    await engine.sweep("location")
    engine.p21.change("location", {"location_id": 10}, delete_flag="Y")
    await engine.poll("location")
    engine.p21.change("location", {"location_id": 10}, delete_flag="N")
    assert (await engine.poll("location")).delivered == 1
    assert all(record["active"] for record in engine.hub.records("location"))


async def test_a_row_first_met_deleted_is_skipped(engine):
    engine.p21.change("location", {"location_id": 10}, delete_flag="Y")
    tally = await engine.sweep("location")
    assert (tally.delivered, tally.skipped) == (4, 1)
    assert await engine.store.read.skipped.by_keys("location", ["10"]) == {"10": "deleted in P21, never delivered"}


async def test_a_deleted_stock_row_becomes_zero_stock(engine):
    await engine.sweep_all("location", "product", "product_inventory")
    place = engine.p21.rows("inv_loc", {"inv_mast_uid": 1})[0]["location_id"]
    engine.p21.change("inv_loc", {"inv_mast_uid": 1, "location_id": place}, delete_flag="Y")
    assert (await engine.poll("product_inventory")).delivered == 1
    changed = [record for record in engine.hub.records("inventory") if record["writes"] == 2]
    assert [(record["qty_on_hand"], record["qty_available"]) for record in changed] == [(0, 0)]


async def test_a_deleted_item_becomes_inactive_and_keeps_its_name(engine):
    await engine.sweep("product")
    engine.p21.change("inv_mast", {"inv_mast_uid": 1}, delete_flag="Y")
    await engine.poll("product")
    changed = [record for record in engine.hub.records("product") if record["writes"] == 2]
    assert [record["status"] for record in changed] == ["Inactive"]


async def test_a_sync_of_keys_tells_which_are_missing_in_p21(engine):
    cycle = await engine.runner("location").sync_keys(["10", "20", "4711"], force=False)
    assert set(cycle.fates) == {"10", "20"}
    assert cycle.tally.read == 2


async def test_a_forced_sync_sends_what_has_not_changed(engine):
    await engine.sweep("location")
    writes = engine.hub.writes
    cycle = await engine.runner("location").sync_keys(["10", "20"], force=True)
    assert cycle.tally.delivered == 2
    assert engine.hub.writes == writes + 2


async def test_each_cycle_is_logged_once_with_its_counts(engine, log_lines):
    await engine.sweep("location")
    lines = [line for line in log_lines if line["event"] == "cycle"]
    assert [(line["entity"], line["kind"], line["status"], line["delivered"]) for line in lines] == [
        ("location", "sweep", "completed", 5)
    ]
