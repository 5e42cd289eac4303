"""A related row is changed, its parent's own stamp does not move, and the parent's record in the hub follows."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from p21d.control.screen import Screen
from p21d.engine.drain import Drained
from p21d.engine.triggers import TriggerWatch
from p21d.errors import Forbidden, Unavailable
from p21d.plugin import Related, Trigger
from p21d.registry import Registry
from p21d.sandbox.faults import Fault
from p21d.sandbox.serve import serve
from p21d.store.waiting import WaitingRow
from tests.engine.world import DEADLINE_SECONDS, PARENTS_FIRST

CUSTOMER = 200001
"""A customer of the sandbox; its own address has the same id."""
SHIP_TO = 6000003
"""A second ship-to, of customer 200002."""
OLD = "2020-01-01T00:00:00"
ONLY_CUSTOMER = {name: {"enabled": name == "customer"} for name in PARENTS_FIRST}


@pytest.fixture
async def served(clock):
    """Both simulators by the engine's own clock, so that P21's now leaps with it."""
    async with serve(rows=20, seed=1, clock=clock) as both:
        # 200002 is in both companies under one name, which the hub refuses
        both.p21.database.change("customer", {"company_id": "02"}, customer_name="Summit of the West")
        yield both


async def settle(engine, *entities: str):
    """Bring what these entities read in their look-back into the hub, and what their triggers lead to."""
    await engine.sweep_all(*entities)
    for trigger in watches(engine, *entities):
        await trigger.run_window("sweep")
    await engine.release_all()
    return engine


@pytest.fixture
async def settled(engine):
    return await settle(engine, "company", "customer")


@pytest.fixture
async def stocked(engine):
    return await settle(engine, "location", "product", "product_inventory")


def watch(engine, name: str) -> TriggerWatch:
    return next(trigger for trigger in engine.runner(name.partition("<")[0]).triggers if trigger.name == name)


def watches(engine, *entities: str) -> list[TriggerWatch]:
    return [trigger for name in entities for trigger in engine.runner(name).triggers]


def records(engine) -> dict[str, dict]:
    types = ("location", "company", "customer", "product", "inventory")
    return {f"{kind} {record['id']}": record for kind in types for record in engine.hub.records(kind)}


async def written_by(engine, *names: str) -> list[dict]:
    """Poll these triggers and release what they park; return the hub's records that were written by that."""
    before = records(engine)
    for name in names:
        await watch(engine, name).run_window("poll")
    await engine.release_all()
    after = records(engine)
    return [after[name] for name in after if after[name]["writes"] != before.get(name, {"writes": 0})["writes"]]


async def due(engine, entity: str) -> list[str]:
    return await engine.store.read.waiting.due(entity, engine.clock.now(), 10_000)


def stamps(engine, table: str) -> list[str]:
    return [row["date_last_modified"] for row in engine.p21.rows(table)]


def numbers_of(written: list[dict]) -> set[str]:
    return {record["customer_number"] for record in written}


def move(engine, address: int, city: str) -> None:
    engine.p21.change("address", {"id": address}, mail_city=city, phys_city=city)


def add_contacts(engine, count: int, *, with_e_mail: int) -> None:
    """Add contacts at the customer's address that were last changed long ago."""
    names = ("id", "address_id", "company_id", "first_name", "last_name", "email_address", "delete_flag")
    rows = [
        (
            f"C{number:05d}",
            CUSTOMER,
            "01",
            "Ann",
            "Lee",
            f"a{number}@example.com" if number < with_e_mail else None,
            "N",
        )
        for number in range(count)
    ]
    engine.p21.insert_many("contacts", (*names, "date_last_modified"), [(*row, OLD) for row in rows])


# each of the declared triggers, end to end


async def test_an_edited_address_reaches_the_contacts_at_it_and_nobody_else(settled):
    before = stamps(settled, "contacts")
    move(settled, CUSTOMER, "Newtown")
    written = await written_by(settled, "customer<address")
    assert numbers_of(written) == {"5001", "5003"}
    assert {record["addresses"][0]["city"] for record in written} == {"Newtown"}
    assert stamps(settled, "contacts") == before


