"""The history of cycles, and pauses that outlive a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from p21d.store.cycle import CycleRow
from p21d.store.database import Store

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CYCLE = CycleRow(
    entity="customer",
    kind="poll",
    status="completed",
    note="",
    started_at=NOON - HOUR,
    ended_at=NOON,
    read=9,
    delivered=1,
    unchanged=2,
    skipped=1,
    waiting=2,
    dead_lettered=1,
    unfinished=2,
)


async def record(store, *cycles):
    async with store.transaction() as tables:
        for cycle in cycles:
            await tables.cycles.record(cycle)


async def test_a_cycle_is_found_as_it_was_recorded(store):
    await record(store, CYCLE)
    assert await store.read.cycles.latest() == [CYCLE]


async def test_the_latest_cycle_of_an_entity_comes_first(store):
    later = msgspec.structs.replace(CYCLE, kind="sweep", ended_at=NOON + HOUR)
    await record(store, CYCLE, later, msgspec.structs.replace(CYCLE, entity="product"))
    assert await store.read.cycles.latest(entity="customer", limit=1) == [later]


async def test_totals_are_summed_by_entity_since_an_instant(store):
    await record(store, CYCLE, CYCLE, msgspec.structs.replace(CYCLE, ended_at=NOON - HOUR))
    fates = {"read": 18, "delivered": 2, "unchanged": 4, "skipped": 2, "waiting": 4, "dead_lettered": 2}
    assert await store.read.cycles.totals(NOON) == {"customer": fates}


async def test_old_cycles_are_forgotten(store):
    await record(store, CYCLE, msgspec.structs.replace(CYCLE, ended_at=NOON + HOUR))
    async with store.transaction() as tables:
        assert await tables.cycles.prune(NOON + HOUR, 10) == 1
    assert len(await store.read.cycles.latest()) == 1


async def test_a_pause_outlives_a_restart(path):
    async with Store(path) as store, store.transaction() as tables:
        await tables.paused.pause("customer", "stock-taking", NOON)
    async with Store(path) as store:
        assert await store.read.paused.all() == {"customer": "stock-taking"}


async def test_a_second_pause_gives_the_newer_reason(store):
    async with store.transaction() as tables:
        await tables.paused.pause("customer", "stock-taking", NOON)
        await tables.paused.pause("customer", "month end", NOON)
    assert await store.read.paused.all() == {"customer": "month end"}


async def test_a_resumed_entity_is_paused_no_more(store):
    async with store.transaction() as tables:
        await tables.paused.pause("customer", "stock-taking", NOON)
        await tables.paused.resume("customer")
    assert await store.read.paused.all() == {}
