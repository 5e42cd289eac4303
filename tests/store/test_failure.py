"""Each failure of SQLite and of the system becomes the error that says what to do."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from p21d.errors import P21dError, PermissionRefused, StoreDamaged, StoreError, StoreFull
from p21d.store.failure import explain, explained

WRITE_BEYOND_LIMIT = """
    import resource, sys
    from datetime import UTC, datetime
    from pathlib import Path
    import anyio
    from p21d.errors import P21dError
    from p21d.store.database import Store

    NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
    REASONS = {str(number): "r" * 1000 for number in range(1000)}

    async def main(path):
        async with Store(path) as store:
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
            try:
                async with store.transaction() as tables:
                    await tables.skipped.record("customer", REASONS, NOON)
            except P21dError as error:
                print(type(error).__name__, error, sep="|")
            print(await store.read.skipped.counts())
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    anyio.run(main, Path(sys.argv[1]))
"""
"""A file-size limit is a disk error that needs no broken disk: SQLite gets EFBIG for its write."""


def sqlite_error(code: int, words: str) -> sqlite3.Error:
    error = sqlite3.OperationalError(words)
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_NAME"
    return error


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_FULL, StoreFull, "no room left"),
        (sqlite3.SQLITE_IOERR_SHMSIZE, StoreFull, "no room left"),
        (sqlite3.SQLITE_READONLY, PermissionRefused, "is read-only"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, PermissionRefused, "is read-only"),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreError, "moved or removed"),
        (sqlite3.SQLITE_PERM, PermissionRefused, "is read-only"),
        (sqlite3.SQLITE_CANTOPEN, StoreError, "cannot be opened"),
        (sqlite3.SQLITE_NOTADB, StoreError, "is not a store of p21d"),
        (sqlite3.SQLITE_CORRUPT, StoreDamaged, "is damaged"),
        (sqlite3.SQLITE_CORRUPT_INDEX, StoreDamaged, "is damaged"),
        (sqlite3.SQLITE_BUSY, StoreError, "another program holds"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreError, "another program holds"),
        (sqlite3.SQLITE_IOERR, StoreError, "the disk of the store"),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreError, "the disk of the store"),
        (sqlite3.SQLITE_CONSTRAINT, StoreError, "fails"),
    ],
)
def test_a_result_code_decides_the_error(code, kind, words):
    found = explain(sqlite_error(code, "some words"), Path("p21d.db"))
    assert type(found) is kind
    assert words in found.message


def test_an_error_without_a_code_keeps_its_words():
    found = explain(sqlite3.ProgrammingError("Cannot operate on a closed database."), Path("p21d.db"))
    assert str(found) == "the store p21d.db fails: Cannot operate on a closed database."


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EACCES, PermissionRefused),
        (errno.EPERM, PermissionRefused),
        (errno.EROFS, PermissionRefused),
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EISDIR, StoreError),
        (errno.EIO, StoreError),
    ],
)
def test_an_error_number_of_the_system_decides_the_error(number, kind):
    with pytest.raises(P21dError) as caught, explained(Path("p21d.db")):
        raise OSError(number, "words")
    assert type(caught.value) is kind


def test_a_database_that_another_program_holds_is_named_so(path):
    with closing(sqlite3.connect(path)) as holder, closing(sqlite3.connect(path, timeout=0)) as second:
        holder.execute("BEGIN EXCLUSIVE")
        with (
            pytest.raises(StoreError, match=r"another program holds .* database is locked \(SQLITE_BUSY\)"),
            explained(path),
        ):
            second.execute("BEGIN IMMEDIATE")


def test_a_database_opened_read_only_is_named_so(path):
    sqlite3.connect(path).close()
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with closing(reader), pytest.raises(PermissionRefused, match="is read-only"), explained(path):
        reader.execute("CREATE TABLE t (a)")


def test_a_missing_file_is_named_so(path):
    with pytest.raises(StoreError, match=r"cannot be opened: unable to open database file"), explained(path):
        sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def test_a_write_the_disk_refuses_is_named_and_rolled_back(start_python, path):
    process = start_python(WRITE_BEYOND_LIMIT, path)
    words, trace = process.communicate(timeout=20)
    assert trace == ""
    kind, rest = words.split("|")
    assert kind == "StoreError"
    assert f"the disk of the store {path} fails: disk I/O error (SQLITE_IOERR_WRITE)" in rest
    assert rest.endswith("\n{}\n")
