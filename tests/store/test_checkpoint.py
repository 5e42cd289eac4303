"""The watermark only moves forward, and an open window survives a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from p21d.store.checkpoint import OpenWindow
from p21d.store.database import Store

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOW = OpenWindow(
    entity="customer",
    kind="poll",
    low_at=NOON - MINUTE,
    low_text="2026-11-02T06:59:00",
    high_at=NOON,
    high_text="2026-11-02T07:00:00",
    reached="",
    signature="s1",
    opened_at=NOON,
)


async def test_an_entity_without_a_completed_window_has_no_watermark(store):
    assert await store.read.checkpoints.watermark("customer") is None


async def test_the_watermark_moves_forward(store):
    for at in (NOON, NOON + MINUTE):
        async with store.transaction() as tables:
            await tables.checkpoints.move_watermark("customer", at, at.isoformat())
    assert await store.read.checkpoints.watermark("customer") == NOON + MINUTE


async def test_the_watermark_never_moves_backwards(store):
    for at in (NOON, NOON - MINUTE):
        async with store.transaction() as tables:
            await tables.checkpoints.move_watermark("customer", at, at.isoformat())
    assert await store.read.checkpoints.watermark("customer") == NOON


async def test_watermarks_belong_to_their_entity(store):
    async with store.transaction() as tables:
        await tables.checkpoints.move_watermark("customer", NOON, "")
    assert await store.read.checkpoints.watermark("product") is None


async def test_watermarks_belong_to_their_connection(path):
    async with Store(path, connection="north") as north, north.transaction() as tables:
        await tables.checkpoints.move_watermark("customer", NOON, "")
    async with Store(path, connection="south") as south:
        assert await south.read.checkpoints.watermark("customer") is None


async def test_an_open_window_is_found_whole_after_a_restart(path):
    async with Store(path) as store, store.transaction() as tables:
        await tables.checkpoints.begin(WINDOW)
        await tables.checkpoints.reach("customer", "poll", "[107]")
    async with Store(path) as store:
        assert await store.read.checkpoints.open_window("customer", "poll") == replace(WINDOW, reached="[107]")


async def test_a_new_window_takes_the_place_of_one_of_its_kind(store):
    later = replace(WINDOW, high_at=NOON + MINUTE, signature="s2")
    async with store.transaction() as tables:
        await tables.checkpoints.begin(replace(WINDOW, reached="[107]"))
        await tables.checkpoints.begin(later)
    assert await store.read.checkpoints.open_window("customer", "poll") == later


async def test_windows_of_two_kinds_stand_side_by_side(store):
    async with store.transaction() as tables:
        await tables.checkpoints.begin(WINDOW)
        await tables.checkpoints.begin(replace(WINDOW, kind="sweep"))
        await tables.checkpoints.end("customer", "poll")
    assert await store.read.checkpoints.open_window("customer", "poll") is None
    assert await store.read.checkpoints.open_window("customer", "sweep") == replace(WINDOW, kind="sweep")
