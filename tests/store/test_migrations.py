"""Migrations run once each, in order, and whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from p21d.errors import StoreError
from p21d.store import migrations
from p21d.store.database import Store
from p21d.store.migrations import APPLICATION_ID, MIGRATIONS

SECOND = "CREATE TABLE second (a INTEGER); INSERT INTO second VALUES (1);"


def ask(path, sql):
    with closing(sqlite3.connect(path)) as sqlite:
        return sqlite.execute(sql).fetchone()[0]


async def open_once(path):
    async with Store(path):
        pass


async def test_an_empty_file_is_brought_to_the_present_version(path):
    path.touch()
    await open_once(path)
    assert ask(path, "PRAGMA user_version") == len(MIGRATIONS)
    assert ask(path, "PRAGMA application_id") == APPLICATION_ID


async def test_a_second_start_migrates_nothing(path):
    await open_once(path)
    before = ask(path, "PRAGMA schema_version")
    await open_once(path)
    assert ask(path, "PRAGMA schema_version") == before


async def test_an_older_store_gets_only_what_it_lacks(path, monkeypatch):
    await open_once(path)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, SECOND))
    for _ in range(2):
        await open_once(path)
    assert ask(path, "SELECT count(*) FROM second") == 1
    assert ask(path, "PRAGMA user_version") == len(MIGRATIONS) + 1


async def test_a_migration_that_fails_leaves_the_version_before_it(path, monkeypatch):
    await open_once(path)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, SECOND + "CREATE TABLE second (a INTEGER);"))
    with pytest.raises(StoreError, match="table second already exists"):
        await open_once(path)
    assert ask(path, "SELECT count(*) FROM sqlite_master WHERE name = 'second'") == 0
    assert ask(path, "PRAGMA user_version") == len(MIGRATIONS)
