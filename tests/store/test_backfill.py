from __future__ import annotations

from datetime import UTC, datetime, timedelta

from p21d.store.delivered import DeliveredRecord

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


async def deliver(store, *keys, active=True, entity="product"):
    records = [DeliveredRecord(key, f"id {key}", b"print", active, NOW) for key in keys]
    async with store.transaction() as tables:
        await tables.delivered.acknowledge(entity, records, NOW)


async def meet(store, *keys, entity="product"):
    async with store.transaction() as tables:
        await tables.met.add(entity, keys)


async def missed(store, *, before=LATER, after="", limit=10):
    return await store.read.met.missed("product", before, after=after, limit=limit)


async def test_delivered_keys_that_were_not_met_are_missed(store):
    await deliver(store, "1", "2", "3")
    await meet(store, "2")
    assert await missed(store) == ["1", "3"]
    assert await store.read.met.count_missed("product", LATER) == 2


async def test_what_another_entity_met_does_not_count(store):
    await deliver(store, "1")
    await meet(store, "1", entity="customer")
    assert await missed(store) == ["1"]


async def test_inactive_records_are_not_missed(store):
    await deliver(store, "1", active=False)
    assert await missed(store) == []


async def test_what_was_delivered_since_is_not_missed(store):
    await deliver(store, "1")
    assert await missed(store, before=NOW) == []


async def test_missed_keys_come_in_pages(store):
    await deliver(store, "1", "2", "3")
    assert await missed(store, limit=2) == ["1", "2"]
    assert await missed(store, after="2") == ["3"]


async def test_meeting_a_key_twice_is_meeting_it(store):
    await meet(store, "1")
    await meet(store, "1")
    async with store.transaction() as tables:
        assert await tables.met.forget("product", 10) == 1


async def test_met_keys_are_forgotten_in_parts(store):
    await meet(store, "1", "2", "3")
    async with store.transaction() as tables:
        assert [await tables.met.forget("product", 2) for _ in range(2)] == [2, 1]


async def test_a_backfill_begins_asks_and_ends(store):
    async with store.transaction() as tables:
        await tables.backfills.introduce("product", "old", NOW)
        await tables.backfills.want("product", NOW, force=True, confirmed=False)
        await tables.backfills.begin("product", NOW, "signature", confirmed=False)
        await tables.backfills.ask("product", 12, NOW, "new")
        asking = await tables.backfills.state("product")
        await tables.backfills.confirm("product")
        await tables.backfills.end("product", LATER, "new")
        ended = await tables.backfills.state("product")
    assert (asking.asks, asking.opened_at, asking.force, asking.confirmed) == (12, NOW, True, False)
    assert (ended.opened_at, ended.last_at, ended.mapping, ended.confirmed) == (None, LATER, "new", False)
