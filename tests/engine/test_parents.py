"""Rows that wait for their parents: released by a delivery, given up with the parent's reason otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from p21d.engine.children import Children, cause_of, not_delivered
from p21d.errors import Forbidden
from p21d.sandbox.faults import Fault
from p21d.store.waiting import WaitingRow

LONG_AGO = timedelta(days=30)


def age(engine, uid: int) -> None:
    """Let an item have been changed before the look-back."""
    stamp = engine.p21.time.now() - LONG_AGO
    engine.p21.change("inv_mast", {"inv_mast_uid": uid}, date_last_modified=stamp)


def stock_of(engine, uid: int) -> list[str]:
    return [f"{uid}|{row['location_id']}" for row in engine.p21.rows("inv_loc", {"inv_mast_uid": uid})]


@pytest.fixture
async def with_locations(engine):
    """Only the stock of item 1 is within the look-back, its item is not."""
    for table in ("inv_mast", "inv_loc"):
        engine.p21.change(table, {}, date_last_modified=engine.p21.time.now() - LONG_AGO)
    engine.p21.change("inv_loc", {"inv_mast_uid": 1})
    await engine.sweep("location")
    return engine


async def test_stock_of_an_item_older_than_the_look_back_waits_and_then_is_delivered(with_locations):
    engine = with_locations
    keys = stock_of(engine, 1)
    tally = await engine.sweep("product_inventory")
    assert (tally.read, tally.waiting) == (len(keys), len(keys))
    await engine.release_all()
    assert await engine.waiting("product_inventory", *keys) == {}
    assert len(engine.hub.records("inventory")) == len(keys)


async def test_a_parent_that_is_wanted_by_many_rows_is_read_once(with_locations):
    engine = with_locations
    await engine.sweep("product_inventory")
    engine.served.p21.journal.clear()
    assert await engine.releases("product").run_due()
    assert len(engine.reads_of("inv_mast")) == 1
    assert not await engine.releases("product").run_due()


async def test_the_parent_is_announced_as_soon_as_its_child_waits(with_locations):
    engine = with_locations
    await engine.sweep("product_inventory")
    assert engine.connection.news["product"].is_set()


async def test_the_children_are_announced_as_soon_as_their_parent_is_delivered(with_locations):
    engine = with_locations
    await engine.sweep("product_inventory")
    assert not engine.connection.news["product_inventory"].is_set()
    await engine.releases("product").run_due()
    assert engine.connection.news["product_inventory"].is_set()


async def test_the_sink_is_asked_once_per_parent_and_cycle(with_locations):
    engine = with_locations
    await engine.sweep("product_inventory")
    look_ups = [call for call in engine.hub.requests if "LookupSpecial" in call.path and "ELBOW-000001" in call.body]
    assert len(look_ups) == 1


async def test_a_parent_that_somebody_else_has_linked_in_the_hub_is_found(with_locations, make):
    engine = with_locations
    await engine.releases("product").run("release", ["1"])
    async with engine.store.transaction() as tables:
        await tables.links._change("DELETE FROM link WHERE entity = ?", ("product",))
    tally = await engine.sweep("product_inventory")
    assert tally.delivered == tally.read > 0


async def test_a_parent_that_p21_does_not_have_dead_letters_its_children_naming_it(engine):
    await engine.sweep_all("location", "product")
    row = engine.p21.rows("inv_loc", {"inv_mast_uid": 1})[0]
    engine.p21.insert("inv_loc", **{**row, "location_id": 99})
    tally = await engine.sweep("product_inventory")
    assert tally.waiting == 1
    await engine.release_all()
    letter = (await engine.letters("product_inventory"))["1|99"]
    assert letter["error"] == "its parent location 99 is not delivered: Prophet 21 does not have it"
    assert (letter["parent_entity"], letter["parent_key"]) == ("location", "99")
    assert await engine.waiting("product_inventory", "1|99") == {}


async def test_a_child_given_up_for_its_parent_is_not_parked_again_by_the_next_sweep(engine):
    await engine.sweep_all("location", "product")
    row = engine.p21.rows("inv_loc", {"inv_mast_uid": 1})[0]
    engine.p21.insert("inv_loc", **{**row, "location_id": 99})
    await engine.sweep("product_inventory")
    await engine.release_all()
    tally = await engine.sweep("product_inventory")
    assert (tally.waiting, tally.dead_lettered) == (0, 1)


async def test_a_child_parked_after_its_parent_was_given_up_elsewhere_has_it_read_again(engine):
    await engine.sweep("transaction_tracking_number")
    waiting = await engine.store.read.waiting.wanted("transaction", 500)
    releases = engine.releases("transaction")
    read = releases.run

    async def read_while_others_give_up(kind, keys):
        """Let the companies be given up, and a cycle that has not heard of it park the children, before the answer."""
        cycle = await read(kind, keys)
        companies = await engine.store.read.waiting.parents_of("transaction", "company")
        children = await engine.store.read.waiting.children("transaction", waiting)
        async with engine.store.transaction() as tables:
            await Children(engine.plan("company"), engine.connection, releases=False).fail(
                tables, dict.fromkeys(companies, "skipped, deleted in P21")
            )
            rows = [
                WaitingRow(entity=entity, key=key, parent_entity="transaction", parent_key=parent)
                for entity, key, parent in children
            ]
            await tables.waiting.park(rows, engine.clock.now())
        return cycle

    releases.run = read_while_others_give_up
    assert await releases.run_due()
    await engine.release_all()
    keys = [row["key"] for row in (await engine.letters("transaction_tracking_number")).values()]
    assert keys
    assert await engine.waiting("transaction_tracking_number", *keys) == {}


async def test_a_late_parent_releases_its_children(engine):
    await engine.sweep_all("location", "product")
    row = engine.p21.rows("inv_loc", {"inv_mast_uid": 1})[0]
    engine.p21.insert("inv_loc", **{**row, "location_id": 99})
    await engine.sweep("product_inventory")
    await engine.release_all()
    engine.p21.insert("location", location_id=99, company_id="01", location_name="Late", delete_flag="N")
    await engine.poll("location")
    await engine.release_all()
    assert await engine.letters("product_inventory") == {}
    assert await engine.store.read.delivered.by_keys("product_inventory", ["1|99"]) != {}


async def test_a_parent_that_is_deleted_dead_letters_its_children(engine):
    engine.p21.change("location", {"location_id": 10}, delete_flag="Y")
    await engine.sweep_all("location", "product", "product_inventory")
    await engine.release_all()
    letters = await engine.letters("product_inventory")
    held = engine.p21.rows("inv_loc", {"location_id": 10, "delete_flag": "N"})
    assert len(letters) == len(held)
    assert {letter["error"] for letter in letters.values()} == {
        "its parent location 10 is not delivered: skipped, deleted in P21, never delivered"
    }


async def test_an_inherited_reason_names_the_parent_and_the_first_cause_however_long_the_line(engine):
    engine.p21.change("location", {"location_id": 10}, location_name=" ")
    await engine.sweep_all("location", "product", "product_inventory")
    await engine.release_all()
    [letter, *_] = (await engine.letters("product_inventory")).values()
    cause = "skipped, no location name"
    assert letter["error"] == f"its parent location 10 is not delivered: {cause}"
    for generation in ("transaction 7", "invoice 8", "tracking 9"):
        entity, key = generation.split()
        error = not_delivered(entity, key) + cause_of(letter)
        assert error == f"its parent {generation} is not delivered: nor is location 10: {cause}"
        letter = {"code": "parent", "parent_entity": entity, "parent_key": key, "error": error}


def test_the_reason_of_a_record_that_the_sink_refused_is_inherited_whole():
    letter = {"code": "VALD-1", "parent_entity": "", "parent_key": "", "error": "name is too long"}
    assert cause_of(letter) == "dead-lettered, name is too long"


async def test_what_waits_for_a_row_that_is_given_up_for_its_parent_is_given_up_too(engine):
    await engine.sweep_all("location", "product", "transaction", "transaction_tracking_number")
    await engine.releases(
        "transaction"
    ).run_due()  # read for its parcels, it waits itself: they are not asked for again
    assert (await engine.store.read.waiting.counts())["transaction_tracking_number"] > 0
    engine.p21.change("customer", {}, delete_flag="Y")
    while await engine.releases("company").run_due():
        pass
    assert await engine.store.read.waiting.counts() == {}
    errors = [letter["error"] for letter in (await engine.letters("transaction_tracking_number")).values()]
    assert errors
    assert all("nor is company" in error for error in errors)


async def test_a_parent_that_is_skipped_dead_letters_its_children_with_its_reason(engine):
    engine.p21.change("location", {"location_id": 10}, location_name=" ")
    await engine.sweep_all("location", "product", "product_inventory")
    await engine.release_all()
    letters = await engine.letters("product_inventory")
    assert all("skipped, no location name" in letter["error"] for letter in letters.values())
    assert letters


async def test_a_parent_that_is_refused_dead_letters_its_children_and_its_mending_releases_them(engine):
    engine.p21.change("inv_mast", {"inv_mast_uid": 1}, item_desc="refused")
    body = '{"code":"VALD-1010","message":"no"}'
    refusal = Fault(kind="status", status=400, body=body, times=1, method="POST", path="*Catalog/Product")
    await engine.sweep("location")
    engine.hub.faults.add(refusal)
    cycle = await engine.releases("product").run("release", ["1"])
    assert cycle.tally.dead_lettered == 1
    await engine.releases("product_inventory").run("release", stock_of(engine, 1))
    await engine.release_all()
    letters = await engine.letters("product_inventory")
    assert set(letters) == set(stock_of(engine, 1))
    assert all("VALD-1010" in letter["error"] for letter in letters.values())
    engine.p21.change("inv_mast", {"inv_mast_uid": 1}, item_desc="mended")
    await engine.releases("product").run("sync", ["1"])
    await engine.release_all()
    assert await engine.letters() == {}


async def test_a_parent_whose_table_is_forbidden_dead_letters_its_children(with_locations):
    engine = with_locations
    await engine.sweep("product_inventory")
    engine.p21.change("inv_loc", {"inv_mast_uid": 1})
    engine.served.p21.settings.forbidden_tables = {"inv_mast"}
    with pytest.raises(Forbidden):
        await engine.releases("product").run_due()
    letters = await engine.letters("product_inventory")
    assert set(letters) == set(stock_of(engine, 1))


async def test_a_parent_that_waits_to_be_retried_keeps_its_children_waiting(with_locations):
    engine = with_locations
    await engine.sweep("product_inventory")
    engine.hub.faults.add(Fault(kind="status", status=500, method="POST", path="*Catalog/Product"))
    await engine.releases("product").run_due()
    assert await engine.letters() == {}
    assert set(await engine.waiting("product_inventory", *stock_of(engine, 1))) == set(stock_of(engine, 1))
    engine.hub.faults.clear()
    engine.clock.advance(150)
    await engine.release_all()
    assert len(engine.hub.records("inventory")) == len(stock_of(engine, 1))


async def test_a_parent_whose_entity_is_off_is_looked_up_in_the_hub_again_later(make, with_locations):
    engine = make(entities={"product": {"enabled": False}})
    keys = stock_of(engine, 1)
    await engine.sweep("product_inventory")
    due = [row.due_at for row in (await engine.waiting("product_inventory", *keys)).values()]
    assert len(due) == len(keys)
    assert all(at is not None and at > engine.clock.now() for at in due)
    assert await engine.letters() == {}
    await with_locations.releases("product").run("sync", ["1"])
    engine.clock.advance(3700)
    await engine.releases("product_inventory").run_due()
    assert len(engine.hub.records("inventory")) == len(keys)


async def test_a_row_that_vanishes_while_it_waits_is_let_go(with_locations):
    engine = with_locations
    await engine.sweep("product_inventory")
    engine.p21.delete("inv_loc", {"inv_mast_uid": 1})
    await engine.release_all()
    assert await engine.store.read.waiting.counts() == {}
    assert "gone from P21 while it waited" in (await engine.store.read.skipped.counts())["product_inventory"]


async def test_a_row_deleted_while_it_waits_is_skipped(with_locations):
    engine = with_locations
    await engine.sweep("product_inventory")
    engine.p21.change("inv_loc", {"inv_mast_uid": 1}, delete_flag="Y")
    await engine.poll("product_inventory")
    assert await engine.store.read.waiting.counts() == {}


async def test_a_parent_the_hub_shows_late_does_not_lose_its_children(engine):
    """The hub answers VALD-1038 for a while after it has acknowledged the parent."""
    await engine.sweep_all("location", "product")
    engine.served.hub.settings.parent_late_seconds = 3600.0
    await engine.sweep("product_inventory")
    await engine.release_all()
    assert await engine.letters() == {}
    engine.served.hub.settings.parent_late_seconds = 0.0
    engine.clock.advance(600)
    await engine.sweep("product_inventory")
    assert await engine.store.read.waiting.counts() == {}


async def test_children_of_a_late_parent_are_released_without_a_sweep(engine):
    await engine.sweep_all("location", "product")
    engine.served.hub.settings.parent_late_seconds = 3600.0
    await engine.sweep("product_inventory")
    await engine.release_all()
    engine.served.hub.settings.parent_late_seconds = 0.0
    engine.clock.advance(600)
    await engine.release_all()
    assert await engine.store.read.waiting.counts() == {}


async def test_a_child_that_is_parked_while_its_parent_is_read_is_not_forgotten(engine):
    """Its batch looked for the parent before that was delivered, and parks it after the parent's children were told."""
    await engine.sweep_all("location", "product")
    releases, clock = engine.releases("product"), engine.clock
    cycle = await releases.run("release", ["1"])
    row = WaitingRow(entity="product_inventory", key="1|10", parent_entity="product", parent_key="1")
    async with engine.store.transaction() as tables:
        await tables.waiting.park([row], clock.now())
    await releases._answer(["1"], [], cycle.fates, read_at=clock.now())
    assert await engine.store.read.waiting.wanted("product", 10) == ["1"]
    await engine.release_all()
    assert await engine.waiting("product_inventory", "1|10") == {}
