"""What a person can do with an order, over both sandboxes: each step is checked, and kept with who did it."""

from __future__ import annotations

import msgspec
import pytest

from p21d.engine.orders.adoption import OrderRefused
from p21d.engine.orders.ledger import (
    CREATED,
    DISMISSED,
    HELD,
    LINKED,
    PREPARED,
    REFUSED,
    SENDING,
    UNKNOWN,
    WRITER,
    MoveRefused,
)
from p21d.engine.orders.writer import OrderWriter
from p21d.store.intent import Sent
from p21d.store.link import StoredLink
from tests.engine.orders.taking_in import ON, OUR_SYSTEM, desk_of, intents, links, place, read_all


@pytest.fixture
async def engine(make):
    return make(orders=ON)


@pytest.fixture
async def hub_id(engine):
    found = place(engine.hub, "WEB-1")
    await read_all(engine)
    return found


async def move(engine, hub_id, *states, **changes):
    for state in states:
        intent = (await intents(engine))[hub_id]
        await desk_of(engine).context.ledger.move(intent, state, by=WRITER, **changes)


def p21_order(engine, place=0):
    sql = "SELECT order_no, customer_id FROM oe_hdr WHERE coalesce(delete_flag, 'N') <> 'Y' ORDER BY order_no"
    order_no, customer_id = list(engine.p21.connection.execute(sql))[place]
    return str(order_no), int(customer_id)


async def state_of(engine, hub_id):
    intent, history = await desk_of(engine).show(hub_id)
    return intent.state, intent.order_no, history[-1].by


async def test_a_person_finds_an_order_by_id_by_number_and_by_p21s_number(engine, hub_id):
    desk = desk_of(engine)
    await move(engine, hub_id, SENDING)
    await move(engine, hub_id, CREATED, order_no="1400215")
    for text in (hub_id, "WEB-1", " 1400215 "):
        assert (await desk.show(text))[0].hub_id == hub_id
    with pytest.raises(OrderRefused, match="'nothing'"):
        await desk.show("nothing")


async def test_a_number_that_two_orders_have_is_refused_with_their_ids(engine, hub_id):
    engine.hub.settings.check_unique = False
    other = place(engine.hub, "WEB-1")
    await read_all(engine)
    with pytest.raises(OrderRefused) as refused:
        await desk_of(engine).retry("WEB-1", "ann")
    assert hub_id in refused.value.hint
    assert other in refused.value.hint


async def test_a_held_or_refused_order_is_retried_with_the_name_of_who_said_so(engine, hub_id):
    desk = desk_of(engine)
    await move(engine, hub_id, HELD, reason="P21 has no item X", due_at=None)
    await desk.retry("WEB-1", "ann")
    assert await state_of(engine, hub_id) == (PREPARED, "", "person ann")
    intent = (await intents(engine))[hub_id]
    assert intent.due_at is not None
    assert intent.reason == ""


async def test_an_order_that_p21_has_is_linked_again_by_a_retry_never_sent_again(engine, hub_id):
    await move(engine, hub_id, SENDING)
    await move(engine, hub_id, CREATED, HELD, order_no="1400215")
    await desk_of(engine).retry(hub_id, "ann")
    assert await state_of(engine, hub_id) == (CREATED, "1400215", "person ann")


@pytest.mark.parametrize("state", [UNKNOWN, LINKED])
async def test_an_order_that_goes_on_by_itself_or_is_done_is_not_retried(engine, hub_id, state):
    await move(engine, hub_id, SENDING)
    await move(engine, hub_id, *([UNKNOWN] if state == UNKNOWN else [CREATED, LINKED]))
    with pytest.raises(MoveRefused):
        await desk_of(engine).retry(hub_id, "ann")
    result = await desk_of(engine).sync([hub_id], "ann")
    assert hub_id in result.left_alone
    assert (await intents(engine))[hub_id].state == state


