"""Children added, changed and removed in P21 end right in the hub, whatever a PUT does to those it does not name."""

from __future__ import annotations

import pytest

from p21d.sandbox.faults import Fault

PUT_MODES = ("replace", "merge", "delete_absent_children")
CUSTOMER = 200001
"""A company of the sandbox with an address of its own; the tests give it ship-tos."""


@pytest.fixture(params=PUT_MODES)
def put_mode(request, served):
    served.hub.settings.change({"put_mode": request.param})
    return request.param


@pytest.fixture
def key(engine):
    row = engine.p21.rows("customer", {"customer_id": CUSTOMER})[0]
    return f"{row['company_id']}|{CUSTOMER}"


def add_ship_to(engine, address_id, street="7 New St"):
    company = engine.p21.rows("customer", {"customer_id": CUSTOMER})[0]["company_id"]
    address = engine.p21.rows("address", {"id": CUSTOMER})[0]
    engine.p21.insert("address", **address | {"id": address_id, "phys_address1": street})
    engine.p21.insert("ship_to", company_id=company, ship_to_id=address_id, customer_id=CUSTOMER, delete_flag="N")
    touch(engine)


def touch(engine):
    engine.p21.change("customer", {"customer_id": CUSTOMER})


def streets(engine, key):
    """Return the streets of the company's active addresses in the hub."""
    company = of_key(engine, key)
    return sorted(address["address_1"] for address in company["addresses"] if address["active"])


def of_key(engine, key):
    name = engine.p21.rows("customer", {"customer_id": CUSTOMER})[0]["customer_name"]
    [company] = [record for record in engine.hub.records("company") if record["name"] == name]
    return company


async def child_links(engine, key):
    company = of_key(engine, key)
    own = company["external_ids"][0]["external_id"]
    links = await engine.store.read.links.of_children("customer company address", [own])
    return {link.external_id.removeprefix(f"{own}|"): link for link in links}


async def test_an_address_added_changed_and_removed_ends_right(engine, key, put_mode):
    await engine.sweep("company")
    before = streets(engine, key)
    add_ship_to(engine, 990001)
    await engine.sweep("company")
    assert streets(engine, key) == sorted([*before, "7 New St"])
    engine.p21.change("address", {"id": 990001}, phys_address1="8 Other St")
    touch(engine)
    await engine.sweep("company")
    assert streets(engine, key) == sorted([*before, "8 Other St"])
    engine.p21.change("ship_to", {"ship_to_id": 990001}, delete_flag="Y")
    touch(engine)
    await engine.sweep("company")
    assert streets(engine, key) == before
    assert "990001" not in await child_links(engine, key)
    assert key not in await engine.letters()


async def test_a_removed_address_that_comes_back_is_there_once(engine, key, put_mode):
    add_ship_to(engine, 990001)
    await engine.sweep("company")
    there = streets(engine, key)
    for flag in "YN":
        engine.p21.change("ship_to", {"ship_to_id": 990001}, delete_flag=flag)
        touch(engine)
        await engine.sweep("company")
    assert streets(engine, key) == there
    assert key not in await engine.letters()


async def test_an_address_replaced_by_another_leaves_one(engine, key, put_mode):
    await engine.sweep("company")
    before = streets(engine, key)
    add_ship_to(engine, 990001)
    await engine.sweep("company")
    engine.p21.change("ship_to", {"ship_to_id": 990001}, delete_flag="Y")
    add_ship_to(engine, 990002)
    await engine.sweep("company")
    assert streets(engine, key) == sorted([*before, "7 New St"])
    assert {"990001", "990002"} & set(await child_links(engine, key)) == {"990002"}


async def test_a_removal_whose_answer_is_lost_is_done_again(engine, key, put_mode):
    await engine.sweep("company")
    before = streets(engine, key)
    add_ship_to(engine, 990001)
    await engine.sweep("company")
    engine.p21.change("ship_to", {"ship_to_id": 990001}, delete_flag="Y")
    touch(engine)
    lost = engine.hub.faults.add(Fault(kind="drop_after", path="*/Company/Address/*", method="DELETE", times=2))
    await engine.sweep("company")
    assert engine.hub.faults.fired(lost) == 2  # aiohttp itself repeats a DELETE once
    assert streets(engine, key) == before
    assert "990001" not in await child_links(engine, key)


async def test_a_child_the_hub_cannot_remove_is_recorded_as_left_behind(engine, key, log_lines):
    engine.hub.settings.change({"own_paths_off": ["company_address"]})
    add_ship_to(engine, 990001)
    await engine.sweep("company")
    engine.p21.change("ship_to", {"ship_to_id": 990001}, delete_flag="Y")
    touch(engine)
    await engine.sweep("company")
    assert (await child_links(engine, key))["990001"].left_behind
    assert await engine.store.read.links.left_behind() == {"company": 1}
    [line] = [line for line in log_lines if line["event"] == "delivered in part"]
    assert "990001" in line["first"]


async def test_a_child_left_behind_is_not_tried_again_and_is_taken_back_when_it_returns(engine, key):
    engine.hub.settings.change({"own_paths_off": ["company_address"]})
    add_ship_to(engine, 990001)
    await engine.sweep("company")
    there = streets(engine, key)
    engine.p21.change("ship_to", {"ship_to_id": 990001}, delete_flag="Y")
    for street in ("1 First St", "2 Second St"):
        engine.p21.change("address", {"id": CUSTOMER}, phys_address2=street)
        touch(engine)
        await engine.sweep("company")
    assert len([call for call in engine.hub.requests if call.method == "DELETE"]) == 1
    engine.p21.change("ship_to", {"ship_to_id": 990001}, delete_flag="N")
    touch(engine)
    await engine.sweep("company")
    assert streets(engine, key) == there
    assert await engine.store.read.links.left_behind() == {}


async def test_a_unit_which_the_hub_has_no_call_for_is_left_behind_unless_a_put_removes_it(engine, put_mode):
    await engine.sweep("product")
    unit = next(row for row in engine.p21.rows("item_uom") if len(units(engine, row)) > 1)
    engine.p21.change("item_uom", {"item_uom_uid": unit["item_uom_uid"]}, delete_flag="Y")
    engine.p21.change("inv_mast", {"inv_mast_uid": unit["inv_mast_uid"]})
    await engine.sweep("product")
    left = await engine.store.read.links.left_behind()
    assert left == ({} if put_mode == "delete_absent_children" else {"product": 1})
    assert not await engine.letters("product")


def units(engine, row):
    return engine.p21.rows("item_uom", {"inv_mast_uid": row["inv_mast_uid"], "delete_flag": "N"})
