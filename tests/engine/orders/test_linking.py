"""A created order is read back, compared, and linked: in the hub, then in the store."""

from __future__ import annotations

import pytest

from p21d.store.link import StoredLink
from tests.engine.orders.doubles import hub_down


async def created(orders, hub_id: str = "1", **changes) -> None:
    await orders.place(hub_id, **changes)
    await orders.write()
    assert await orders.state(hub_id) == "created"


async def test_the_order_and_its_lines_are_linked_in_the_hub(orders):
    await created(orders)
    await orders.follow()
    assert orders.inbox.links == {
        ("", "1"): "1400001",
        ("lines", "1-a"): "1400001|1",
        ("lines", "1-b"): "1400001|2",
    }
    assert await orders.state("1") == "linked"
    assert (await orders.intent("1")).differences == ()


async def test_the_store_knows_the_order_as_one_that_the_hub_has(orders):
    await created(orders)
    await orders.follow()
    links = await orders.store.read.links.by_hub_id("order", ["1"])
    assert links["1"] == StoredLink("order", "1400001", "1", "order", "1400001")
    lines = await orders.store.read.links.of_children("order.lines", ["1400001"])
    assert {(line.external_id, line.hub_id) for line in lines} == {("1400001|1", "1-a"), ("1400001|2", "1-b")}
    assert await orders.store.read.delivered.known("order", ["1400001"]) == {"1400001"}
    [record] = (await orders.store.read.delivered.by_keys("order", ["1400001"]))["1400001"]
    assert record.fingerprint is None  # what the hub shows of it is not what P21 has


async def test_the_order_is_read_for_the_hub_at_once(orders):
    await created(orders)
    await orders.follow()
    waiting = await orders.store.read.waiting.by_keys("order", ["1400001"])
    assert waiting["1400001"].due_at is not None
    assert orders.context.connection.news["order"].is_set()


async def test_dropped_lines_leave_the_order_linked_and_differing(orders):
    orders.desk.dropped_lines = 1
    await created(orders)
    await orders.follow()
    intent = await orders.intent("1")
    assert intent.state == "linked"
    assert intent.differences == ("line 020 (NUT) is missing in P21",)
    assert [one.hub_id for one in await orders.store.read.intents.unacknowledged()] == ["1"]
    assert ("lines", "1-b") not in orders.inbox.links


async def test_a_difference_is_logged_loudly(orders, log_lines):
    orders.desk.dropped_lines = 1
    await created(orders)
    await orders.follow()
    assert [line for line in log_lines if line["event"] == "order differs" and line["log_level"] == "warning"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"digest": "second"}, "it was edited in the hub after it was sent; P21 has it as it was before"),
        ({"status": "Cancelled"}, "it was cancelled in the hub after it was sent; P21 still has it"),
    ],
)
async def test_what_became_of_the_hub_order_since_is_a_difference(orders, edit, words):
    await created(orders)
    orders.inbox.edit("1", **edit)
    await orders.follow()
    assert (await orders.intent("1")).differences == (words,)


async def test_a_reference_that_sales_corrected_is_a_difference_and_no_more(orders):
    await created(orders)
    orders.desk.change("1400001", po_no="PO-RIGHT", reference_text="PO-RIGHT")
    await orders.follow()
    intent = await orders.intent("1")
    assert intent.state == "linked"
    assert "PO-RIGHT" in intent.differences[0]


async def test_a_link_that_the_hub_refuses_holds_the_order_with_the_hub_s_words(orders):
    orders.inbox.links["", "2"] = "1400001"
    await created(orders)
    await orders.follow()
    intent = await orders.intent("1")
    assert (intent.state, intent.order_no) == ("held", "1400001")
    assert "1400001 is linked with 2" in intent.reason


async def test_a_link_that_the_store_knows_otherwise_is_not_made(orders):
    async with orders.store.transaction() as tables:
        await tables.links.record([StoredLink("order", "1400001", "9", "order", "1400001")])
    await created(orders)
    await orders.follow()
    assert await orders.state("1") == "held"
    assert orders.inbox.links == {}


async def test_a_refused_link_may_be_tried_again_by_a_person(orders):
    orders.inbox.links["", "2"] = "1400001"
    await created(orders)
    await orders.follow()
    orders.inbox.links.clear()
    await orders.ledger.move(await orders.intent("1"), "created", by="person ann", due_at=orders.clock.now())
    await orders.follow()
    assert await orders.state("1") == "linked"


async def test_an_order_that_p21_does_not_show_is_read_again_and_then_held(orders):
    await created(orders)
    orders.desk.hidden.add("1400001")
    await orders.follow()
    assert await orders.state("1") == "created"
    orders.clock.advance(61)
    orders.desk.hidden.clear()
    await orders.follow()
    assert await orders.state("1") == "linked"


async def test_an_order_that_p21_never_shows_is_for_a_person(orders):
    await created(orders)
    orders.desk.hidden.add("1400001")
    await orders.settle(300)
    assert (await orders.intent("1")).reason == "P21 does not show order 1400001"
    assert len(orders.desk.writes) == 1


async def test_an_outage_of_the_hub_leaves_the_order_created(orders):
    await created(orders)
    orders.inbox.down = hub_down()
    with pytest.raises(type(orders.inbox.down)):
        await orders.follow()
    orders.inbox.down = None
    await orders.follow()
    assert await orders.state("1") == "linked"


async def test_an_adopted_order_is_compared_with_what_would_be_sent_now(orders):
    await orders.place("1")
    intent = await orders.intent("1")
    await orders.ledger.move(intent, "held", by="writer")
    order, text = await typed_by_hand(orders)
    await orders.ledger.move(
        await orders.intent("1"), "created", by="person ann", order_no=order, due_at=orders.clock.now()
    )
    await orders.follow()
    intent = await orders.intent("1")
    assert (intent.state, orders.inbox.links["lines", "1-a"]) == ("linked", f"{order}|1")
    assert not any(text in difference for difference in intent.differences)


async def test_an_adopted_order_that_cannot_be_mapped_says_that_its_lines_are_not_linked(orders):
    await orders.place("1")
    await orders.ledger.move(await orders.intent("1"), "held", by="writer")
    order, _ = await typed_by_hand(orders)
    orders.inbox.edit("1", company_id="")
    await orders.ledger.move(
        await orders.intent("1"), "created", by="person ann", order_no=order, due_at=orders.clock.now()
    )
    await orders.follow()
    intent = await orders.intent("1")
    assert intent.differences[0].startswith("it was not compared and its lines are not linked")
    assert orders.inbox.links == {("", "1"): order}


async def typed_by_hand(orders) -> tuple[str, str]:
    """Return the number and reference of an order like the hub's that somebody typed into P21."""
    await orders.place("77")
    await orders.write()
    [body] = orders.desk.writes
    orders.desk.orders.clear()
    return orders.desk.save(body, po_no="typed", reference_text="typed", taker="ANN"), "typed"
