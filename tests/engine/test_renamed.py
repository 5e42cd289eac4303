"""A renamed row keeps its record in the hub, its children's too, whatever is killed on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from p21d.plugin import Record, Route
from p21d.sandbox.faults import Fault


@pytest.fixture
def item(engine):
    """An item with units and stock."""
    return next(row for row in engine.p21.rows("inv_mast") if engine.p21.count("item_uom", uid(row)) > 1)


def uid(item):
    return {"inv_mast_uid": item["inv_mast_uid"]}


def rename(engine, item, name="NEW-NAME"):
    engine.p21.change("inv_mast", uid(item), item_id=name)


def product(engine, name):
    [found] = [record for record in engine.hub.records("product") if record["sku"] == name]
    return found


def links_of(record):
    return [link["external_id"] for link in record["external_ids"]]


async def test_a_renamed_item_keeps_its_hub_record_and_its_units(engine, item):
    await engine.sweep("product")
    before, count = product(engine, item["item_id"]), len(engine.hub.records("product"))
    rename(engine, item)
    await engine.sweep("product")
    after = product(engine, "NEW-NAME")
    assert after["id"] == before["id"]
    assert links_of(after) == ["NEW-NAME"]
    assert [unit["id"] for unit in after["units"]] == [unit["id"] for unit in before["units"]]
    assert all(links_of(unit)[0].startswith("NEW-NAME|") for unit in after["units"])
    assert len(engine.hub.records("product")) == count
    assert not await engine.letters()


async def test_the_store_forgets_the_old_name(engine, item):
    await engine.sweep("product")
    rename(engine, item)
    await engine.sweep("product")
    key = str(item["inv_mast_uid"])
    tables = engine.store.read
    assert [record.external_id for record in (await tables.delivered.by_keys("product", [key]))[key]] == ["NEW-NAME"]
    assert await tables.links.by_external_id("product", [item["item_id"]]) == {}
    assert await tables.links.of_children("product", [item["item_id"]]) == []
    assert len(await tables.links.of_children("product", ["NEW-NAME"])) == len(product(engine, "NEW-NAME")["units"])


async def test_a_renamed_item_is_unchanged_the_next_time(engine, item):
    await engine.sweep("product")
    rename(engine, item)
    await engine.sweep("product")
    assert (await engine.sweep("product")).delivered == 0


async def test_the_stock_of_a_renamed_item_keeps_its_hub_records(engine, item):
    await engine.sweep_all()
    await engine.release_all()
    parent = product(engine, item["item_id"])["id"]
    before = {stock["id"] for stock in stocks(engine, parent)}
    rename(engine, item)
    engine.p21.change("inv_loc", uid(item))
    await engine.sweep("product_inventory")
    await engine.release_all()
    assert before
    assert {stock["id"] for stock in stocks(engine, parent)} == before
    assert all(links_of(stock)[0].startswith("NEW-NAME|") for stock in stocks(engine, parent))
    assert not await engine.letters("product_inventory")


def stocks(engine, parent):
    return [stock for stock in engine.hub.records("inventory") if str(stock["parent_id"]) == str(parent)]


# aiohttp itself repeats a PUT or DELETE once whose connection was closed
STEPS = {
    "before the link moves": Fault(kind="drop_before", path="*/UpdateExternalId", times=1),
    "after the link has moved": Fault(kind="drop_after", path="*/UpdateExternalId", times=1),
    "before a unit's link moves": Fault(kind="drop_before", path="*/UpdateExternalId", after=1, times=1),
    "after a unit's link has moved": Fault(kind="drop_after", path="*/UpdateExternalId", after=1, times=1),
    "after the old name is gone": Fault(kind="drop_after", path="*/External", method="DELETE", times=2),
    "before the update": Fault(kind="drop_before", path="*/Product/*", method="PUT", times=2),
    "after the update": Fault(kind="drop_after", path="*/Product/*", method="PUT", times=2),
}


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the cycle runs on."""


@pytest.mark.parametrize("step", STEPS)
async def test_a_kill_at_each_step_leaves_one_record(make, served, store, item, step):
    await make().sweep("product")
    before = product(make(), item["item_id"])
    engine = make()
    rename(engine, item)
    fault = served.hub.faults.add(STEPS[step])
    engine.connection.sink.deliver = killed_on_failure(engine.connection.sink.deliver)
    with pytest.raises(BaseExceptionGroup):
        await engine.sweep("product")
    assert served.hub.faults.fired(fault)
    restarted = make()
    await restarted.sweep("product")
    after = product(restarted, "NEW-NAME")
    assert (after["id"], links_of(after)) == (before["id"], ["NEW-NAME"])
    assert [unit["id"] for unit in after["units"]] == [unit["id"] for unit in before["units"]]
    assert not served.hub.duplicates()


