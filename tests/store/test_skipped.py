"""No row is left out without a reason."""

from __future__ import annotations

from datetime import UTC, datetime

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


async def skip(store, reasons):
    async with store.transaction() as tables:
        await tables.skipped.record("customer", reasons, NOON)


async def test_a_reason_is_kept_by_key(store):
    await skip(store, {"01|100": "no e-mail", "01|101": "deleted"})
    assert await store.read.skipped.by_keys("customer", ["01|100", "01|999"]) == {"01|100": "no e-mail"}


async def test_a_new_reason_takes_the_place_of_the_old(store):
    await skip(store, {"01|100": "no e-mail"})
    await skip(store, {"01|100": "deleted"})
    assert await store.read.skipped.counts() == {"customer": {"deleted": 1}}


async def test_the_same_reason_again_writes_nothing(store):
    await skip(store, {"01|100": "no e-mail"})
    before = store._writer.total_changes
    await skip(store, {"01|100": "no e-mail"})
    assert store._writer.total_changes == before


async def test_a_row_that_is_skipped_no_more_is_forgotten(store):
    await skip(store, {"01|100": "no e-mail", "01|101": "no e-mail"})
    async with store.transaction() as tables:
        await tables.skipped.forget("customer", ["01|100"])
    assert await store.read.skipped.counts() == {"customer": {"no e-mail": 1}}