async def test_a_renamed_customer_reaches_its_contacts(settled):
    settled.p21.change("customer", {"customer_id": CUSTOMER}, customer_name="Acme Pipes")
    settled.p21.change("contacts_x_links", {"link_id": str(CUSTOMER)}, stamp=False, link_name="Acme Pipes")
    written = await written_by(settled, "customer<p21_view_contacts_x_links<customer")
    assert {"5001", "5003"} <= numbers_of(written)
    assert {record["company"] for record in written} == {"Acme Pipes"}


async def test_an_edited_address_reaches_the_customer_of_the_same_id(settled):
    before = stamps(settled, "customer")
    move(settled, CUSTOMER, "Newtown")
    written = await written_by(settled, "company<address")
    assert [(record["name"], record["addresses"][0]["city"]) for record in written] == [
        ("Acme Plumbing Inc.", "Newtown")
    ]
    assert stamps(settled, "customer") == before


async def test_an_edited_address_of_a_ship_to_reaches_its_customer(settled):
    move(settled, SHIP_TO, "Farville")
    assert await written_by(settled, "company<address") == []
    settled.clock.advance(1)
    written = await written_by(settled, "company<ship_to<address")
    assert [record["name"] for record in written] == ["Summit Plumbing Inc."]
    assert "Farville" in {address["city"] for address in written[0]["addresses"]}


async def test_a_deleted_ship_to_reaches_its_customer(settled):
    settled.p21.change("ship_to", {"ship_to_id": SHIP_TO}, delete_flag="Y")
    written = await written_by(settled, "company<ship_to")
    assert [record["name"] for record in written] == ["Summit Plumbing Inc."]


async def test_an_edited_unit_reaches_its_product(stocked):
    before = stamps(stocked, "inv_mast")
    stocked.p21.change("item_uom", {"item_uom_uid": 2}, unit_size="24")
    written = await written_by(stocked, "product<item_uom")
    assert [(record["sku"], record["writes"]) for record in written] == [(product(stocked, 1)["sku"], 2)]
    assert 24 in [unit["conversion"] for unit in written[0]["units"]]
    assert stamps(stocked, "inv_mast") == before


def product(engine, uid: int) -> dict:
    (item,) = engine.p21.rows("inv_mast", {"inv_mast_uid": uid})
    return next(record for record in engine.hub.records("product") if record["sku"] == item["item_id"])


async def test_a_renamed_item_reaches_all_of_its_stock(stocked):
    places = stocked.p21.count("inv_loc", {"inv_mast_uid": 1})
    before = stamps(stocked, "inv_loc")
    stocked.p21.change("inv_mast", {"inv_mast_uid": 1}, item_id="RENAMED-1")
    await stocked.poll("product")
    await written_by(stocked, "product_inventory<inv_mast")
    found = [record for record in stocked.hub.records("inventory") if "RENAMED-1|" in str(record["external_ids"])]
    assert len(found) == places > 1
    assert stamps(stocked, "inv_loc") == before


async def test_a_deleted_item_reaches_its_stock_and_so_does_its_return(stocked):
    keys = [f"1|{row['location_id']}" for row in stocked.p21.rows("inv_loc", {"inv_mast_uid": 1})]
    stocked.p21.change("inv_mast", {"inv_mast_uid": 1}, delete_flag="Y")
    await written_by(stocked, "product_inventory<inv_mast")
    assert set(await stocked.store.read.skipped.by_keys("product_inventory", keys)) == set(keys)
    stocked.p21.change("inv_mast", {"inv_mast_uid": 1}, delete_flag="N")
    await written_by(stocked, "product_inventory<inv_mast")
    assert await stocked.store.read.skipped.by_keys("product_inventory", keys) == {}


# what a pass costs, and what it does not do


