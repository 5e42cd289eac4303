"""`p21d backup`: a copy of the store, of a running daemon or of one that is stopped."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from p21d.cli.loop import run
from p21d.cli.output import json_option, print_json, words
from p21d.cli.place import Place
from p21d.control.backup_client import read_backup
from p21d.errors import Unavailable


class BackupAnswer(msgspec.Struct, kw_only=True):
    """The file that was written, its size, and whether the daemon was running."""

    schema_version: int = 1
    file: str
    bytes: int
    running: bool


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def backup(place: Place, file: Path, as_json: bool) -> None:
    """Copy the store into FILE, whether the daemon runs or not.

    An older backup of that name is replaced once the new one is whole and checked; any other file is left alone (exit
    code 78). FILE holds what dead letters hold, customers' data: only its owner may read it. To restore: stop p21d, cp
    FILE over store.path, start p21d.
    """
    answer = _backed_up(place, file.absolute())
    if as_json:
        print_json(answer)
    else:
        words(f"the store is in {answer.file}, {answer.bytes:,} bytes")


def _backed_up(place: Place, target: Path) -> BackupAnswer:
    from p21d.store.backup import refuse_other_files  # noqa: PLC0415  # the store is not needed to ask a running daemon
    from p21d.store.failure import explained  # noqa: PLC0415

    with explained(target):
        refuse_other_files(target)
        try:
            _ask(place, target)
            running = True
        except Unavailable as error:
            _copy(place, target, error)
            running = False
        return BackupAnswer(file=str(target), bytes=target.stat().st_size, running=running)


def _ask(place: Place, target: Path) -> None:
    """Let the running daemon copy its store; raises Unavailable where none runs."""
    from p21d.store.backup import partial_of  # noqa: PLC0415
    from p21d.store.integrity import check  # noqa: PLC0415

    partial = partial_of(target)
    try:
        run(read_backup, place.socket, partial)
        check(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _copy(place: Place, target: Path, nobody: Unavailable) -> None:
    """Copy the store of a stopped daemon; raises AlreadyRunning where a daemon holds it that does not answer."""
    from p21d.config_file import load_config  # noqa: PLC0415
    from p21d.store.backup import copy_store  # noqa: PLC0415
    from p21d.store.lock import StoreLock  # noqa: PLC0415

    store = load_config(place.config_path).store.path
    if not os.path.lexists(store):
        raise Unavailable(f"{nobody.message}, and there is no store at {store}", system="p21d", hint=nobody.hint)
    lock = StoreLock(store)
    lock.acquire()
    try:
        copy_store(store, target)
    finally:
        lock.release()
