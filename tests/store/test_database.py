"""Transactions: whole or not at all, one after the other, unseen until committed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import anyio
import pytest

from p21d.errors import PermissionRefused, StoreError, StoreFull
from p21d.store.database import Store
from p21d.store.delivered import DeliveredRecord

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


async def deliver(tables, *keys):
    records = [DeliveredRecord(key, key, b"f" * 16, active=True, read_at=NOON) for key in keys]
    await tables.delivered.acknowledge("customer", records, NOON)


async def delivered(store):
    return sorted(await store.read.delivered.known("customer", ["1", "2", "3", "4"]))


async def pragma(sqlite, name):
    return next(iter(await sqlite.execute_fetchall(f"PRAGMA {name}")))[0]


async def test_the_writer_commits_with_wal_and_synchronous_full(store):
    assert await pragma(store._writer, "journal_mode") == "wal"
    assert await pragma(store._writer, "synchronous") == 2


async def test_what_is_committed_is_there_after_a_restart(path):
    async with Store(path) as store, store.transaction() as tables:
        await deliver(tables, "1")
    async with Store(path) as store:
        assert await delivered(store) == ["1"]


async def test_an_exception_rolls_the_whole_transaction_back(store):
    with pytest.raises(KeyError):
        await deliver_and_fail(store)
    assert await delivered(store) == []
    assert await store.read.checkpoints.watermark("customer") is None


async def deliver_and_fail(store):
    async with store.transaction() as tables:
        await deliver(tables, "1")
        await tables.checkpoints.move_watermark("customer", NOON, "")
        raise KeyError


async def test_a_transaction_follows_one_that_was_rolled_back(store):
    with pytest.raises(KeyError):
        await deliver_and_fail(store)
    async with store.transaction() as tables:
        await deliver(tables, "2")
    assert await delivered(store) == ["2"]


async def test_an_error_of_the_block_itself_stays_what_it_is(store):
    with pytest.raises(TimeoutError):
        async with store.transaction():
            raise TimeoutError


async def test_a_transaction_is_finished_when_its_caller_is_cancelled(store):
    with anyio.CancelScope() as scope:
        async with store.transaction() as tables:
            await deliver(tables, "1")
            scope.cancel()
            await deliver(tables, "2")
        await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert await delivered(store) == ["1", "2"]


async def test_a_caller_cancelled_while_it_waits_for_its_turn_still_writes(store):
    async with anyio.create_task_group() as tasks, store.transaction() as tables:
        tasks.start_soon(write_one, store, "2")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
        await deliver(tables, "1")
    assert await delivered(store) == ["1", "2"]


async def write_one(store, key):
    async with store.transaction() as tables:
        await deliver(tables, key)


async def test_writers_take_turns(store):
    seen = []

    async def write(key):
        async with store.transaction() as tables:
            seen.append(f"{key} begins")
            await deliver(tables, key)
            await anyio.lowlevel.checkpoint()
            seen.append(f"{key} ends")

    async with anyio.create_task_group() as tasks:
        for key in ("1", "2", "3"):
            tasks.start_soon(write, key)
    assert seen == ["1 begins", "1 ends", "2 begins", "2 ends", "3 begins", "3 ends"]


async def test_a_transaction_inside_another_of_the_same_task_is_an_error(store):
    with pytest.raises(RuntimeError):
        async with store.transaction(), store.transaction():
            pass


async def test_the_reader_never_sees_an_uncommitted_row(store):
    async with store.transaction() as tables:
        await deliver(tables, "1")
        assert await delivered(store) == []
    assert await delivered(store) == ["1"]


async def test_the_reader_cannot_write(store):
    with pytest.raises(PermissionRefused, match="read-only"):
        await store.read.paused.pause("customer", "", NOON)


async def test_a_full_disk_rolls_back_and_says_so(store):
    await fill(store)
    with pytest.raises(StoreFull, match="no room left") as caught:
        await deliver_too_much(store)
    assert "free disk space" in caught.value.hint
    assert await delivered(store) == []


async def test_the_store_goes_on_when_the_disk_has_room_again(store):
    await fill(store)
    with pytest.raises(StoreFull):
        await deliver_too_much(store)
    await store._writer.execute_fetchall("PRAGMA max_page_count = 1000000")
    async with store.transaction() as tables:
        await deliver(tables, "1")
    assert await delivered(store) == ["1"]


async def deliver_too_much(store):
    async with store.transaction() as tables:
        await deliver(tables, "1")
        await deliver(tables, *(f"{number:0900}" for number in range(50)))


async def fill(store):
    """Leave the store no further page, as a full disk does."""
    pages = await pragma(store._writer, "page_count")
    await store._writer.execute_fetchall(f"PRAGMA max_page_count = {pages}")


async def test_damage_met_while_reading_is_named(store, path):
    async with store.transaction() as tables:
        await deliver(tables, *(str(number) for number in range(5000)))
    await store._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(StoreError, match="is damaged"):
        await store.read.delivered.count("customer")


async def test_the_store_can_be_opened_again_after_it_was_closed(path):
    store = Store(path)
    for key in ("1", "2"):
        async with store, store.transaction() as tables:
            await deliver(tables, key)
    async with store:
        assert await delivered(store) == ["1", "2"]


async def test_nothing_is_left_open_when_the_block_fails(path):
    with pytest.raises(KeyError):
        async with Store(path):
            raise KeyError
    async with Store(path):
        pass


async def test_another_program_may_read_while_the_daemon_writes(store, path):
    async with store.transaction() as tables:
        await deliver(tables, "1")
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT count(*) FROM delivered").fetchone() == (0,)
