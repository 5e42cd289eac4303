"""Migrations run once each, in order, and whole."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

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


def dump_of(version):
    return Path(__file__).parent / f"version_{version}.sql"


def rows_of(path):
    """Return every row of every table, by table, each as a mapping: a later version may add columns."""
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.row_factory = sqlite3.Row
        names = [row[0] for row in sqlite.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [dict(row) for row in sqlite.execute(f"SELECT * FROM {name}")] for name in names}


def make_old(path, version):
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.executescript(dump_of(version).read_text())


def test_there_is_a_store_of_every_earlier_version_to_try():
    assert [version for version in range(1, len(MIGRATIONS)) if not dump_of(version).exists()] == []


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_the_store_of_an_earlier_version_is_what_its_migrations_made(path, tmp_path, version):
    make_old(path, version)
    with closing(sqlite3.connect(tmp_path / "made.db")) as made, closing(sqlite3.connect(path)) as old:
        made.executescript("".join(MIGRATIONS[:version]))
        schema = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
        assert made.execute(schema).fetchall() == old.execute(schema).fetchall()
    assert ask(path, "PRAGMA user_version") == version
    assert not [name for name, rows in rows_of(path).items() if not rows]


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
async def test_a_store_of_an_earlier_version_keeps_every_row(path, version):
    make_old(path, version)
    before = rows_of(path)
    await open_once(path)
    after = rows_of(path)
    assert ask(path, "PRAGMA user_version") == len(MIGRATIONS)
    for table, rows in before.items():
        assert [{name: row[name] for name in rows[0]} for row in after[table]] == rows, table


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
async def test_a_migrated_store_has_the_schema_of_a_new_one(path, tmp_path, version):
    make_old(path, version)
    await open_once(path)
    await open_once(tmp_path / "new.db")
    schema = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name)"
    assert ask(path, schema) == ask(tmp_path / "new.db", schema)


async def test_a_store_of_a_newer_version_is_refused_with_what_to_do_and_left_alone(path):
    await open_once(path)
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        await open_once(path)
    assert caught.value.exit_code == os.EX_CONFIG
    assert f"schema {len(MIGRATIONS) + 1}, this one knows {len(MIGRATIONS)}" in caught.value.message
    assert caught.value.hint == "install that version again, or restore a backup made before the upgrade"
    assert path.read_bytes() == before
