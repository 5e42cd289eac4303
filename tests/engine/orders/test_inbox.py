"""The inbox over the sandbox hub: what becomes an intent, what is left alone, and what neither costs."""

from __future__ import annotations

import pytest

from p21d.engine.orders.guards import KNOWN_LINK, OUR_NUMBER, OWNED
from p21d.engine.orders.inbox import READS_PER_PASS
from p21d.engine.orders.ledger import DISMISSED, HELD, PREPARED, REFUSED, SENDING, UNKNOWN, WRITER
from p21d.engine.orders.our_own import REPAIRED
from p21d.sandbox.faults import Fault
from p21d.store.delivered import DeliveredRecord
from p21d.store.intent import Sent
from p21d.store.link import StoredLink
from tests.engine.orders.taking_in import (
    OLD,
    ON,
    OUR_SYSTEM,
    desk_of,
    intents,
    left_alone,
    links,
    place,
    read_all,
    reads,
)


@pytest.fixture
async def engine(make):
    return make(orders=ON)


def p21_orders(engine, count):
    rows = engine.p21.connection.execute("SELECT order_no FROM oe_hdr WHERE projected_order = 'N' LIMIT ?", (count,))
    return [str(row[0]) for row in rows]


async def move(engine, hub_id, after, **changes):
    intent = (await intents(engine))[hub_id]
    return await desk_of(engine).context.ledger.move(intent, after, by=WRITER, **changes)


async def remember(engine, linked, delivered):
    """Let the store know links of ours, by number, and rows of P21 that were delivered although no link is known."""
    table = engine.connection.sink.link_table(engine.plan("transaction").entity.route)
    async with engine.store.transaction() as tables:
        stored = [StoredLink(table, number, hub_id, "transaction", number) for number, hub_id in linked.items()]
        await tables.links.record(stored)
        now = engine.clock.now()
        records = [DeliveredRecord(number, number, None, active=True, read_at=now) for number in delivered]
        await tables.delivered.acknowledge("transaction", records, now)


async def test_a_new_order_becomes_an_intent_once_however_often_it_is_met(engine):
    hub_id = place(engine.hub, "WEB-1")
    assert await read_all(engine) == [hub_id]
    before = reads(engine.hub)
    assert await read_all(engine) == []
    assert reads(engine.hub) == before
    assert {hub_id: intent.state for hub_id, intent in (await intents(engine)).items()} == {hub_id: PREPARED}


async def test_a_thousand_old_orders_and_fifty_of_ours_make_no_intent_and_are_read_once(engine):
    for number in range(1000):
        place(engine.hub, f"OLD-{number}", created_datetime=OLD)
    in_p21 = p21_orders(engine, 3)
    known, delivered = [f"10000{n}" for n in range(40)], [f"20000{n}" for n in range(7)]
    ours = {place(engine.hub, number, system_id=OUR_SYSTEM): number for number in (*known, *delivered, *in_p21)}
    await remember(engine, {number: hub_id for hub_id, number in ours.items() if number in known}, delivered)
    new = place(engine.hub, "WEB-1")

    assert await read_all(engine) == [new]
    assert set(await intents(engine)) == {new}
    assert links(engine.hub) == ours
    assert await left_alone(engine) == {
        "it was created before (orders.not_before: 2026-01-01)": 1000,
        f"{KNOWN_LINK}{REPAIRED}": 40,
        f"{OWNED}{REPAIRED}": 10,
    }
    before = reads(engine.hub)
    assert before == 1011
    assert await read_all(engine) == []
    assert reads(engine.hub) == before


async def test_a_pass_reads_so_much_and_the_next_one_goes_on(engine):
    for number in range(READS_PER_PASS + 20):
        place(engine.hub, f"OLD-{number}", created_datetime=OLD)
    first = await desk_of(engine).sync()
    assert reads(engine.hub) == READS_PER_PASS
    assert "read on" in first.note
    await desk_of(engine).sync()
    assert reads(engine.hub) == READS_PER_PASS + 20


async def test_what_nothing_proves_to_be_a_row_of_p21_is_neither_linked_nor_written(engine):
    stranger = place(engine.hub, "MADE-BY-HAND", system_id=OUR_SYSTEM)
    assert await read_all(engine) == []
    assert links(engine.hub) == {}
    assert await left_alone(engine) == {OWNED: 1}
    result = await desk_of(engine).sync([stranger], "ann")
    assert result.left_alone == {stranger: OWNED}
    assert await intents(engine) == {}


async def test_an_external_id_that_another_record_has_is_not_given_away(engine):
    (number,) = p21_orders(engine, 1)
    first = place(engine.hub, number, system_id=OUR_SYSTEM)
    await read_all(engine)
    engine.hub.settings.check_unique = False
    place(engine.hub, number, system_id=OUR_SYSTEM)
    await read_all(engine)
    assert links(engine.hub) == {first: number}
    assert (await left_alone(engine))[OWNED] == 1


