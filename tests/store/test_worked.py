"""The counter of working time, and the rows that wait by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from p21d.store.waiting import WaitingRow

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
PAIR = ("transaction", "customer")


def order(key: str, **changes: object) -> WaitingRow:
    return WaitingRow(**{"entity": PAIR[0], "key": key, "parent_entity": PAIR[1], "parent_key": "01|100", **changes})


async def pass_time(store, seconds: float) -> None:
    async with store.transaction() as tables:
        await tables.worked.add([PAIR], seconds)


async def park(store, *rows: WaitingRow) -> None:
    async with store.transaction() as tables:
        await tables.waiting.park(rows, NOON)


async def overdue(store, parked_before: float, limit: int = 10) -> list[str]:
    rows = await store.read.waiting.overdue(*PAIR, parked_before, NOON, limit)
    return sorted(key for key, _ in rows)


async def test_the_time_of_a_pair_adds_up_and_begins_at_zero(store):
    assert await store.read.worked.seconds(*PAIR) == 0
    await pass_time(store, 60)
    await pass_time(store, 30.5)
    assert await store.read.worked.seconds(*PAIR) == 90.5


async def test_pairs_have_times_of_their_own(store):
    await pass_time(store, 60)
    assert await store.read.worked.seconds("customer", "transaction") == 0


async def test_a_row_keeps_the_reading_at_which_it_was_parked(store):
    await park(store, order("1"))
    await pass_time(store, 100)
    await park(store, order("2"))
    assert await overdue(store, 50) == ["1"]
    assert await overdue(store, 100) == ["1", "2"]


async def test_a_row_parked_again_for_the_same_parent_keeps_its_reading(store):
    await park(store, order("1"))
    await pass_time(store, 100)
    await park(store, order("1"))
    assert await overdue(store, 50) == ["1"]


async def test_a_row_parked_for_another_parent_begins_anew(store):
    await park(store, order("1"))
    await pass_time(store, 100)
    await park(store, order("1", parent_key="01|200"))
    assert await overdue(store, 50) == []


async def test_a_row_that_is_due_is_never_overdue_and_one_due_later_may_be(store):
    await park(store, order("1", due_at=NOON), order("2", due_at=NOON + timedelta(hours=1)))
    assert await overdue(store, 0) == ["2"]


async def test_overdue_rows_come_in_parts(store):
    await park(store, *(order(str(number)) for number in range(5)))
    assert len(await overdue(store, 0, limit=3)) == 3


async def test_a_pair_has_rows_while_one_waits(store):
    assert not await store.read.waiting.has_rows(*PAIR)
    await park(store, order("1"))
    assert await store.read.waiting.has_rows(*PAIR)