async def test_an_order_of_p21_is_adopted_for_an_order_whose_outcome_nobody_knows(engine, hub_id):
    order_no, customer_id = p21_order(engine)
    mapped = msgspec.json.encode({"customer_id": customer_id})
    await move(engine, hub_id, SENDING, order=mapped)
    await move(engine, hub_id, UNKNOWN)
    await desk_of(engine).adopt("WEB-1", f" {order_no} ", "ann")
    assert await state_of(engine, hub_id) == (CREATED, order_no, "person ann")


async def test_no_order_is_adopted_that_p21_does_not_have_or_another_customer_has(engine, hub_id):
    order_no, customer_id = p21_order(engine)
    mapped = msgspec.json.encode({"customer_id": customer_id + 1})
    await move(engine, hub_id, SENDING, order=mapped)
    await move(engine, hub_id, REFUSED)
    with pytest.raises(OrderRefused, match="P21 has no order 9999999"):
        await desk_of(engine).adopt(hub_id, "9999999", "ann")
    with pytest.raises(OrderRefused, match=f"customer {customer_id}'s"):
        await desk_of(engine).adopt(hub_id, order_no, "ann")
    assert (await intents(engine))[hub_id].state == REFUSED


async def test_no_order_is_adopted_that_another_record_of_the_hub_is(engine, hub_id):
    desk, route = desk_of(engine), engine.plan("transaction").entity.route
    order_no, _ = p21_order(engine)
    await move(engine, hub_id, HELD)
    other = place(engine.hub, "WEB-2")

    await engine.connection.sink.inbox.link(route, order_no, other)  # as the hub alone knows
    with pytest.raises(OrderRefused, match=f"belongs to record {other}"):
        await desk.adopt(hub_id, order_no, "ann")

    in_store, _ = p21_order(engine, 1)
    table = engine.connection.sink.link_table(route)
    async with engine.store.transaction() as tables:
        await tables.links.record([StoredLink(table, in_store, other, "transaction", in_store)])
    with pytest.raises(OrderRefused, match=f"belongs to record {other}"):
        await desk.adopt(hub_id, in_store, "ann")

    by_intent, _ = p21_order(engine, 2)
    third = place(engine.hub, "WEB-3")
    await read_all(engine)
    await move(engine, third, SENDING)
    await move(engine, third, CREATED, order_no=by_intent)
    with pytest.raises(OrderRefused, match="belongs to record WEB-3"):
        await desk.adopt(hub_id, by_intent, "ann")
    assert (await intents(engine))[hub_id].state == HELD


async def test_an_order_of_a_dismissed_intent_may_be_adopted_for_the_right_one(engine, hub_id):
    order_no, _ = p21_order(engine)
    wrong = place(engine.hub, "WEB-2")
    await read_all(engine)
    await move(engine, wrong, SENDING)
    await move(engine, wrong, CREATED, HELD, order_no=order_no)
    await desk_of(engine).dismiss(wrong, "the other one's", "ann")
    await move(engine, hub_id, HELD)
    await desk_of(engine).adopt(hub_id, order_no, "ann")
    assert (await engine.store.read.intents.by_order_nos([order_no]))[order_no].hub_id == hub_id


async def test_a_prepared_order_that_p21_has_under_another_name_is_adopted(engine, hub_id):
    order_no, _ = p21_order(engine)
    await desk_of(engine).adopt(hub_id, order_no, "ann")
    assert await state_of(engine, hub_id) == (CREATED, order_no, "person ann")


async def test_an_order_that_was_typed_in_by_hand_is_adopted_in_one_step(engine):
    hub_id = place(engine.hub, "WEB-9", status="Shipped")
    await read_all(engine)
    assert await engine.store.read.inbox.is_left_alone(hub_id)
    order_no, _ = p21_order(engine)
    await desk_of(engine).adopt("WEB-9", order_no, "ann")
    intent, history = await desk_of(engine).show(hub_id)
    assert (intent.state, intent.order_no, intent.forced) == (CREATED, order_no, True)
    assert [(event.before, event.after, event.by) for event in history] == [("new", CREATED, "person ann")]
    assert not await engine.store.read.inbox.is_left_alone(hub_id)


