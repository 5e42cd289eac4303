"""What stands at store.path decides whether the daemon starts, and what it says."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from p21d.errors import StoreError
from p21d.store.database import Store

UNPRIVILEGED = """
    import json, os, sys
    from pathlib import Path
    import anyio, anyio._backends._asyncio
    from p21d.errors import P21dError
    from p21d.store.database import Store

    async def open_store():
        try:
            async with Store(Path(sys.argv[1])) as store:
                async with store.transaction() as tables:
                    await tables.paused.resume("customer")
            print(json.dumps(["opened"]))
        except P21dError as error:
            print(json.dumps([type(error).__name__, error.message, error.hint]))

    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    anyio.run(open_store)
"""


async def refused(path, kind=StoreError):
    """Open a store that cannot be opened twice: the second time shows that the first left no lock behind."""
    messages = []
    for _ in range(2):
        with pytest.raises(kind) as caught:
            async with Store(path):
                pass
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    return messages[0]


async def test_missing_folders_are_made(tmp_path):
    async with Store(tmp_path / "state" / "p21d" / "p21d.db"):
        pass
    assert (tmp_path / "state" / "p21d" / "p21d.db").is_file()


async def test_a_new_store_is_hidden_from_other_users(store, path):
    for file in (path, path.with_name("p21d.db-wal"), path.with_name("p21d.db.lock")):
        assert stat.S_IMODE(file.stat().st_mode) & stat.S_IRWXO == 0


async def test_a_file_that_is_not_sqlite_is_refused_and_left_alone(path):
    text = b"store: this is a configuration file\n" * 200
    path.write_bytes(text)
    assert "is not a store of p21d: file is not a database" in await refused(path)
    assert path.read_bytes() == text


async def test_another_programs_database_is_refused_and_left_alone(path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
        other.commit()
    before = path.read_bytes()
    assert "is another program's database" in await refused(path)
    assert path.read_bytes() == before


async def test_a_store_of_a_newer_p21d_is_refused(path):
    async with Store(path):
        pass
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 999")
    assert "was written by a newer p21d (schema 999" in await refused(path)


async def test_a_store_cut_off_in_the_middle_is_refused_as_damaged(path):
    async with Store(path):
        pass
    os.truncate(path, path.stat().st_size // 2)
    assert "is damaged: database disk image is malformed" in await refused(path)


async def test_a_store_cut_off_inside_its_first_page_is_refused(path):
    async with Store(path):
        pass
    os.truncate(path, 1000)
    assert await refused(path)


async def test_a_folder_at_the_path_is_refused(path):
    path.mkdir()
    assert f"{path}: Is a directory (check store.path)" in await refused(path)


async def test_a_file_where_a_folder_should_be_is_refused(tmp_path):
    (tmp_path / "state").write_text("")
    assert "check store.path" in await refused(tmp_path / "state" / "p21d.db")


async def test_a_folder_at_the_path_of_the_lock_is_refused(path):
    path.with_name("p21d.db.lock").mkdir()
    assert "p21d.db.lock: Is a directory" in await refused(path)


async def test_a_place_that_cannot_do_wal_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ":memory:").touch()
    assert "cannot be kept safely there (journal memory)" in await refused(Path(":memory:"))


async def test_opening_and_closing_are_finished_when_the_caller_is_cancelled(path):
    before, opened = set(threading.enumerate()), []
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with Store(path) as store:
            opened.append(store)
            await anyio.lowlevel.checkpoint()
    left = set(threading.enumerate()) - before
    for thread in left:  # told to end, it may still be on its last lines
        thread.join(5)
    assert (scope.cancelled_caught, len(opened), [thread for thread in left if thread.is_alive()]) == (True, 1, [])


def test_the_thread_of_a_store_that_cannot_be_opened_ends_before_the_loop(path):
    path.write_bytes(b"not a database" * 1000)
    for _ in range(5):
        with pytest.raises(StoreError):
            anyio.run(open_once, path)


async def open_once(path):
    async with Store(path):
        pass


@pytest.fixture
def shared_folder():
    """A folder that any user may enter; those under tmp_path are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def refused_to_another_user(start_python, path):
    process = start_python(UNPRIVILEGED, path)
    words, trace = process.communicate(timeout=20)
    assert trace == ""
    return json.loads(words)


def test_a_read_only_folder_is_refused_with_the_owner_as_hint(start_python, shared_folder):
    shared_folder.chmod(0o555)
    kind, message, hint = refused_to_another_user(start_python, shared_folder / "p21d.db")
    assert (kind, message) == ("PermissionRefused", f"{shared_folder / 'p21d.db.lock'}: Permission denied")
    assert "the service user must own store.path" in hint


def test_a_read_only_file_is_refused_with_the_owner_as_hint(start_python, shared_folder):
    path = shared_folder / "p21d.db"
    anyio.run(open_once, path)
    path.chmod(0o444)
    path.with_name("p21d.db.lock").chmod(0o666)
    kind, message, hint = refused_to_another_user(start_python, path)
    assert (kind, message) == ("PermissionRefused", f"{path}: Permission denied")
    assert "the service user must own store.path" in hint