async def test_one_address_with_3000_contacts_is_one_pass_and_not_3000(settled):
    add_contacts(settled, 3_000, with_e_mail=5)
    move(settled, CUSTOMER, "Newtown")
    settled.served.p21.journal.clear()
    writes = settled.hub.writes
    passed = await watch(settled, "customer<address").run_window("poll")
    assert passed.parked == 3_002
    # the address, four pages of its contacts, and the proof that P21 pages by a text key
    assert len(settled.served.p21.requests) <= 10
    settled.served.p21.journal.clear()
    assert await settled.releases("customer").run_due()
    assert settled.hub.writes - writes == 2 + 5
    # 500 of them in one cycle: by some 40 keys their rows and their links, and their one address once
    assert len(settled.served.p21.requests) <= 30
    assert len(await due(settled, "customer")) == 3_002 - 500


async def test_a_touched_row_whose_content_is_the_same_costs_no_hub_call(settled):
    calls = len(settled.hub.requests)
    settled.p21.change("address", {"id": CUSTOMER}, last_maintained_by="somebody")
    await written_by(settled, "customer<address", "company<address")
    assert len(settled.hub.requests) == calls


async def test_a_parent_that_several_rows_lead_to_is_parked_once(settled):
    await watch(settled, "company<ship_to").run_window("poll")
    await settled.release_all()
    for row in settled.p21.rows("ship_to", {"customer_id": 200002}):
        key = {"company_id": row["company_id"], "ship_to_id": row["ship_to_id"]}
        settled.p21.change("ship_to", key, delivery_instructions="Ring twice")
    await watch(settled, "company<ship_to").run_window("poll")
    keys = await due(settled, "company")
    assert len(keys) == len(set(keys))
    assert "01|200002" in keys


async def test_a_parent_outside_the_filter_is_let_go_without_a_record(settled, make):
    narrow = make(entities={"customer": {"filter": "first_name eq 'Aisha'"}})
    settled.p21.change("contacts", {"id": "5001"}, stamp=False, first_name="Eve")
    move(settled, CUSTOMER, "Newtown")
    assert await written_by(narrow, "customer<address") == []
    assert await due(narrow, "customer") == []
    assert await narrow.store.read.skipped.by_keys("customer", ["5001"]) == {}


async def test_a_parent_that_waits_for_something_else_keeps_what_it_waits_for(settled):
    later = settled.clock.now() + timedelta(hours=1)
    row = WaitingRow(entity="customer", key="5001", due_at=later, attempts=3, first_failed_at=later, error="HTTP 500")
    async with settled.store.transaction() as tables:
        await tables.waiting.park([row], settled.clock.now())
    move(settled, CUSTOMER, "Newtown")
    assert numbers_of(await written_by(settled, "customer<address")) == {"5003"}
    kept = (await settled.waiting("customer", "5001"))["5001"]
    assert (kept.attempts, kept.error, kept.triggered_at is None) == (3, "HTTP 500", False)


async def test_two_hops_lead_to_the_parent(settled, make, registry):
    company = registry.entities["company"]
    ship_to, customer = company.related[1], company.triggers[0].hops[0]
    here = Related(table="ship_to", row=ship_to.row, key=ship_to.key, match={"ship_to_id": "id"})
    owner = Related(
        table="customer",
        row=customer.row,
        key=("customer_uid",),
        match={"customer_id": "customer_id", "company_id": "company_id"},
    )
    two_hops = replace(company, triggers=(Trigger(table="address", key=("id",), hops=(here, owner)),))
    changed = make(registry=Registry(entities={**registry.entities, "company": two_hops}, origin=registry.origin))
    move(settled, SHIP_TO, "Farville")
    written = await written_by(changed, "company<ship_to<address")
    assert [record["name"] for record in written] == ["Summit Plumbing Inc."]


async def test_a_ship_to_without_a_customer_leads_to_nobody(settled):
    await written_by(settled, "company<ship_to")
    settled.p21.change("ship_to", {"ship_to_id": SHIP_TO}, customer_id=None)
    before = await due(settled, "company")
    await watch(settled, "company<ship_to").run_window("poll")
    assert not [key for key in await due(settled, "company") if key.endswith("|")]
    assert before == []