async def test_an_adopted_order_that_was_left_alone_is_linked(engine):
    hub_id = place(engine.hub, "WEB-9", status="Shipped")
    await read_all(engine)
    order_no, _ = p21_order(engine)
    await desk_of(engine).adopt(hub_id, order_no, "ann")
    assert await OrderWriter(desk_of(engine).context).follow_next()
    assert links(engine.hub)[hub_id] == order_no
    assert await state_of(engine, hub_id) == (LINKED, order_no, "writer")


async def test_a_refused_adoption_leaves_alone_what_was_left_alone(engine):
    hub_id = place(engine.hub, "WEB-9", status="Shipped")
    await read_all(engine)
    with pytest.raises(OrderRefused, match="P21 has no order 9999999"):
        await desk_of(engine).adopt(hub_id, "9999999", "ann")
    with pytest.raises(OrderRefused, match="'4711'"):
        await desk_of(engine).adopt("4711", p21_order(engine)[0], "ann")
    assert hub_id not in await intents(engine)
    assert await engine.store.read.inbox.is_left_alone(hub_id)


async def test_a_record_that_came_from_p21_is_not_adopted(engine):
    hub_id = place(engine.hub, "1400001", system_id=OUR_SYSTEM)
    with pytest.raises(OrderRefused, match="ours"):
        await desk_of(engine).adopt(hub_id, p21_order(engine)[0], "ann")


async def test_a_dismissed_order_that_p21_has_after_all_is_adopted(engine, hub_id):
    order_no, _ = p21_order(engine)
    await desk_of(engine).dismiss(hub_id, "placed twice", "ann")
    await desk_of(engine).adopt(hub_id, order_no, "ann")
    assert await state_of(engine, hub_id) == (CREATED, order_no, "person ann")


async def test_a_dismissal_keeps_its_reason(engine, hub_id):
    await desk_of(engine).dismiss(hub_id, "placed twice", "ann")
    intent, history = await desk_of(engine).show(hub_id)
    assert (intent.state, intent.reason, intent.due_at) == (DISMISSED, "placed twice", None)
    assert history[-1].note == "placed twice"


async def test_differences_are_acknowledged_once(engine, hub_id):
    desk = desk_of(engine)
    await move(engine, hub_id, SENDING)
    await move(engine, hub_id, CREATED)
    await move(engine, hub_id, LINKED, differences=("line 2 is not in P21",))
    await desk.acknowledge(hub_id, "ann")
    assert await engine.store.read.intents.unacknowledged() == []
    assert await state_of(engine, hub_id) == (LINKED, "", "person ann")
    with pytest.raises(OrderRefused, match="no difference"):
        await desk.acknowledge(hub_id, "ann")


async def test_a_prepared_order_that_waits_for_its_turn_goes_now_when_a_person_says_so(engine, hub_id, clock):
    intent = (await intents(engine))[hub_id]
    later = desk_of(engine).context.in_seconds(3600)
    await desk_of(engine).context.ledger.amend(intent, by=WRITER, due_at=later)
    await desk_of(engine).sync([hub_id], "ann")
    due_at = (await intents(engine))[hub_id].due_at
    assert due_at is not None
    assert due_at <= clock.now()


async def test_an_unknown_id_is_named_with_why(engine):
    result = await desk_of(engine).sync(["99999999"], "ann")
    assert list(result.left_alone) == ["99999999"]
    assert not result.prepared


async def test_every_attempt_stays_known(engine, hub_id):
    sent = (Sent(field="po_no", text="HUB-1", customer_id=7),)
    await move(engine, hub_id, SENDING, sent=sent)
    await move(engine, hub_id, REFUSED)
    await desk_of(engine).retry(hub_id, "ann")
    assert (await intents(engine))[hub_id].sent == sent
