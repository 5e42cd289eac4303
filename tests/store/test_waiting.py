"""Rows wait for a parent or for an instant, and are let go when it comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from p21d.store.waiting import WaitingRow

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ORDER = WaitingRow(entity="transaction", key="500", parent_entity="customer", parent_key="01|100")
FAILED = WaitingRow(
    entity="transaction", key="501", due_at=NOON + HOUR, attempts=3, first_failed_at=NOON, error="HTTP 500"
)


async def park(store, *rows):
    async with store.transaction() as tables:
        await tables.waiting.park(rows, NOON)


async def release(store, *parent_keys):
    async with store.transaction() as tables:
        return await tables.waiting.release_children("customer", parent_keys, NOON)


async def test_a_parked_row_is_found_as_it_was_parked(store):
    await park(store, ORDER, FAILED)
    assert await store.read.waiting.by_keys("transaction", ["500", "501", "502"]) == {"500": ORDER, "501": FAILED}


async def test_a_row_parked_again_waits_for_its_new_parent(store):
    other = replace(ORDER, parent_entity="location", parent_key="10")
    await park(store, ORDER)
    await park(store, other)
    assert await store.read.waiting.by_keys("transaction", ["500"]) == {"500": other}


async def test_a_parent_is_wanted_until_it_was_asked_for(store):
    await park(store, ORDER, replace(ORDER, key="501"))
    assert await store.read.waiting.wanted("customer", 10) == ["01|100"]
    async with store.transaction() as tables:
        await tables.waiting.mark_asked("customer", ["01|100"])
    assert await store.read.waiting.wanted("customer", 10) == []


async def test_a_row_parked_again_under_the_same_parent_does_not_ask_twice(store):
    await park(store, ORDER)
    async with store.transaction() as tables:
        await tables.waiting.mark_asked("customer", ["01|100"])
    await park(store, ORDER)
    assert await store.read.waiting.wanted("customer", 10) == []


async def test_a_row_parked_under_another_parent_asks_for_that_one(store):
    await park(store, ORDER)
    async with store.transaction() as tables:
        await tables.waiting.mark_asked("customer", ["01|100"])
    await park(store, replace(ORDER, parent_key="01|200"))
    assert await store.read.waiting.wanted("customer", 10) == ["01|200"]


async def test_a_delivered_parent_makes_its_children_due(store):
    await park(store, ORDER, replace(ORDER, key="502", parent_key="01|999"))
    assert await release(store, "01|100") == 1
    assert await store.read.waiting.due("transaction", NOON, 10) == ["500"]


async def test_a_row_that_waits_for_an_instant_is_due_at_it(store):
    await park(store, FAILED)
    assert await store.read.waiting.due("transaction", NOON, 10) == []
    assert await store.read.waiting.due("transaction", NOON + HOUR, 10) == ["501"]


async def test_the_longest_due_comes_first(store):
    await park(store, *(replace(FAILED, key=str(n), due_at=NOON - n * HOUR) for n in (1, 3, 2)))
    assert await store.read.waiting.due("transaction", NOON, 2) == ["3", "2"]


async def test_the_next_due_is_the_earliest_instant(store):
    assert await store.read.waiting.next_due("transaction") is None
    await park(store, ORDER, FAILED, replace(FAILED, key="502", due_at=NOON + 2 * HOUR))
    assert await store.read.waiting.next_due("transaction") == NOON + HOUR


async def test_a_released_row_stays_until_it_has_another_fate(store):
    await park(store, ORDER)
    await release(store, "01|100")
    assert await store.read.waiting.counts() == {"transaction": 1}
    async with store.transaction() as tables:
        await tables.waiting.leave("transaction", ["500"])
    assert await store.read.waiting.counts() == {}


async def test_children_are_those_not_yet_released(store):
    await park(store, ORDER, replace(ORDER, key="502"), replace(ORDER, key="503", parent_key="01|999"))
    assert await store.read.waiting.children("customer", ["01|100"]) == [
        ("transaction", "500", "01|100"),
        ("transaction", "502", "01|100"),
    ]
    await release(store, "01|100")
    assert await store.read.waiting.children("customer", ["01|100"]) == []


async def triggered(store, *keys, at=NOON):
    async with store.transaction() as tables:
        await tables.waiting.park_triggered("transaction", keys, at)


async def leave(store, *keys, read_at):
    async with store.transaction() as tables:
        await tables.waiting.leave("transaction", keys, read_at=read_at)


async def test_a_row_that_a_trigger_asks_for_is_due_at_once(store):
    await triggered(store, "500", "501")
    assert await store.read.waiting.due("transaction", NOON, 10) == ["500", "501"]
    assert (await store.read.waiting.by_keys("transaction", ["500"]))["500"].only_triggered


async def test_a_trigger_leaves_what_a_row_waits_for_as_it_is(store):
    await park(store, ORDER, FAILED)
    await triggered(store, "500", "501")
    found = await store.read.waiting.by_keys("transaction", ["500", "501"])
    assert found == {"500": replace(ORDER, triggered_at=NOON), "501": replace(FAILED, triggered_at=NOON)}
    assert not any(row.only_triggered for row in found.values())


async def test_a_row_read_after_the_trigger_asked_leaves(store):
    await triggered(store, "500")
    await leave(store, "500", read_at=NOON + HOUR)
    assert await store.read.waiting.by_keys("transaction", ["500"]) == {}


async def test_a_row_read_before_the_trigger_asked_stays_and_is_due(store):
    await park(store, ORDER, FAILED)
    await triggered(store, "500", "501", at=NOON + HOUR)
    await leave(store, "500", "501", read_at=NOON)
    assert await store.read.waiting.due("transaction", NOON + HOUR, 10) == ["500", "501"]
    kept = (await store.read.waiting.by_keys("transaction", ["500"]))["500"]
    assert (kept.parent_entity, kept.parent_key, kept.attempts, kept.only_triggered) == ("", "", 0, True)
