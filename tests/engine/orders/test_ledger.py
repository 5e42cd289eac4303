"""The ledger: the table of transitions is the only way, and every step is kept with who made it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from p21d.engine.orders.ledger import (
    CREATED,
    DISMISSED,
    HELD,
    INBOX,
    LINKED,
    NEW,
    PERSON,
    PREPARED,
    REFUSED,
    SENDING,
    START,
    STATES,
    TRANSITIONS,
    UNKNOWN,
    WRITER,
    MoveRefused,
)
from p21d.store.intent import Intent, Sent
from tests.engine.orders.doubles import hub_order

HANDS = (INBOX, WRITER, START, PERSON)
REFUSED_PAIRS = [
    (before, after, by)
    for before in (NEW, *STATES)
    for after in STATES
    for by in HANDS
    if by not in TRANSITIONS.get((before, after), ())
]
MARK = Sent(field="po_no", text="HUB-1", customer_id=1)


async def kept(orders, state: str, **changes) -> Intent:
    """Return an intent that stands in the store in a state."""
    now = orders.clock.now()
    intent = Intent(hub_id="1", state=state, created_at=now, changed_at=now, **changes)
    if state != NEW:
        async with orders.store.transaction() as tables:
            await tables.intents.save(intent)
    return intent


async def test_every_pair_that_is_not_in_the_table_is_refused_and_writes_nothing(orders):
    for before, after, by in REFUSED_PAIRS:
        intent = await kept(orders, before)
        with pytest.raises(MoveRefused):
            await orders.ledger.move(intent, after, by=by)
        stored = await orders.intent("1")
        assert (stored.state if stored else NEW) == before
    assert await orders.store.read.intents.history("1") == []
    assert orders.steps == []


@pytest.mark.parametrize(("before", "after"), list(TRANSITIONS))
async def test_every_pair_of_the_table_is_kept_with_its_event(orders, before, after):
    intent = await kept(orders, before)
    by = min(TRANSITIONS[before, after])
    await orders.ledger.move(intent, after, by=by, note="because")
    assert await orders.state("1") == after
    [event] = await orders.store.read.intents.history("1")
    assert (event.before, event.after, event.by, event.note) == (before, after, by, "because")
    assert orders.steps == [f"before order {after}", f"order {after}"]


def test_only_the_writer_sends_and_only_what_is_prepared():
    assert {(before, hands) for (before, after), hands in TRANSITIONS.items() if after == SENDING} == {
        (PREPARED, frozenset({WRITER}))
    }


def test_nothing_leaves_linked():
    assert not any(before == LINKED for before, _ in TRANSITIONS)


async def test_an_intent_that_has_moved_meanwhile_is_not_moved_from_its_former_state(orders):
    await orders.place("1")
    read = await orders.intent("1")
    await orders.ledger.move(read, DISMISSED, by="person ann")
    with pytest.raises(MoveRefused, match="dismissed by now"):
        await orders.ledger.move(read, SENDING, by=WRITER)
    assert await orders.state("1") == DISMISSED


async def test_an_intent_that_came_back_to_its_state_is_not_the_one_that_was_read(orders):
    await orders.place("1")
    read = await orders.intent("1")
    moved = read
    for after in (SENDING, PREPARED):
        orders.clock.advance(1)
        moved = await orders.ledger.move(moved, after, by=WRITER)
    with pytest.raises(MoveRefused):
        await orders.ledger.move(read, SENDING, by=WRITER)


async def test_a_hub_order_has_one_intent(orders):
    await orders.place("1")
    with pytest.raises(MoveRefused):
        await orders.ledger.begin(hub_order("1"), by=INBOX)
    assert len(await orders.store.read.intents.history("1")) == 1


async def test_an_order_that_p21_has_is_not_prepared_again(orders):
    for state in (HELD, DISMISSED, REFUSED):
        intent = await kept(orders, state, order_no="1400001")
        with pytest.raises(MoveRefused, match="1400001"):
            await orders.ledger.move(intent, PREPARED, by="person ann")


async def test_an_edit_in_the_hub_does_not_repeat_an_attempt_that_nobody_could_judge(orders):
    intent = await kept(orders, HELD, sent=(MARK,))
    with pytest.raises(MoveRefused, match="for a person"):
        await orders.ledger.move(intent, PREPARED, by=INBOX)
    await orders.ledger.move(intent, PREPARED, by="person ann")


async def test_what_else_belongs_to_a_step_is_kept_with_it_or_not_at_all(orders):
    await orders.place("1")

    async def fail(tables):
        await tables.inbox.name_store("mine")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await orders.ledger.move(await orders.intent("1"), DISMISSED, by="person ann", also=fail)
    assert await orders.state("1") == PREPARED
    assert await orders.store.read.inbox.store_id() == ""


async def test_an_amendment_changes_no_state(orders):
    await orders.place("1")
    intent = await orders.intent("1")
    with pytest.raises(MoveRefused):
        await orders.ledger.amend(intent, by=WRITER, state=CREATED)
    await orders.ledger.amend(intent, by=WRITER, look_ups=2)
    assert (await orders.intent("1")).look_ups == 2
    assert len(await orders.store.read.intents.history("1")) == 1


async def test_an_intent_comes_back_from_the_store_as_it_was_kept(orders):
    now = orders.clock.now()
    intent = Intent(
        hub_id="1",
        state=UNKNOWN,
        reference="PO HUB-1",
        sent=(MARK, Sent(field="job_name", text="x", customer_id=2, outcome="busy")),
        body=b"{}",
        order=b"[]",
        differences=("line 010 is missing",),
        attempts=2,
        created_at=now,
        changed_at=now,
        attempt_ended_at=now,
    )
    async with orders.store.transaction() as tables:
        await tables.intents.save(intent)
    assert await orders.intent("1") == replace(intent)
