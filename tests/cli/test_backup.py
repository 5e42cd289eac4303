"""`p21d backup`: of a running daemon through its socket, of a stopped one from the file."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing

import anyio
import pytest

from p21d.errors import StoreFull
from p21d.store.backup import copy_store
from p21d.store.database import Store
from p21d.store.lock import StoreLock


async def make_store(path):
    async with Store(path) as store, store.transaction() as tables:
        await tables.inbox.name_store("this one")


@pytest.fixture
def store_path(config_file, tmp_path):
    """A stopped daemon's store, where the configuration says."""
    path = tmp_path / "p21d.db"
    config_file.write_text(config_file.read_text() + f"store: {{path: {path}}}\n")
    anyio.run(make_store, path)
    return path


@pytest.fixture
def copied(operations, tmp_path):
    """What the running daemon sends."""
    anyio.run(make_store, tmp_path / "running.db")
    copy_store(tmp_path / "running.db", tmp_path / "running.copy")
    operations.copy = tmp_path / "running.copy"


def name_in(path):
    with closing(sqlite3.connect(path)) as sqlite:
        return sqlite.execute("SELECT store_id FROM writer").fetchone()[0]


def left_in(folder):
    return sorted(path.name for path in folder.glob("*.partial"))


def test_a_stopped_daemons_store_is_copied(p21d, store_path, tmp_path):
    ended = p21d("backup", str(tmp_path / "backup.db"), "--json")
    assert (ended.code, json.loads(ended.out)["running"]) == (0, False)
    assert name_in(tmp_path / "backup.db") == "this one"


def test_a_running_daemons_store_comes_through_the_socket(p21d, daemon, copied, tmp_path):
    ended = p21d("backup", str(tmp_path / "backup.db"), "--json")
    answer = json.loads(ended.out)
    assert (ended.code, answer["running"], answer["bytes"]) == (0, True, (tmp_path / "backup.db").stat().st_size)
    assert name_in(tmp_path / "backup.db") == "this one"
    assert left_in(tmp_path) == []


def test_only_the_owner_may_read_it(p21d, daemon, copied, tmp_path):
    p21d("backup", str(tmp_path / "backup.db"))
    assert stat.S_IMODE((tmp_path / "backup.db").stat().st_mode) == 0o600


def test_an_older_backup_is_replaced(p21d, store_path, tmp_path):
    for _ in range(2):
        assert p21d("backup", str(tmp_path / "backup.db")).code == 0


def test_any_other_file_is_left_alone(p21d, daemon, copied, tmp_path):
    other = tmp_path / "p21d.yaml.old"
    other.write_text("prophet21: and so on, longer than a header of a database " * 3)
    ended = p21d("backup", str(other))
    assert (ended.code, "no backup of p21d and is left alone" in ended.err) == (78, True)
    assert other.read_text().startswith("prophet21")
    assert "backup" not in daemon.asked


def test_a_daemon_without_room_says_so_and_nothing_is_left(p21d, daemon, tmp_path):
    daemon.error = StoreFull("no room for a copy beside p21d.db", hint="free 3 MB there")
    ended = p21d("backup", str(tmp_path / "backup.db"))
    assert (ended.code, ended.err) == (75, "p21d: no room for a copy beside p21d.db\n  free 3 MB there\n")
    assert not (tmp_path / "backup.db").exists()
    assert left_in(tmp_path) == []


def test_a_copy_that_arrives_damaged_replaces_nothing(p21d, daemon, copied, operations, tmp_path):
    p21d("backup", str(tmp_path / "backup.db"))
    with operations.copy.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * 8192)
    ended = p21d("backup", str(tmp_path / "backup.db"))
    assert (ended.code, "is damaged" in ended.err) == (78, True)
    assert name_in(tmp_path / "backup.db") == "this one"


def test_a_daemon_that_holds_the_store_and_does_not_answer_is_named(p21d, store_path, tmp_path):
    lock = StoreLock(store_path)
    lock.acquire()
    ended = p21d("backup", str(tmp_path / "backup.db"))
    lock.release()
    assert (ended.code, "is in use by p21d, pid" in ended.err) == (75, True)


def test_without_a_store_there_is_nothing_to_copy(p21d, store_path, tmp_path):
    store_path.unlink()
    ended = p21d("backup", str(tmp_path / "backup.db"))
    assert (ended.code, "there is no store" in ended.err) == (69, True)
    assert not store_path.exists()


def test_the_store_is_not_copied_over_itself(p21d, store_path):
    ended = p21d("backup", str(store_path))
    assert (ended.code, "is the store itself" in ended.err) == (78, True)
    assert name_in(store_path) == "this one"


def test_a_folder_that_is_not_there_is_named(p21d, store_path, tmp_path):
    ended = p21d("backup", str(tmp_path / "missing" / "backup.db"))
    assert (ended.code, "No such file or directory" in ended.err) == (78, True)
