"""A parent that the hub has lost is sent again for the child that waits for it, a few times and never for ever."""

from __future__ import annotations

import json

import pytest

from p21d.engine.lost_parents import suspects
from p21d.engine.work import Outgoing, Work
from p21d.errors import ParentMissing
from p21d.plugin import Parent
from p21d.sandbox.faults import Fault
from tests.engine.orders.doubles import START
from tests.engine.test_sales import order_of

STOCK = {"inv_mast_uid": 1, "location_id": 10}


def product_of(engine, uid=1):
    name = engine.p21.rows("inv_mast", {"inv_mast_uid": uid})[0]["item_id"]
    return next((record for record in engine.hub.records("product") if record["sku"] == name), None)


def lose(engine, type_name, hub_id):
    """Let the hub forget a record with its children and links."""
    database = engine.hub._core.database
    record = database.get(type_name, int(hub_id))
    for child in database.children(record):
        database.remove(child)
    database.remove(record)


async def parents(engine):
    await engine.sweep_all("location", "product")


async def test_a_parent_that_the_hub_lost_is_created_anew_and_releases_its_child(engine):
    await parents(engine)
    lose(engine, "product", product_of(engine)["id"])
    await engine.sweep("product_inventory")
    await engine.release_all()
    stocked = {stock["parent_id"] for stock in engine.hub.records("inventory")}
    assert int(product_of(engine)["id"]) in stocked
    assert not await engine.letters("product_inventory")
    assert await engine.store.read.waiting.counts() == {}


async def test_the_parent_that_the_hub_names_is_sent_again(engine):
    await parents(engine)
    location = next(record for record in engine.hub.records("location") if record["name"])
    lose(engine, "location", location["id"])
    await engine.sweep("product_inventory")
    await engine.release_all()
    assert location["name"] in {record["name"] for record in engine.hub.records("location")}
    assert await engine.store.read.waiting.counts() == {}
    assert not await engine.letters("product_inventory")


async def test_a_product_that_the_hub_names_by_its_sku_is_sent_again_for_an_order_in_one_round(make):
    engine = make(prophet21={"companies": ["01"]})
    await engine.sweep_all("location", "company", "customer", "product")
    number = order_of(engine, lines=2)
    lost = product_of(engine, 2)
    lose(engine, "product", lost["id"])
    await engine.sweep("transaction")
    [row] = (await engine.waiting("transaction", number)).values()
    assert (row.parent_entity, row.parent_key) == ("product", "2")
    assert f"'{lost['sku']}' does not exist" in row.error
    await engine.releases("product").run_due()
    await engine.releases("transaction").run_due()
    assert product_of(engine, 2) is not None
    assert number in {record["transaction_number"] for record in engine.hub.records("transaction")}
    assert not await engine.letters("transaction")


def suspected(words, **ids):
    """Return the keys of the parents suspected of a child of a company and two products."""
    parents = [
        Parent(entity="product", key=(2,), external_id={"sku": "BOLT-2"}),
        Parent(entity="customer", key=(7,), external_id={"sku": "ann"}, member="customer_id", required=False),
        Parent(entity="company", key=(1,), external_id={"sku": "BOLT"}, member="company_id"),
    ]
    work = Work(key="1", page_key="1", read_at=START, parents=parents)
    record = Outgoing("1", {}, {}, parents=ids)
    found = suspects(work, record, ParentMissing(words, code="x"), lambda parent: str(parent.external_id["sku"]))
    return [parent.key[0] for parent in found]


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("Company 4411 does not exist", [1]),
        ("Product 'bolt-2' does not exist", [2]),
        ("BOLT-2 of company 4411", [1]),  # an id of the hub says more than a name
        ("Product 'BOLT-22' does not exist", [1, 7]),
        ("A record must be created first", [1, 7]),
    ],
)
def test_the_parents_meant_are_those_named_else_those_whose_ids_were_sent(words, keys):
    assert suspected(words, company_id="4411", customer_id="8822") == keys


def test_where_no_ids_were_sent_and_none_is_named_all_are_suspected_the_required_first():
    assert suspected("A record must be created first") == [2, 1, 7]


@pytest.fixture
async def refused(engine):
    """Stock whose product the hub says it does not have, whatever is done."""
    await parents(engine)
    hub_id = product_of(engine)["id"]
    body = json.dumps({"code": "VALD-1038", "message": f"Product {hub_id} does not exist, it must be created first"})
    path, query = "*/Catalog/Inventory", f"id={hub_id}*"
    fault = engine.hub.faults.add(Fault(kind="status", status=400, path=path, query=query, method="POST", body=body))
    await engine.sweep("product_inventory")
    return fault


async def test_a_child_has_three_rounds_and_then_counts_as_failing(engine, refused):
    await engine.release_all()
    keys = [f"1|{row['location_id']}" for row in engine.p21.rows("inv_loc", {"inv_mast_uid": 1})]
    waiting = await engine.waiting("product_inventory", *keys)
    assert keys
    assert set(waiting) == set(keys)
    assert all(row.due_at is not None and "VALD-1038" in row.error for row in waiting.values())
    # three rounds and then three attempts of one cycle
    assert engine.hub.faults.fired(refused) == 6 * len(keys)


async def test_a_child_that_keeps_failing_is_dead_lettered_naming_its_parent(engine, refused, clock):
    await engine.release_all()
    for _ in range(8):
        clock.advance(180)
        engine.p21.change("inv_loc", {"inv_mast_uid": 2}, qty_on_hand=clock.leapt_seconds)
        await engine.sweep("product_inventory")
        await engine.release_all()
    letters = await engine.letters("product_inventory")
    assert {key.split("|")[0] for key in letters} == {"1"}
    letter = next(iter(letters.values()))
    assert (letter["code"], letter["parent_entity"], letter["parent_key"]) == ("VALD-1038", "product", "1")


async def test_a_later_delivery_of_the_parent_gives_the_dead_lettered_child_another_chance(engine, refused, clock):
    await test_a_child_that_keeps_failing_is_dead_lettered_naming_its_parent(engine, refused, clock)
    engine.hub.faults.clear()
    engine.p21.change("inv_mast", {"inv_mast_uid": 1}, item_desc="Changed")
    await engine.sweep("product")
    await engine.release_all()
    assert not await engine.letters("product_inventory")


async def test_a_lost_parent_whose_entity_is_off_is_only_looked_up(make):
    await parents(make())
    engine = make(entities={"product": {"enabled": False}})
    lose(engine, "product", product_of(engine)["id"])
    await engine.sweep("product_inventory")
    assert product_of(engine) is None
    [row] = (await engine.waiting("product_inventory", "1|10")).values()
    assert row.due_at is not None
    assert await engine.store.read.links.by_external_id("product", ["ELBOW-000001"]) == {}


async def test_where_the_hub_names_no_parent_each_is_sent_again_in_turn(engine):
    await parents(engine)
    record = next(record for record in engine.hub.records("location") if record["name"])
    lose(engine, "location", record["id"])
    words = json.dumps({"code": "VALD-1038", "message": "A referenced record must be created first"})
    # the hub's own words name the location; these stand in for them as long as it is not there
    path = "*/Catalog/Inventory"
    fault = engine.hub.faults.add(Fault(kind="status", status=400, path=path, method="POST", body=words))
    await engine.sweep("product_inventory")
    await engine.releases("product").run_due()
    await engine.releases("product_inventory").run_due()
    await engine.releases("location").run_due()
    engine.hub.faults.remove(fault)
    await engine.release_all()
    assert record["name"] in {location["name"] for location in engine.hub.records("location")}
    assert not await engine.letters("product_inventory")
