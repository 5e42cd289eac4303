"""One order, one write: looked up first, kept before it is sent, and never sent again while P21 may have it."""

from __future__ import annotations

import pytest

from p21d.engine.orders.context import SendingStopped
from p21d.errors import Forbidden, Unauthorized
from p21d.store.intent import Sent
from tests.engine.orders.doubles import CUSTOMER, OrderWorld, hub_down, hub_order, p21_down

NO_PERMISSION = Forbidden("may not write orders", system="Prophet 21", resource="Order", hint="grant Order Entry")


async def test_an_order_is_looked_up_before_it_is_sent_the_first_time_too(orders):
    await orders.place("1")
    await orders.write()
    assert orders.desk.calls == ["check", "parties", "by_reference PO1 HUB-1", "candidates"]
    assert len(orders.desk.writes) == 1


async def test_what_is_sent_is_kept_before_p21_is_asked(orders):
    kept = []

    async def write(body):
        kept.append(await orders.intent("1"))
        return await type(orders.desk).write(orders.desk, body)

    orders.desk.write = write
    await orders.place("1")
    await orders.write()
    assert (kept[0].state, kept[0].reference, kept[0].attempts) == ("sending", "PO1 HUB-1", 1)
    assert kept[0].sent == (Sent(field="po_no", text="PO1 HUB-1", customer_id=CUSTOMER),)
    assert kept[0].body == orders.desk.writes[0]


async def test_an_order_that_p21_has_already_is_not_sent(orders):
    await orders.place("1")
    await orders.write()
    async with orders.store.transaction() as tables:  # a copy of the store from before all this
        await tables.intents.save(await fresh(orders, "1"))
    await orders.write()
    assert len(orders.desk.writes) == 1
    assert (await orders.intent("1")).order_no == "1400001"


async def test_a_restored_store_finds_an_order_whose_buyer_po_was_edited_in_the_hub_since(orders):
    await orders.place("1")
    await orders.write()
    orders.inbox.edit("1", custom_fields={"po": "OTHER"}, digest="second")
    orders.clock.advance(20 * 3600)
    async with orders.store.transaction() as tables:
        await tables.intents.save(await fresh(orders, "1"))
    await orders.write()
    assert len(orders.desk.writes) == 1
    assert (await orders.intent("1")).order_no == "1400001"


async def fresh(orders, hub_id):
    """Return the intent of a hub order as it is made from the inbox now."""
    other = OrderWorld(orders.store, orders.clock)
    now = orders.clock.now()
    hub = other.inbox.orders[hub_id] = hub_order(hub_id)
    return type(await orders.intent(hub_id))(
        hub_id=hub_id, state="prepared", digest=hub.digest, created_at=now, changed_at=now, due_at=now
    )


async def test_several_orders_under_one_reference_are_for_a_person(orders):
    await orders.place("1")
    await orders.write()
    orders.desk.save(orders.desk.writes[0])
    async with orders.store.transaction() as tables:
        await tables.intents.save(await fresh(orders, "1"))
    await orders.write()
    intent = await orders.intent("1")
    assert intent.state == "held"
    assert "1400001, 1400002" in intent.reason
    assert len(orders.desk.writes) == 1


async def test_a_refused_order_keeps_p21_s_own_words_and_is_not_sent_again(orders):
    orders.desk.answers.append("refused")
    await orders.place("1")
    await orders.settle(7200)
    intent = await orders.intent("1")
    assert (intent.state, intent.reason, intent.hint) == (
        "refused",
        "Customer is on credit hold",
        "release it in P21",
    )
    assert len(orders.desk.writes) == 1


async def test_a_refused_order_that_a_person_retries_is_sent_again(orders):
    orders.desk.answers.append("refused")
    await orders.place("1")
    await orders.write()
    await orders.ledger.move(await orders.intent("1"), "prepared", by="person ann", due_at=orders.clock.now())
    await orders.write()
    assert await orders.state("1") == "created"


async def test_a_busy_p21_is_waited_out_without_end(orders):
    orders.desk.answers.extend(["busy"] * 30)
    await orders.place("1")
    await orders.settle(30 * 300)
    intent = await orders.intent("1")
    assert (intent.state, intent.attempts) == ("linked", 31)
    assert len(orders.desk.orders) == 1


async def test_a_busy_p21_is_not_asked_again_at_once(orders, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda _low, high: high)
    orders.desk.answers.extend(["busy"] * 3)
    await orders.place("1")
    waits = []
    for _ in range(3):
        await orders.write()
        waits.append(((await orders.intent("1")).due_at - orders.clock.now()).total_seconds())
        orders.clock.advance(waits[-1] + 1)
    assert [round(wait) for wait in waits] == [4, 8, 16]


