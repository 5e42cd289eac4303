"""An unknown outcome: looked up until P21 shows the order or has proven that it has none."""

from __future__ import annotations

import pytest

from p21d.engine.orders.ledger import MoveRefused
from p21d.errors import Unavailable
from tests.engine.orders.doubles import p21_down


async def unknown(orders, answer: str = "gone", hub_id: str = "1") -> None:
    orders.desk.answers.append(answer)
    await orders.place(hub_id)
    await orders.write()
    assert await orders.state(hub_id) == "unknown"
    orders.desk.calls.clear()


async def test_an_order_that_was_saved_is_found_at_once(orders):
    await unknown(orders, "lost")
    await orders.follow()
    assert (await orders.intent("1")).order_no == "1400001"
    assert len(orders.desk.writes) == 1


async def test_an_order_that_was_not_saved_is_sent_again_after_three_empty_look_ups_and_the_settle_time(orders):
    await unknown(orders)
    began = orders.clock.monotonic()
    while await orders.state("1") == "unknown":
        await orders.follow()
        orders.clock.advance(1)
    assert orders.clock.monotonic() - began >= 600
    assert len([call for call in orders.desk.calls if call.startswith("by_reference")]) == 3
    await orders.write()
    assert len(orders.desk.orders) == 1


@pytest.mark.parametrize("seconds", [1, 59, 61, 599])
async def test_an_order_that_is_saved_late_is_not_sent_again(orders, seconds):
    await unknown(orders, "late")
    await orders.settle(seconds, step=seconds)
    orders.desk.save(orders.desk.late[0])
    await orders.settle(3000)
    assert len(orders.desk.orders) == 1
    assert (await orders.intent("1")).order_no == "1400001"


async def test_an_outage_of_p21_begins_the_count_anew(orders):
    await unknown(orders)
    await orders.follow()
    orders.clock.advance(61)
    await orders.follow()
    assert (await orders.intent("1")).look_ups == 2
    orders.clock.advance(600)
    orders.desk.down = p21_down()
    with pytest.raises(Unavailable):
        await orders.follow()
    orders.desk.down = None
    await orders.follow()
    assert (await orders.intent("1")).look_ups == 1
    orders.clock.advance(59)
    await orders.follow()
    assert ((await orders.intent("1")).look_ups, await orders.state("1")) == (1, "unknown")


async def test_an_outage_that_another_order_meets_begins_every_count_anew(orders):
    await unknown(orders)
    await orders.follow()
    orders.desk.down = p21_down()
    await orders.place("2")
    with pytest.raises(Unavailable):
        await orders.write()
    assert (await orders.intent("1")).look_ups == 0


async def test_a_candidate_is_for_a_person_and_named(orders):
    await unknown(orders, "lost")
    orders.desk.change("1400001", po_no="corrected", reference_text="corrected")
    await orders.settle(4000)
    intent = await orders.intent("1")
    assert intent.state == "held"
    assert "1400001" in intent.reason
    assert len(orders.desk.writes) == 1


async def test_an_order_whose_text_was_changed_around_our_reference_is_ours(orders):
    await unknown(orders, "lost")
    orders.desk.change("1400001", po_no="rush! HUB-1", reference_text="rush! HUB-1")
    await orders.follow()
    assert await orders.state("1") == "linked"


async def test_an_order_that_comes_into_sight_between_the_two_questions_is_ours(orders):
    await unknown(orders, "lost")
    orders.desk.hidden.add("1400001")
    candidates = orders.desk.candidates

    async def shown_now(**asked):
        orders.desk.hidden.clear()
        return await candidates(**asked)

    orders.desk.candidates = shown_now
    await orders.follow()
    assert await orders.state("1") == "linked"


async def test_the_orders_of_other_hub_orders_are_no_candidates(orders):
    orders.desk.answers.extend(["saved", "lost", "gone"])
    await orders.place("1", "2", "3")  # one customer, one taker, the same items
    await orders.write()
    orders.desk.change("1400001", po_no="corrected", reference_text="corrected")  # the number is known
    await orders.settle(4000)
    assert [await orders.state(hub_id) for hub_id in "123"] == ["linked"] * 3
    assert len(orders.desk.orders) == 3


async def test_an_older_order_of_the_same_customer_is_no_candidate(orders):
    await orders.place("1")
    await orders.write()
    orders.desk.change("1400001", po_no="by phone", reference_text="by phone")
    await orders.ledger.move(await orders.intent("1"), "held", by="writer", order_no="")
    orders.clock.advance(3600)
    await unknown(orders, "gone", "2")
    await orders.settle(4000)
    assert await orders.state("2") == "linked"


async def test_a_candidate_that_the_hub_has_linked_already_is_the_one(orders):
    await unknown(orders, "lost")
    orders.desk.change("1400001", po_no="corrected", reference_text="corrected")
    orders.inbox.links["", "1"] = "1400001"
    await orders.follow()
    assert await orders.state("1") == "linked"


async def test_several_under_one_reference_are_for_a_person(orders):
    await unknown(orders, "lost")
    orders.desk.save(orders.desk.writes[0])
    await orders.follow()
    intent = await orders.intent("1")
    assert intent.state == "held"
    assert "1400001, 1400002" in intent.reason


async def test_an_unknown_order_that_is_cancelled_in_the_hub_is_looked_up_first(orders):
    await unknown(orders, "lost")
    orders.inbox.edit("1", status="Cancelled")
    await orders.follow()
    intent = await orders.intent("1")
    assert intent.state == "linked"
    assert intent.differences == ("it was cancelled in the hub after it was sent; P21 still has it",)


async def test_an_unknown_order_that_is_cancelled_and_proven_absent_is_dismissed(orders):
    await unknown(orders)
    orders.inbox.edit("1", status="Cancelled")
    await orders.settle(1200)
    assert await orders.state("1") == "dismissed"
    assert len(orders.desk.writes) == 1


async def test_an_unknown_order_that_is_edited_is_looked_up_by_the_text_that_was_sent(orders):
    await unknown(orders, "lost")
    orders.inbox.edit("1", custom_fields={"po": "NEW"}, digest="second")
    await orders.follow()
    assert orders.desk.calls[0] == "by_reference PO1 HUB-1"
    assert (await orders.intent("1")).order_no == "1400001"


async def test_an_unknown_order_does_not_keep_the_next_one_from_being_written(orders):
    orders.desk.answers.append("gone")
    await orders.place("1", "2", "3")
    await orders.write()
    assert [await orders.state(hub_id) for hub_id in "123"] == ["unknown", "created", "created"]


async def test_an_unresolved_attempt_is_not_repeated_because_the_hub_order_was_edited(orders):
    await unknown(orders, "lost")
    orders.desk.change("1400001", po_no="corrected", reference_text="corrected")
    await orders.follow()
    with pytest.raises(MoveRefused):
        await orders.ledger.move(await orders.intent("1"), "prepared", by="inbox")
