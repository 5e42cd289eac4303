"""A backup of a store in use is whole, and never half there."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime

import anyio
import pytest

from p21d.errors import StoreError
from p21d.store.database import Store
from p21d.store.delivered import DeliveredRecord

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


async def deliver(tables, *keys):
    records = [DeliveredRecord(key, key, b"f" * 16, active=True, read_at=NOON) for key in keys]
    await tables.delivered.acknowledge("customer", records, NOON)


def counted(path):
    with closing(sqlite3.connect(path)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return copy.execute("SELECT count(*) FROM delivered").fetchone()[0]


async def test_a_backup_holds_what_is_committed_and_not_what_is_under_way(store, tmp_path):
    async with store.transaction() as tables:
        await deliver(tables, "1", "2")
    async with store.transaction() as tables:
        await deliver(tables, "3")
        await store.backup(tmp_path / "copy.db")
    assert counted(tmp_path / "copy.db") == 2


async def test_a_backup_made_between_many_writes_holds_whole_transactions(store, tmp_path):
    async def write():
        for number in range(60):
            async with store.transaction() as tables:
                await deliver(tables, *(f"{number}-{part}" for part in range(50)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        for _ in range(5):
            await store.backup(tmp_path / "copy.db")
            assert counted(tmp_path / "copy.db") % 50 == 0


async def test_a_backup_can_be_used_as_a_store(store, tmp_path):
    async with store.transaction() as tables:
        await deliver(tables, "1")
    await store.backup(tmp_path / "copy.db")
    async with Store(tmp_path / "copy.db") as restored:
        assert await restored.read.delivered.known("customer", ["1"]) == {"1"}


async def test_a_backup_takes_the_place_of_an_older_one(store, tmp_path):
    (tmp_path / "copy.db").write_text("an older backup")
    await store.backup(tmp_path / "copy.db")
    assert counted(tmp_path / "copy.db") == 0


async def test_only_the_owner_may_read_a_backup(store, tmp_path):
    await store.backup(tmp_path / "copy.db")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


async def test_the_store_is_not_copied_over_itself(store, path):
    async with store.transaction() as tables:
        await deliver(tables, "1")
    with pytest.raises(StoreError, match="is the store itself"):
        await store.backup(path)
    assert await store.read.delivered.known("customer", ["1"]) == {"1"}


async def test_a_backup_that_cannot_be_written_leaves_nothing(store, tmp_path):
    with pytest.raises(StoreError, match="No such file or directory"):
        await store.backup(tmp_path / "missing" / "copy.db")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StoreError, match="Is a directory"):
        await store.backup(tmp_path / "folder.db")
    assert sorted(file.name for file in tmp_path.glob("*.partial*")) == []
