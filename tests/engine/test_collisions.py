"""A create that meets a record which exists: four forms for every entity, and words where it ends as a dead letter."""

from __future__ import annotations

import pytest

from p21d.sandbox.hub.settings import OTHER_SYSTEM

FORMS = ("error", "remap_and_link", "update_and_link", "update_and_no_link")
TYPES = {
    "location": "location",
    "company": "company",
    "customer": "customer",
    "product": "product",
    "product_inventory": "inventory",
}
ADDRESS = {
    "first_name": "A",
    "last_name": "B",
    "address_1": "1 St",
    "city": "C",
    "region": "OH",
    "postal_code": "1",
    "country": "United States",
}


def existing(engine, entity):
    """Return what the hub has under another system, with the natural key of a row of the entity, and that row's key."""
    rows = engine.p21.rows
    if entity == "location":
        row = rows("location")[0]
        return str(row["location_id"]), {"name": row["location_name"]}
    if entity == "company":
        row = rows("customer")[0]
        return f"{row['company_id']}|{row['customer_id']}", {"name": row["customer_name"]}
    if entity == "customer":
        row = rows("contacts")[0]
        names = {"first_name": "Some", "last_name": "Body"}
        return row["id"], {"customer_number": "W-1", "email_address": row["email_address"], **names}
    row = rows("inv_mast")[0]
    kind = {"type": "Physical", "tracking_method": "Product", "status": "Active"}
    return str(row["inv_mast_uid"]), {"sku": row["item_id"], "name": "Theirs", **kind}


async def collide(make, entity, form):
    """Let a first delivery of the entity meet a record of the other system; return engine, key and that record."""
    engine = make(entities={entity: {"collision": form}})
    engine.hub.settings.change({"more_unique": {"customer": ["email_address"]}})
    if entity == "product_inventory":
        await engine.sweep_all("location", "product")
        [row] = engine.p21.rows("inv_loc", {"inv_mast_uid": 1, "location_id": 10})
        key = f"{row['inv_mast_uid']}|{row['location_id']}"
        location = engine.p21.rows("location", {"location_id": 10})[0]["location_name"]
        ids = {record["name"]: record["id"] for record in engine.hub.records("location")}
        parent = next(r["id"] for r in engine.hub.records("product") if r["sku"] == "ELBOW-000001")
        body = {"parent_id": int(parent), "location_id": int(ids[location]), "qty_on_hand": -1}
    else:
        key, body = existing(engine, entity)
    theirs = [{"system_id": OTHER_SYSTEM, "external_id": "theirs"}]
    record = engine.hub.create(TYPES[entity], **body, external_ids=theirs)
    await engine.sweep(entity)
    return engine, key, record


def ours(engine, entity, hub_id):
    [record] = [record for record in engine.hub.records(TYPES[entity]) if record["id"] == hub_id]
    return record, [link["external_id"] for link in record["external_ids"] if link["system_id"] == 5120]


@pytest.mark.parametrize("entity", TYPES)
@pytest.mark.parametrize("form", ["remap_and_link", "update_and_link"])
async def test_a_record_is_taken_over_and_linked(make, entity, form):
    engine, key, record = await collide(make, entity, form)
    found, links = ours(engine, entity, record["id"])
    assert len(links) == 1
    assert found["writes"] == 2
    assert not engine.hub.duplicates()
    assert key not in await engine.letters(entity)
    assert (await engine.sweep(entity)).delivered == 0


@pytest.mark.parametrize("entity", TYPES)
async def test_a_record_is_updated_and_not_linked(make, entity):
    engine, key, record = await collide(make, entity, "update_and_no_link")
    found, links = ours(engine, entity, record["id"])
    assert (links, found["writes"]) == ([], 2)
    assert not engine.hub.duplicates()
    assert key not in await engine.letters(entity)
    assert (await engine.sweep(entity)).delivered == 0


@pytest.mark.parametrize("entity", TYPES)
async def test_an_error_is_explained_in_the_dead_letter(make, entity):
    engine, key, record = await collide(make, entity, "error")
    letter = (await engine.letters(entity))[key]
    assert letter["code"] == "collision"
    assert f"record {record['id']}" in letter["error"]
    assert "collision" in letter["hint"]
    assert ours(engine, entity, record["id"])[0]["writes"] == 1


async def test_two_contacts_with_one_e_mail_are_one_customer_and_one_dead_letter_that_names_the_other(engine):
    engine.hub.settings.change({"more_unique": {"customer": ["email_address"]}})
    first, second = engine.p21.rows("contacts")[:2]
    engine.p21.change("contacts", {"id": second["id"]}, email_address=first["email_address"])
    await engine.sweep("customer")
    [letter] = (await engine.letters("customer")).values()
    assert {letter["key"]} <= {first["id"], second["id"]}
    winner = first if letter["key"] == second["id"] else second
    assert f"is linked to our '{winner['id']}'" in letter["error"]
    assert not engine.hub.duplicates()


async def test_two_companies_with_one_customer_name_are_one_company_and_a_dead_letter_that_names_the_other(engine):
    await engine.sweep("company")
    letters = await engine.letters("company")
    assert letters.keys() in ({"01|200002"}, {"02|200002"})
    [(key, letter)] = letters.items()
    winner = "02" if key.startswith("01") else "01"
    links = await engine.store.read.links.some("customer company", "company", 10)
    [name] = [link for link in links if link.startswith(winner) and "200002" in link]
    assert f"is linked to our {name!r}" in letter["error"]


async def test_an_inactive_record_that_somebody_else_made_inactive_is_left_so_and_explained(engine):
    key, body = existing(engine, "product")
    record = engine.hub.create("product", **body)
    database = engine.hub._core.database
    database.set_active(database.get("product", int(record["id"])), active=False)
    await engine.sweep("product")
    letter = (await engine.letters("product"))[key]
    assert letter["code"] == "inactive-in-hub"
    assert not ours(engine, "product", record["id"])[0]["active"]
