"""What a poll does with rows of P21 that are hub orders on their way, over both sandboxes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from p21d.engine.orders.ledger import CREATED, HELD, LINKED, PREPARED, REFUSED, SENDING, UNKNOWN, WRITER
from p21d.engine.orders.matching import PARENT, matched
from p21d.engine.orders.reference import reference_of
from p21d.order import OrderMark
from p21d.store.intent import Intent, Sent
from p21d.store.link import StoredLink
from tests.engine.orders.taking_in import OFF, ON, desk_of, intents, links, place, read_all

TAKER = "P21D"


@pytest.fixture
async def engine(make):
    made = make(orders=ON, entities={"transaction": {"poll_search_days": 3650}})
    await made.sweep_all("location", "company", "customer", "product")
    return made


@pytest.fixture
async def hub_id(engine):
    """An order of the web shop, taken in."""
    found = place(engine.hub, "WEB-1")
    await read_all(engine)
    return found


def order_row(engine):
    """Return an order of P21 that is no quote, as a row."""
    sql = "SELECT * FROM oe_hdr WHERE coalesce(projected_order, 'N') <> 'Y' AND coalesce(rma_flag, 'N') <> 'Y'"
    engine.p21.connection.row_factory, before = __import__("sqlite3").Row, engine.p21.connection.row_factory
    row = dict(engine.p21.connection.execute(f"{sql} AND coalesce(delete_flag, 'N') <> 'Y' LIMIT 1").fetchone())
    engine.p21.connection.row_factory = before
    return row


def rewrite(engine, row, **values):
    engine.p21.change("oe_hdr", {"oe_hdr_uid": row["oe_hdr_uid"]}, **values)


async def send(engine, hub_id, row, text=None, **changes):
    """Bring the intent to `sending`, as the writer does before it asks P21."""
    text = text if text is not None else f"PO7 {reference_of(hub_id)}"
    mapped = msgspec.json.encode({"taker": TAKER, "customer_id": row["customer_id"]})
    sent = (Sent(field="po_no", text=text, customer_id=int(row["customer_id"])),)
    return await move(engine, hub_id, SENDING, sent=sent, reference=text, order=mapped, **changes)


async def move(engine, hub_id, after, **changes) -> Intent:
    intent = (await intents(engine))[hub_id]
    return await desk_of(engine).context.ledger.move(intent, after, by=WRITER, **changes)


async def link(engine, hub_id, order_no):
    """Do what the writer does at the end: link in the hub and here, and keep `linked`."""
    route = engine.plan("transaction").entity.route
    await engine.connection.sink.inbox.link(route, order_no, hub_id)
    stored = StoredLink(engine.connection.sink.link_table(route), order_no, hub_id, "transaction", order_no)

    async def also(tables: Any) -> None:
        await tables.links.record([stored])

    return await move(engine, hub_id, LINKED, also=also)


async def sweep(engine, row):
    """Sweep, and return where the row waits, if it does."""
    await engine.sweep("transaction")
    return (await engine.waiting("transaction", row["order_no"])).get(row["order_no"])


def in_hub(engine, order_no):
    return [r for r in engine.hub.records("transaction") if r["transaction_number"] == order_no]


async def test_a_row_that_is_no_hub_order_goes_its_way(engine, hub_id):
    row = order_row(engine)
    assert await sweep(engine, row) is None
    assert len(in_hub(engine, row["order_no"])) == 1


@pytest.mark.parametrize("state", [SENDING, UNKNOWN, PREPARED, CREATED, HELD])
async def test_a_poll_parks_the_order_of_an_intent_that_is_not_linked_yet(engine, hub_id, state):
    row = order_row(engine)
    rewrite(engine, row, po_no=f"  PO7 {reference_of(hub_id)} ")
    await send(engine, hub_id, row)
    if state == CREATED:
        await move(engine, hub_id, CREATED, order_no=row["order_no"])
    elif state == PREPARED:
        await move(engine, hub_id, PREPARED)
    elif state in (UNKNOWN, HELD):
        await move(engine, hub_id, UNKNOWN)
        if state == HELD:
            await move(engine, hub_id, HELD)
    waits = await sweep(engine, row)
    assert waits is not None
    assert (waits.parent_entity, waits.parent_key, waits.due_at) == (PARENT, hub_id, None)
    assert in_hub(engine, row["order_no"]) == []


async def test_a_row_is_known_by_its_number_whatever_sales_made_of_its_texts(engine, hub_id):
    row = order_row(engine)
    rewrite(engine, row, po_no="corrected", taker="SALES")
    await send(engine, hub_id, row)
    await move(engine, hub_id, CREATED, order_no=row["order_no"])
    assert await sweep(engine, row) is not None


async def test_a_row_of_our_taker_and_customer_waits_while_an_attempt_is_not_cleared_up(engine, hub_id):
    row = order_row(engine)
    rewrite(engine, row, po_no="corrected", taker=TAKER)
    await send(engine, hub_id, row)
    assert await sweep(engine, row) is not None
    await move(engine, hub_id, REFUSED)
    assert await engine.releases("transaction").run_due()
    assert len(in_hub(engine, row["order_no"])) == 1


async def test_the_order_waits_through_all_states_and_is_brought_up_to_date_once_linked(engine, hub_id):
    row = order_row(engine)
    rewrite(engine, row, po_no=f"PO7 {reference_of(hub_id)}")
    await send(engine, hub_id, row)
    assert await sweep(engine, row) is not None
    await move(engine, hub_id, UNKNOWN)
    assert not await engine.releases("transaction").run_due()
    await move(engine, hub_id, CREATED, order_no=row["order_no"])
    assert not await engine.releases("transaction").run_due()
    before = in_hub(engine, "WEB-1")[0]
    await link(engine, hub_id, row["order_no"])

    assert await engine.releases("transaction").run_due()
    assert await engine.waiting("transaction", row["order_no"]) == {}
    assert in_hub(engine, row["order_no"]) == []
    (after,) = in_hub(engine, "WEB-1")
    assert str(after["id"]) == hub_id
    assert links(engine.hub) | {hub_id: row["order_no"]} == links(engine.hub)
    kept = ("email_address", "created_datetime", "system_id", "type", "lines", "addresses", "total")
    assert {name: after.get(name) for name in kept} == {name: before.get(name) for name in kept}
    writes = engine.hub.writes
    await engine.sweep("transaction")
    assert engine.hub.writes == writes


async def test_a_dismissed_order_that_p21_has_all_the_same_is_a_record_of_p21(engine, hub_id):
    row = order_row(engine)
    rewrite(engine, row, po_no=f"PO7 {reference_of(hub_id)}")
    await send(engine, hub_id, row)
    await move(engine, hub_id, UNKNOWN)
    assert await sweep(engine, row) is not None
    await desk_of(engine).dismiss(hub_id, "entered by hand", "ann")
    assert await engine.releases("transaction").run_due()
    assert len(in_hub(engine, row["order_no"])) == 1


async def test_a_row_that_was_parked_as_its_intent_ended_is_released_all_the_same(engine, hub_id):
    row = order_row(engine)
    rewrite(engine, row, po_no=f"PO7 {reference_of(hub_id)}")
    await send(engine, hub_id, row)
    await sweep(engine, row)
    await move(engine, hub_id, REFUSED)
    async with engine.store.transaction() as tables:  # whoever parked it had read the intent before that
        assert await tables.waiting.parents_of("transaction", PARENT) == [hub_id]
    assert await engine.releases("transaction").run_due()
    assert len(in_hub(engine, row["order_no"])) == 1


async def test_max_wait_gives_up_no_row_that_waits_for_a_hub_order(engine, hub_id, make):
    from p21d.engine.waiting_time import WaitingTime

    row = order_row(engine)
    rewrite(engine, row, po_no=f"PO7 {reference_of(hub_id)}")
    await send(engine, hub_id, row)
    await sweep(engine, row)
    time = WaitingTime(engine.connection, lambda _name: True)
    for _ in range(3):
        await time.tick(86_400.0)
    assert await engine.letters("transaction") == {}
    assert await engine.waiting("transaction", row["order_no"])


async def test_with_orders_off_the_match_still_holds(engine, hub_id, make):
    row = order_row(engine)
    rewrite(engine, row, po_no=f"PO7 {reference_of(hub_id)}")
    await send(engine, hub_id, row)
    off = make(orders=OFF, entities={"transaction": {"poll_search_days": 3650}})
    assert off.assembly.supervisor.orders is None
    assert await sweep(off, row) is not None


@pytest.mark.parametrize("taken_in", [False, True], ids=["no intent", "only prepared"])
async def test_a_store_that_did_not_send_the_order_asks_the_hub_whose_it_is(engine, clock, taken_in):
    """P21 has an order with our reference that a store before ours, or another p21d, has sent."""
    row = order_row(engine)
    hub_id = place(engine.hub, "WEB-1")
    if taken_in:
        await read_all(engine)
    rewrite(engine, row, po_no=f"PO7 {reference_of(hub_id)}")
    waits = await sweep(engine, row)
    assert waits is not None
    assert waits.due_at is not None
    assert in_hub(engine, row["order_no"]) == []

    route = engine.plan("transaction").entity.route
    await engine.connection.sink.inbox.link(route, row["order_no"], hub_id)
    before = in_hub(engine, "WEB-1")[0]
    clock.advance(16 * 60)
    assert await engine.releases("transaction").run_due()
    assert in_hub(engine, row["order_no"]) == []
    (after,) = in_hub(engine, "WEB-1")
    assert {**after, "status": "", "writes": 0, "updated_datetime": ""} == {
        **before,
        "status": "",
        "writes": 0,
        "updated_datetime": "",
    }


async def test_a_text_that_only_looks_like_a_reference_holds_nothing_up(engine):
    row = order_row(engine)
    rewrite(engine, row, po_no="HUB-999999")
    assert await sweep(engine, row) is None
    assert len(in_hub(engine, row["order_no"])) == 1


async def test_an_order_that_is_deleted_in_p21_becomes_cancelled_in_the_hub_and_nothing_else(engine, hub_id):
    row = order_row(engine)
    await send(engine, hub_id, row)
    await move(engine, hub_id, CREATED, order_no=row["order_no"])
    await link(engine, hub_id, row["order_no"])
    before = in_hub(engine, "WEB-1")[0]
    rewrite(engine, row, delete_flag="Y")
    await engine.sweep("transaction")
    (after,) = in_hub(engine, "WEB-1")
    assert (before["status"], after["status"], after["active"]) == ("Pending", "Cancelled", True)
    assert after["email_address"] == before["email_address"]
    assert await engine.letters("transaction") == {}


def mark(**values: Any) -> OrderMark:
    return OrderMark(**{"order_no": "1400215", "customer_id": 7, "taker": "SALES", **values})


def intent(clock, **values: Any) -> Intent:
    now = clock.now()
    base: dict[str, Any] = {"hub_id": "1", "state": SENDING, "created_at": now, "changed_at": now}
    sent = (Sent(field="job_name", text="J 5", customer_id=7),)
    return Intent(**{**base, "sent": sent, "order": b'{"taker": "P21D"}', **values})


def test_every_text_ever_sent_counts_in_its_own_field_only(clock):
    twice = (
        Sent(field="po_no", text="old", customer_id=7, outcome="absent"),
        Sent(field="job_name", text="J 5", customer_id=7),
    )
    assert matched(mark(po_no="old"), [intent(clock, sent=twice)]) == "1"
    assert matched(mark(job_name=" J 5 "), [intent(clock, sent=twice)]) == "1"
    assert matched(mark(po_no="J 5"), [intent(clock)]) == ""
    assert matched(mark(job_name="J 55"), [intent(clock)]) == ""


def test_a_candidate_needs_customer_taker_and_an_attempt_that_is_open(clock):
    assert matched(mark(taker=" p21d "), [intent(clock)]) == "1"
    assert matched(mark(taker="P21D", customer_id=8), [intent(clock)]) == ""
    assert matched(mark(), [intent(clock)]) == ""
    done = (Sent(field="po_no", text="x", customer_id=7, outcome="absent"),)
    assert matched(mark(taker="P21D"), [intent(clock, sent=done)]) == ""
    assert matched(mark(taker="P21D"), [intent(clock, order_no="1400216", state=CREATED)]) == ""
    assert matched(mark(taker=""), [intent(clock, order=b"")]) == ""


def test_a_number_goes_before_a_text_and_a_text_before_a_candidate(clock):
    by_candidate = intent(clock, hub_id="candidate")
    by_text = intent(clock, hub_id="text", sent=(Sent(field="po_no", text="X", customer_id=9),))
    by_number = intent(clock, hub_id="number", order_no="1400215", state=CREATED, sent=())
    row = mark(taker="P21D", po_no="X")
    assert matched(row, [by_candidate, by_text, by_number]) == "number"
    assert matched(row, [by_candidate, by_text]) == "text"
    assert matched(row, [by_candidate]) == "candidate"


async def test_an_order_that_was_linked_in_another_p21_is_known_here_by_the_hubs_link(engine, hub_id):
    row = order_row(engine)
    rewrite(engine, row, po_no=reference_of(hub_id))
    await send(engine, hub_id, row)
    await move(engine, hub_id, CREATED, order_no=row["order_no"])
    await link(engine, hub_id, row["order_no"])
    async with engine.store.transaction() as tables:
        await tables.binding.forget_all("p21d rebind --drop-links", engine.clock.now(), other_p21=True)
    assert await sweep(engine, row) is None
    assert in_hub(engine, row["order_no"]) == []
    table = engine.connection.sink.link_table(engine.plan("transaction").entity.route)
    found = await engine.store.read.links.by_hub_id(table, [hub_id])
    assert (found[hub_id].external_id, found[hub_id].born) == (row["order_no"], True)
