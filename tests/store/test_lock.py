"""One daemon per store, and no lock outlives its holder."""

from __future__ import annotations

from pathlib import Path

import pytest

from p21d.errors import AlreadyRunning
from p21d.store.database import Store
from p21d.store.lock import StoreLock

HOLDER = """
    import sys
    from pathlib import Path
    from p21d.store.lock import StoreLock
    StoreLock(Path(sys.argv[1])).acquire()
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(start_python, path):
    process = start_python(HOLDER, path)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_daemon_is_told_which_process_holds_the_store(start_python, path):
    holder = hold(start_python, path)
    with pytest.raises(AlreadyRunning) as caught:
        StoreLock(path).acquire()
    assert caught.value.message == f"the store {path} is in use by p21d, pid {holder.pid}"
    assert "its own store.path" in caught.value.hint


def test_the_lock_is_free_after_its_holder_was_killed(start_python, path):
    holder = hold(start_python, path)
    holder.kill()
    holder.wait(10)
    lock = StoreLock(path)
    lock.acquire()
    lock.release()


def test_a_symbolic_link_to_a_store_is_the_same_store(start_python, path):
    path.touch()
    other = path.with_name("other.db")
    other.symlink_to(path)
    hold(start_python, path)
    with pytest.raises(AlreadyRunning):
        StoreLock(other).acquire()


async def test_a_store_in_use_is_not_opened_twice(store, path):
    with pytest.raises(AlreadyRunning):
        async with Store(path):
            pass


def test_the_lock_names_its_present_holder_only(path):
    path.with_name("p21d.db.lock").write_text("p21d, pid 1234567890123456\nsomething longer\n")
    first, second = StoreLock(path), StoreLock(path)
    first.acquire()
    with pytest.raises(AlreadyRunning) as caught:
        second.acquire()
    first.release()
    assert "1234567890123456" not in caught.value.message
    assert "something longer" not in caught.value.message


def test_a_released_lock_can_be_taken_again(path):
    lock = StoreLock(path)
    for _ in range(2):
        lock.acquire()
        lock.release()
    lock.release()


def test_a_refused_lock_leaves_no_file_open(path):
    holder = StoreLock(path)
    holder.acquire()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(AlreadyRunning):
        StoreLock(path).acquire()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    holder.release()