def killed_on_failure(deliver):
    async def until_a_failure(batch, answers):
        try:
            await deliver(batch, answers)
        except Exception as error:
            raise Killed from error
        if not all(hasattr(answer, "links") for answer in answers):
            raise Killed

    return until_a_failure


async def test_a_rename_whose_answer_is_lost_and_that_is_taken_back_ends_right(make, served, item):
    engine = make()
    await engine.sweep("product")
    before = product(engine, item["item_id"])
    rename(engine, item)
    served.hub.faults.add(STEPS["after the update"])
    engine.connection.sink.deliver = killed_on_failure(engine.connection.sink.deliver)
    with pytest.raises(BaseExceptionGroup):
        await engine.sweep("product")
    rename(engine, item, item["item_id"])
    await make().sweep("product")
    after = product(engine, item["item_id"])
    assert (after["id"], links_of(after)) == (before["id"], [item["item_id"]])
    assert [links_of(unit) for unit in after["units"]] == [links_of(unit) for unit in before["units"]]


async def test_a_name_taken_over_from_a_renamed_item_is_free_at_once(engine):
    first, second = engine.p21.rows("inv_mast")[:2]
    await engine.sweep("product")
    ids = product(engine, first["item_id"])["id"], product(engine, second["item_id"])["id"]
    rename(engine, first, second["item_id"])
    rename(engine, second, "NEW-NAME")
    await engine.sweep("product")
    await engine.release_all()
    assert product(engine, second["item_id"])["id"] == ids[0]
    assert product(engine, "NEW-NAME")["id"] == ids[1]
    assert not await engine.letters("product")


async def test_two_items_that_change_names_with_each_other_are_dead_lettered_naming_both(engine):
    first, second = engine.p21.rows("inv_mast")[:2]
    await engine.sweep("product")
    rename(engine, first, second["item_id"])
    rename(engine, second, first["item_id"])
    await engine.sweep("product")
    letters = await engine.letters("product")
    assert {letter["code"] for letter in letters.values()} == {"link-taken"}
    for item, other in ((first, second), (second, first)):
        assert f"belongs to product {other['inv_mast_uid']}" in letters[str(item["inv_mast_uid"])]["error"]


async def test_a_new_name_that_the_hub_gives_to_another_record_changes_nothing(engine, item):
    await engine.sweep("product")
    engine.hub.create("product", **stranger("NEW-NAME"))
    rename(engine, item)
    await engine.sweep("product")
    [letter] = (await engine.letters("product")).values()
    assert "NEW-NAME" in letter["error"]
    assert links_of(product(engine, item["item_id"])) == [item["item_id"]]


def stranger(sku):
    return {
        "sku": "OTHER",
        "name": "Somebody else's",
        "type": "Physical",
        "tracking_method": "Product",
        "status": "Active",
        "external_ids": [{"system_id": 5120, "external_id": sku}],
    }


async def test_a_deleted_item_that_was_renamed_becomes_inactive_under_its_new_name(engine, item):
    await engine.sweep("product")
    count = len(engine.hub.records("product"))
    engine.p21.change("inv_mast", uid(item), item_id="NEW-NAME", delete_flag="Y")
    await engine.sweep("product")
    assert product(engine, "NEW-NAME")["status"] == "Inactive"
    assert links_of(product(engine, "NEW-NAME")) == ["NEW-NAME"]
    assert len(engine.hub.records("product")) == count


@pytest.fixture
def several(registry):
    """Locations that are two records, a main one and, with a second name, a yard."""

    def records(row, related):
        main = Record(external_id={"location_id": f"{row.location_id}"}, body={"name": f"Site {row.location_id}"})
        yard = Record(external_id={"location_id": f"{row.location_id}-Y"}, body={"name": f"Yard {row.location_id}"})
        return [main, yard] if wants_yard["now"] else [main]

    wants_yard = {"now": True}
    entity = replace(
        registry.entities["location"],
        records=records,
        external_id="{location_id}",
        related=(),
        route=Route(resource="location", natural_key="name"),
    )
    return replace(registry, entities={**registry.entities, "location": entity}), wants_yard


async def test_a_record_that_its_row_yields_no_more_becomes_inactive(make, several):
    registry, wants_yard = several
    engine = make(registry=registry)
    await engine.sweep("location")
    wants_yard["now"] = False
    for row in engine.p21.rows("location"):
        engine.p21.change("location", {"location_id": row["location_id"]})
    await engine.sweep("location")
    active = {record["name"]: record["active"] for record in engine.hub.records("location")}
    assert active
    assert all(is_active == name.startswith("Site") for name, is_active in active.items())
    assert (await engine.sweep("location")).delivered == 0
    wants_yard["now"] = True
    await engine.sweep("location")
    assert all(record["active"] for record in engine.hub.records("location"))
