"""A store that was not closed is checked before it is used; one that is broken is refused with what to type."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import anyio
import pytest

from p21d.errors import StoreDamaged, StoreError
from p21d.store import database
from p21d.store.backup import copy_store
from p21d.store.database import Store

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
PAGE_BYTES = 4096


async def fill(store, rows=400):
    async with store.transaction() as tables:
        await tables.skipped.record("customer", {str(number): "r" * 200 for number in range(rows)}, NOON)


def kill(path, folder):
    """Return a store as a kill leaves it: the file and its WAL as they were while it was open."""
    folder.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(path.with_name(name), folder / name)
    return folder / path.name


@pytest.fixture
async def killed(path, tmp_path):
    async with Store(path) as store:
        await fill(store)
        await store._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        await fill(store, 500)
        yield kill(path, tmp_path / "killed")


def break_pages(path):
    """Overwrite the second half of the file, as a broken disk would."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END) // PAGE_BYTES
        file.seek(size // 2 * PAGE_BYTES)
        file.write(b"\xa5" * (size - size // 2) * PAGE_BYTES)


def is_clean(path):
    with closing(sqlite3.connect(path)) as sqlite:
        return bool(sqlite.execute("SELECT clean FROM last_stop").fetchone()[0])


async def refusal(path):
    with pytest.raises(StoreDamaged) as caught:
        async with Store(path):
            pass
    return caught.value


async def test_a_store_says_of_itself_whether_it_was_closed(path):
    async with Store(path):
        assert not is_clean(path)
    assert is_clean(path)


async def test_a_store_that_was_killed_is_whole_with_all_that_was_committed(killed):
    async with Store(killed) as store:
        assert await store.read.skipped.counts() == {"customer": {"r" * 200: 500}}


async def test_overwritten_pages_are_found_after_a_kill(killed):
    killed.with_name(f"{killed.name}-wal").unlink()
    break_pages(killed)
    error = await refusal(killed)
    assert error.exit_code == os.EX_CONFIG
    assert f"the store {killed} is damaged" in error.message
    assert f"cp BACKUP {killed}" in error.hint
    assert f"mv {killed} {killed}.damaged" in error.hint
    assert f"rm -f {killed}-wal {killed}-shm" in error.hint


async def test_damage_that_was_found_is_found_again_at_the_next_start(killed):
    killed.with_name(f"{killed.name}-wal").unlink()
    break_pages(killed)
    assert (await refusal(killed)).message == (await refusal(killed)).message


async def test_after_a_clean_stop_nothing_is_checked(path, monkeypatch):
    async with Store(path) as store:
        await fill(store)
    monkeypatch.setattr(database, "check", None)
    async with Store(path):
        pass


async def test_a_header_of_zeros_is_refused_with_both_ways_out(killed):
    killed.with_name(f"{killed.name}-wal").unlink()
    with killed.open("r+b") as file:
        file.write(b"\0" * 100)
    with pytest.raises(StoreError) as caught:
        async with Store(killed):
            pass
    assert "is not a store of p21d" in caught.value.message
    assert "let store.path name another file" in caught.value.hint
    assert f"cp BACKUP {killed}" in caught.value.hint


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
async def test_a_wal_cut_in_the_middle_is_only_what_was_not_committed(killed, share):
    wal = killed.with_name(f"{killed.name}-wal")
    os.truncate(wal, int(wal.stat().st_size * share))
    async with Store(killed) as store:
        [count] = (await store.read.skipped.counts())["customer"].values()
    assert count == 400


async def test_a_large_store_is_checked_beside_the_start(killed, monkeypatch):
    monkeypatch.setattr(database, "CHECK_AT_ONCE_BYTES", 0)
    async with Store(killed) as store:
        assert store.condition.unchecked
        assert "is being checked" in store.condition.words
        await store.until_checked()
        assert (store.condition.unchecked, store.condition.words) == (False, "")
    assert is_clean(killed)


async def test_a_large_store_that_is_damaged_ends_the_start(killed, monkeypatch):
    monkeypatch.setattr(database, "CHECK_AT_ONCE_BYTES", 0)
    with closing(sqlite3.connect(killed)) as sqlite:
        sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [first] = sqlite.execute("SELECT rootpage FROM sqlite_master WHERE name = 'skipped'").fetchone()
    with killed.open("r+b") as file:  # a page of that table, and none that is read at the opening
        file.seek((first - 1) * PAGE_BYTES)
        file.write(b"\xa5" * PAGE_BYTES)
    async with Store(killed) as store:
        with pytest.raises(StoreDamaged):
            await store.until_checked()
        assert store.condition.damage
    assert not is_clean(killed)


async def test_a_check_that_was_cut_short_is_made_at_the_next_start(killed, monkeypatch):
    monkeypatch.setattr(database, "CHECK_AT_ONCE_BYTES", 0)
    async with Store(killed) as store:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await store.until_checked()
        assert store.condition.unchecked
    assert not is_clean(killed)


async def test_damage_that_is_met_while_running_ends_all_writing(path):
    async with Store(path) as store:
        await fill(store)
        await store._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        await store._reader.execute_fetchall("PRAGMA shrink_memory")
        break_pages(path)
        with pytest.raises(StoreDamaged):
            await store.read.skipped.counts()
        with pytest.raises(StoreDamaged, match="is damaged"):
            async with store.transaction():
                pass
        assert "cp BACKUP" in store.condition.words


async def test_a_backup_copied_over_a_killed_store_is_not_mixed_with_its_wal(killed, tmp_path):
    async with Store(tmp_path / "old.db") as old:
        await fill(old, 3)
        copy_store(tmp_path / "old.db", tmp_path / "backup.db")
    shutil.copy(tmp_path / "backup.db", killed)  # and the WAL of the killed store still stands there
    async with Store(killed) as store:
        assert await store.read.skipped.counts() == {"customer": {"r" * 200: 3}}


async def test_a_restored_backup_is_checked_at_its_first_start(path, tmp_path):
    async with Store(path) as store:
        await fill(store)
    copy_store(path, tmp_path / "backup.db")
    assert not is_clean(tmp_path / "backup.db")
    break_pages(tmp_path / "backup.db")
    assert "is damaged" in (await refusal(tmp_path / "backup.db")).message


async def test_a_damaged_store_does_not_replace_a_good_backup(path, tmp_path):
    async with Store(path) as store:
        await fill(store)
    copy_store(path, tmp_path / "backup.db")
    good = (tmp_path / "backup.db").read_bytes()
    break_pages(path)
    with pytest.raises((StoreDamaged, sqlite3.DatabaseError)):
        copy_store(path, tmp_path / "backup.db")
    assert (tmp_path / "backup.db").read_bytes() == good


async def test_what_a_kill_left_of_a_copy_is_removed(path):
    path.with_name("p21d.db.copy.partial").touch()
    async with Store(path):
        pass
    assert [file.name for file in path.parent.glob("*.copy*")] == []


async def test_without_that_care_the_two_stores_are_mixed(killed, tmp_path, monkeypatch):
    async with Store(tmp_path / "old.db") as old:
        await fill(old, 3)
        copy_store(tmp_path / "old.db", tmp_path / "backup.db")
    shutil.copy(tmp_path / "backup.db", killed)
    monkeypatch.setattr(database, "drop_foreign_wal", lambda _path: None)
    try:
        async with Store(killed) as store:
            counts = await store.read.skipped.counts()
    except StoreError:
        counts = {}
    assert counts != {"customer": {"r" * 200: 3}}