async def test_a_missing_permission_leaves_the_order_prepared_and_is_raised(orders):
    orders.desk.answers.append(NO_PERMISSION)
    await orders.place("1")
    with pytest.raises(Forbidden):
        await orders.write()
    intent = await orders.intent("1")
    assert (intent.state, intent.reason, intent.hint) == ("prepared", "may not write orders", "grant Order Entry")
    orders.clock.advance(300)
    await orders.write()
    assert await orders.state("1") == "created"


async def test_refused_credentials_leave_the_order_prepared(orders):
    orders.desk.answers.append(Unauthorized("bad password", system="Prophet 21"))
    await orders.place("1")
    with pytest.raises(Unauthorized):
        await orders.write()
    assert await orders.state("1") == "prepared"


@pytest.mark.parametrize("error", [p21_down(), RuntimeError("a bug after the answer")])
async def test_whatever_else_happens_in_a_write_leaves_it_unknown(orders, error):
    orders.desk.answers.append(error)
    await orders.place("1")
    await orders.write()
    assert await orders.state("1") == "unknown"


async def test_an_outage_before_the_write_leaves_the_order_prepared(orders):
    await orders.place("1")
    orders.desk.down = p21_down()
    with pytest.raises(type(orders.desk.down)):
        await orders.write()
    orders.desk.down, orders.inbox.down = None, hub_down()
    with pytest.raises(type(orders.inbox.down)):
        await orders.write()
    assert await orders.state("1") == "prepared"
    assert orders.desk.writes == []


async def test_nothing_is_sent_while_sending_is_stopped(orders):
    async def stop():
        raise SendingStopped("another p21d writes")

    orders.context.may_send = stop
    await orders.place("1")
    await orders.write()
    assert (await orders.state("1"), orders.desk.writes) == ("prepared", [])


async def test_sending_that_is_stopped_after_the_order_was_prepared_sends_nothing(orders):
    asked = []

    async def stop():
        asked.append(len(orders.desk.calls))
        if orders.desk.calls:
            raise SendingStopped("another p21d writes")

    orders.context.may_send = stop
    await orders.place("1")
    await orders.write()
    assert asked == [0, 4]
    assert (await orders.state("1"), orders.desk.writes) == ("prepared", [])


async def test_a_person_who_dismisses_while_it_is_prepared_is_obeyed(orders):
    async def dismiss(step):
        await orders.ledger.move(await orders.intent("1"), "dismissed", by="person ann")

    by_reference = orders.desk.by_reference

    async def dismissed_meanwhile(**asked):
        await dismiss("")
        return await by_reference(**asked)

    orders.desk.by_reference = dismissed_meanwhile
    await orders.place("1")
    await orders.write()
    assert (await orders.state("1"), orders.desk.writes) == ("dismissed", [])


async def test_a_value_that_p21_cannot_take_holds_the_order(orders):
    await orders.place("1" * 60)
    await orders.write()
    intent = await orders.intent("1" * 60)
    assert intent.state == "held"
    assert "po_no takes 50" in intent.reason


async def test_an_attempt_that_nobody_could_judge_is_repeated_only_when_it_has_settled(orders):
    orders.desk.answers.append("gone")
    await orders.place("1")
    await orders.write()
    for after in ("dismissed", "prepared"):
        await orders.ledger.move(await orders.intent("1"), after, by="person ann", due_at=orders.clock.now())
        orders.clock.advance(1)
    await orders.write()
    assert len(orders.desk.writes) == 1
    orders.clock.advance(600)
    await orders.write()
    assert len(orders.desk.writes) == 2


async def test_the_texts_of_all_earlier_attempts_are_looked_up(orders):
    orders.desk.answers.extend(["gone", "busy"])
    await orders.place("1")
    while not orders.desk.writes[1:]:  # proven absent, and tried again
        await orders.settle(60)
    orders.inbox.edit("1", custom_fields={"po": "NEW"}, digest="second")
    orders.desk.calls.clear()
    while not orders.desk.writes[2:]:
        await orders.settle(60)
    assert orders.desk.calls[1:3] == ["by_reference PO1 HUB-1", "by_reference NEW HUB-1"]


async def test_an_order_that_shows_up_after_the_hub_order_was_edited_is_found_by_its_former_text(orders):
    orders.desk.answers.extend(["late", "busy"])
    await orders.place("1")
    while not orders.desk.writes[1:]:  # proven absent, and tried again
        await orders.settle(60)
    orders.inbox.edit("1", custom_fields={"po": "NEW"}, digest="second")
    orders.desk.save(orders.desk.late[0], taker="SALES")  # no candidate either
    await orders.settle(900)
    assert len(orders.desk.orders) == 1
    intent = await orders.intent("1")
    assert (intent.state, intent.order_no) == ("linked", "1400001")
    assert any("edited in the hub" in difference for difference in intent.differences)