async def test_an_order_whose_number_is_one_of_ours_waits_for_a_person(engine):
    hub_id = place(engine.hub, "1400215")
    async with engine.store.transaction() as tables:
        now = engine.clock.now()
        record = DeliveredRecord("1400215", "1400215", b"", active=True, read_at=now)
        await tables.delivered.acknowledge("invoice", [record], now)
    assert await read_all(engine) == []
    assert await left_alone(engine) == {OUR_NUMBER: 1}

    assert (await desk_of(engine).sync([hub_id], "ann")).prepared == [hub_id]
    assert (await intents(engine))[hub_id].forced
    assert await left_alone(engine) == {}


async def test_a_status_is_looked_at_again_after_a_while_and_an_age_is_not(engine, clock):
    held = place(engine.hub, "WEB-1", status="Backorder")
    place(engine.hub, "WEB-2", created_datetime=OLD)
    await read_all(engine)
    engine.hub.change("transaction", int(held), status="Pending")
    assert await read_all(engine) == []
    clock.advance(16 * 60)
    before = reads(engine.hub)
    assert await read_all(engine) == [held]
    assert reads(engine.hub) == before + 1
    assert sum((await left_alone(engine)).values()) == 2  # counted until it is read as something else


async def test_other_settings_take_up_what_the_old_ones_kept_out(engine, make):
    old = place(engine.hub, "WEB-1", created_datetime=OLD)
    quote = place(engine.hub, "WEB-2", type="Quote")
    await read_all(engine)
    other = make(orders={**ON, "not_before": "2025-01-01"})
    assert await read_all(other) == [old]
    assert quote not in await intents(other)
    assert await left_alone(other) == {"its type is Quote (orders.types: Order)": 1}


@pytest.mark.parametrize("state", [HELD, REFUSED])
async def test_an_edit_in_the_hub_sends_a_held_or_refused_order_on_its_way_again(engine, clock, state):
    hub_id = place(engine.hub, "WEB-1")
    await read_all(engine)
    if state == REFUSED:
        sent = (Sent(field="po_no", text=f"HUB-{hub_id}", customer_id=1, outcome="refused"),)
        await move(engine, hub_id, SENDING, sent=sent)
    await move(engine, hub_id, state, reason="P21 has no item X")
    clock.advance(16 * 60)
    await read_all(engine)
    assert (await intents(engine))[hub_id].state == state

    engine.hub.change("transaction", int(hub_id), email_address="new@acme.example")
    before = reads(engine.hub)
    await read_all(engine)
    assert reads(engine.hub) == before  # at most every quarter of an hour
    clock.advance(16 * 60)
    await read_all(engine)
    intent = (await intents(engine))[hub_id]
    assert (intent.state, intent.reason) == (PREPARED, "")
    assert (await desk_of(engine).show(hub_id))[1][-1].by == "inbox"


async def test_an_edit_decides_nothing_where_p21_may_have_the_order_already(engine, clock):
    hub_id = place(engine.hub, "WEB-1")
    await read_all(engine)
    sent = (Sent(field="po_no", text=f"HUB-{hub_id}", customer_id=1),)
    await move(engine, hub_id, SENDING, sent=sent)
    await move(engine, hub_id, UNKNOWN)
    await move(engine, hub_id, HELD, reason="a candidate")
    engine.hub.change("transaction", int(hub_id), email_address="new@acme.example")
    clock.advance(16 * 60)
    await read_all(engine)
    assert (await intents(engine))[hub_id].state == HELD


async def test_an_outage_keeps_what_was_read_before_it(engine):
    for number in range(6):
        place(engine.hub, f"OLD-{number}", created_datetime=OLD)
    engine.hub.faults.add(Fault(kind="status", path="*/v2/Transaction/*", status=503, after=3))
    with pytest.raises(Exception, match="503"):
        await desk_of(engine).sync()
    assert sum((await left_alone(engine)).values()) == 3
    engine.hub.faults.clear()
    before = reads(engine.hub)
    await read_all(engine)
    assert reads(engine.hub) == before + 3


async def test_a_person_sends_what_the_settings_keep_out_by_its_number_too(engine):
    hub_id = place(engine.hub, "WEB-17", created_datetime=OLD)
    await read_all(engine)
    assert (await desk_of(engine).sync(["WEB-17"], "ann")).prepared == ["WEB-17"]
    intent, history = await desk_of(engine).show("WEB-17")
    assert (intent.hub_id, intent.state, intent.forced) == (hub_id, PREPARED, True)
    assert [event.by for event in history] == ["person ann"]


async def test_a_dismissed_order_stays_so_until_a_person_asks_for_it(engine):
    hub_id = place(engine.hub, "WEB-1")
    await read_all(engine)
    await desk_of(engine).dismiss("WEB-1", "double", "ann")
    assert await read_all(engine) == []
    assert (await intents(engine))[hub_id].state == DISMISSED
    await desk_of(engine).sync([hub_id], "bob")
    assert (await intents(engine))[hub_id].state == PREPARED