# windows and watermarks of their own


async def test_each_trigger_has_a_watermark_of_its_own(engine):
    await engine.sweep("company")
    await watch(engine, "company<ship_to").run_window("sweep")
    assert await engine.watermark("company<ship_to") is not None
    assert await engine.watermark("company<address") is None
    assert await engine.watermark("company<ship_to<address") is None


async def test_a_first_sweep_reads_the_look_back_and_a_poll_the_overlap(settled):
    long_ago = settled.clock.now() - timedelta(days=2)
    move(settled, CUSTOMER, "Newtown")
    settled.p21.change("address", {"id": CUSTOMER}, date_last_modified=long_ago)
    trigger = watch(settled, "customer<address")
    assert numbers_of(await written_by(settled, "customer<address")) == set()
    await trigger.run_window("sweep")
    await settled.release_all()
    assert str(settled.hub.records("customer")).count("Newtown") == 2


async def test_the_watermark_does_not_pass_rows_whose_parents_are_not_parked(settled):
    before = await settled.watermark("customer<address")
    move(settled, CUSTOMER, "Newtown")
    settled.clock.advance(300)
    broken = settled.served.p21.faults.add(Fault(kind="status", status=503, path="*table/contacts"))
    with pytest.raises(Unavailable):
        await watch(settled, "customer<address").run_window("poll")
    assert await settled.watermark("customer<address") == before
    assert (await settled.store.read.checkpoints.open_window("customer<address", "poll")).reached == ""
    settled.served.p21.faults.remove(broken)
    assert numbers_of(await written_by(settled, "customer<address")) == {"5001", "5003"}
    assert await settled.watermark("customer<address") > before


async def broken_sweep(engine, *, pages: int) -> str:
    """Break the sweep of contacts' addresses after some pages; return the key reached."""
    broken = engine.served.p21.faults.add(Fault(kind="status", status=503, path="*table/address", after=pages))
    with pytest.raises(Unavailable):
        await watch(engine, "customer<address").run_window("sweep")
    engine.served.p21.faults.remove(broken)
    engine.served.p21.journal.clear()
    return (await engine.store.read.checkpoints.open_window("customer<address", "sweep")).reached.strip("[]")


def windows_of(engine, table: str) -> list[str]:
    return [query for query in engine.reads_of(table) if "date_last_modified ge" in query]


async def test_a_window_that_was_broken_in_the_middle_goes_on_from_its_key_reached(make):
    reached = await broken_sweep(make(prophet21={"page_rows": 2}), pages=10)
    after_restart = make(prophet21={"page_rows": 2})
    await watch(after_restart, "customer<address").run_window("sweep")
    queries = windows_of(after_restart, "address")
    assert reached
    assert f"id gt {reached})" in queries[0]
    assert all("id gt " in query for query in queries)
    assert set(await due(after_restart, "customer")) == {row["id"] for row in after_restart.p21.rows("contacts")}


async def test_a_changed_way_up_restarts_an_open_window_from_its_low(make, registry):
    assert await broken_sweep(make(prophet21={"page_rows": 2}), pages=10)
    customer = registry.entities["customer"]
    first, *others = customer.triggers
    other_way = replace(first, hops=(replace(first.hops[0], filter="first_name ne 'Nobody'"),))
    changed = replace(customer, triggers=(other_way, *others))
    entities = {**registry.entities, "customer": changed}
    anew = make(registry=Registry(entities=entities, origin=registry.origin), prophet21={"page_rows": 2})
    await watch(anew, "customer<address").run_window("sweep")
    assert "id gt" not in windows_of(anew, "address")[0]


# kills, holds and races


