"""What a 404 means: a record that is gone, or a hub that finds nothing."""

from __future__ import annotations

import pytest

from p21d.errors import Unavailable
from p21d.sandbox.faults import Fault

ITEM = {"inv_mast_uid": 1}
NAME = "ELBOW-000001"
TEN_MINUTES = 600
MASTERS = ("location", "company", "customer", "product", "product_inventory")
"""Not the orders: those of another family, they follow a changed item while the products' one is down."""


def product(engine, name=NAME):
    return next((record for record in engine.hub.records("product") if record["sku"] == name), None)


def lose(engine, hub_id):
    database = engine.hub._core.database
    record = database.get("product", int(hub_id))
    for child in database.children(record):
        database.remove(child)
    database.remove(record)


async def links(engine):
    tables = engine.store.read.links
    return await tables.counts(), await tables.by_external_id("product", [NAME])


@pytest.mark.parametrize("error_style", ["body", "reason"])
async def test_a_record_that_is_gone_is_created_anew_under_its_old_name(make, served, error_style):
    """With a code, or without one while others are still found."""
    await make().sweep("product")
    engine = make()  # a restart: the sink remembers nobody to look up
    before = product(engine)["id"]
    lose(engine, before)
    served.hub.settings.change({"error_style": error_style})
    engine.p21.change("inv_mast", ITEM, item_desc="Changed")
    assert (await engine.sweep("product")).delivered == 1
    after = product(engine)
    assert after["id"] != before
    _, found = await links(engine)
    assert found[NAME].hub_id == after["id"]
    units = await engine.store.read.links.of_children("product", [NAME])
    assert {unit.hub_id for unit in units} == {unit["id"] for unit in after["units"]}
    assert not await engine.letters()


@pytest.fixture
async def astray(engine):
    """A gateway that answers 404 to everything of the products family, after which three items have changed."""
    await engine.sweep_all()
    await engine.release_all()
    engine.hub.faults.add(Fault(kind="status", status=404, path="/products/*", body=""))
    engine.p21.change("inv_mast", ITEM, item_desc="Changed")
    engine.p21.change("inv_mast", {"inv_mast_uid": 2}, delete_flag="Y")
    row = engine.p21.rows("inv_mast", ITEM)[0]
    engine.p21.insert("inv_mast", **row | {"inv_mast_uid": 999, "item_id": "BRAND-NEW", "item_desc": "New"})
    engine.p21.change("inv_loc", {"inv_mast_uid": 3}, qty_on_hand=77)
    engine.p21.change("location", {"location_id": 10}, location_name="Renamed")
    return engine


async def ten_minutes(engine, clock):
    end = clock.leapt_seconds + TEN_MINUTES
    while clock.leapt_seconds < end:
        for entity in MASTERS:
            try:
                await engine.sweep(entity)
                await engine.releases(entity).run_due()
            except Unavailable:
                clock.advance(30)


async def test_ten_minutes_of_404_drop_no_link_and_create_nothing(astray, clock):
    engine = astray
    before = await links(engine), engine.hub.writes, engine.hub.link_writes
    waiting = await engine.store.read.waiting.counts()
    await ten_minutes(engine, clock)
    assert (await links(engine), engine.hub.writes, engine.hub.link_writes) == before
    assert await engine.store.read.waiting.counts() == waiting
    assert not await engine.letters("product")


async def test_after_404_everything_resumes(astray, clock):
    engine = astray
    ids = {record["sku"]: record["id"] for record in engine.hub.records("product")}
    await ten_minutes(engine, clock)
    engine.hub.faults.clear()
    await engine.sweep_all("location", "product", "product_inventory")
    await engine.release_all()
    after = {record["sku"]: record for record in engine.hub.records("product")}
    assert {sku: after[sku]["id"] for sku in ids} == ids
    assert after[NAME]["name"] == "Changed"
    assert after.keys() - ids.keys() == {"BRAND-NEW"}
    assert not engine.hub.duplicates()


async def test_while_404_lasts_the_probe_does_not_say_that_the_hub_is_back(astray):
    with pytest.raises(Unavailable):
        await astray.connection.sink.probe(astray.plan("product").entity.route)


async def test_a_record_whose_link_leads_nowhere_does_not_stop_the_others(engine):
    await engine.sweep("product")
    path = f"*/Catalog/Product/{product(engine)['id']}"
    engine.hub.faults.add(Fault(kind="status", status=404, path=path, body=""))
    for uid in (1, 2, 3):
        engine.p21.change("inv_mast", {"inv_mast_uid": uid}, item_desc="Changed")
    tally = await engine.sweep("product")
    assert (tally.delivered, tally.waiting) == (2, 1)
    assert "link-dangling" in str(await engine.waiting("product", "1")) or "does not exist" in str(
        await engine.waiting("product", "1")
    )