async def run_until(engine, condition) -> None:
    """Run the engine's own supervisor until the condition holds, then stop it."""
    supervisor = engine.assembly.supervisor
    with anyio.fail_after(DEADLINE_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            await engine.served.p21.journal.wait_until(condition)
            await supervisor.stop(5)


async def test_what_was_parked_before_a_kill_is_delivered_after_it(settled, make):
    move(settled, CUSTOMER, "Newtown")
    await watch(settled, "customer<address").run_window("poll")
    reborn = make(entities=ONLY_CUSTOMER)
    await run_until(reborn, lambda: "Newtown" in str(settled.hub.records("customer")))


async def test_a_running_engine_finds_an_edited_address_by_itself(settled, make):
    running = make(entities=ONLY_CUSTOMER)
    move(settled, CUSTOMER, "Newtown")
    await run_until(running, lambda: str(settled.hub.records("customer")).count("Newtown") == 2)


async def test_a_table_that_is_forbidden_holds_its_trigger_alone_and_status_says_so(settled, make):
    settled.served.p21.settings.forbidden_tables = {"customer"}
    engine = make(entities=ONLY_CUSTOMER)
    runner = engine.runner("customer")
    held = watch(engine, "customer<p21_view_contacts_x_links<customer")
    settled.p21.change("contacts", {"id": "5001"}, first_name="Jenny")
    move(settled, CUSTOMER, "Newtown")

    def both_done() -> bool:
        contacts = str(settled.hub.records("customer"))
        return held.hold.state is not None and "Jenny" in contacts and contacts.count("Newtown") == 2

    await run_until(engine, both_done)
    assert runner.gate.hold.state is None
    screen = Screen(
        engine.assembly.supervisor, engine.clock, started_at=engine.clock.now(), config_path=engine.store.path
    )
    warnings = (await screen.status([])).warnings
    assert any(held.name in warning and "customer" in warning for warning in warnings)


async def test_a_paused_entity_holds_its_triggers(settled, make):
    engine = make(entities={name: {"enabled": name in ("customer", "location")} for name in PARENTS_FIRST})
    engine.runner("customer").gate.pause("a test")
    async with settled.store.transaction() as tables:
        await tables.paused.pause("customer", "a test", settled.clock.now())
    settled.served.p21.journal.clear()
    await run_until(engine, lambda: len(engine.reads_of("location")) > 5)
    assert engine.reads_of("address") == []


async def test_a_drain_ends_a_pass_and_leaves_its_window_open(settled):
    runner = settled.runner("customer")
    runner.drain.request()
    with pytest.raises(Drained):
        await watch(settled, "customer<address").run_window("sweep")
    assert await settled.store.read.checkpoints.open_window("customer<address", "sweep") is not None


async def test_a_forbidden_hop_is_raised_and_an_optional_one_reads_as_empty(settled):
    settled.served.p21.settings.forbidden_tables = {"contacts", "contacts_x_links"}
    move(settled, CUSTOMER, "Newtown")
    settled.p21.change("customer", {"customer_id": CUSTOMER}, customer_name="Acme Pipes")
    with pytest.raises(Forbidden):
        await watch(settled, "customer<address").run_window("poll")
    passed = await watch(settled, "customer<p21_view_contacts_x_links<customer").run_window("poll")
    assert passed.parked == 0


async def test_an_address_that_is_edited_while_its_contacts_are_being_sent_is_not_lost(settled):
    move(settled, CUSTOMER, "First")
    await watch(settled, "customer<address").run_window("poll")
    settled.served.p21.journal.clear()
    async with anyio.create_task_group() as tasks, AsyncExitStack() as busy:
        for _ in range(settled.connection.slots.total):
            await busy.enter_async_context(settled.connection.slots.hold("poll"))
        tasks.start_soon(settled.releases("customer").run_due)
        await settled.served.p21.journal.wait_until(lambda: bool(settled.reads_of("address")))
        move(settled, CUSTOMER, "Second")
        await watch(settled, "customer<address").run_window("poll")
        await busy.aclose()
    await settled.release_all()
    contacts = str(settled.hub.records("customer"))
    assert contacts.count("Second") == 2
    assert "First" not in contacts
