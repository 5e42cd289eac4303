"""`p21d sync ENTITY --keys-from FILE`: reads the file, shows progress, and says at the end what became of the keys."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from p21d.cli.bulk import CHUNK_KEYS, Bulk, sync_keys
from p21d.cli.bulk_progress import Shown, progress
from p21d.cli.ending import INTERRUPTED, end, leave, say_error
from p21d.cli.keys_file import Header, KeyColumns, read_keys
from p21d.cli.loop import run
from p21d.cli.output import one_line, print_json, words
from p21d.cli.place import Place
from p21d.cli.tally import exit_code, tally_text
from p21d.clock import SystemClock
from p21d.control.client import ControlClient

AGAIN = "run the same command again to do the rest: records that were delivered are unchanged and cost nothing"


def sync_file(place: Place, entity: str, path: Path, *, force: bool, as_json: bool) -> None:
    """Sync the keys in `path` (`-`: stdin) and end the command with the exit code they mean."""
    columns = KeyColumns(entity=entity, key=place.ask(lambda client: _key_columns(client, entity)))
    total = _count(path, columns)
    bulk = Bulk()
    clock = SystemClock()
    interrupted = False
    with progress(entity, total, clock) as shown, _lines(path) as lines:
        try:
            run(_sync, bulk, read_keys(lines, columns, met_header=_announce), place, entity, force, shown)
        except KeyboardInterrupt:
            interrupted = True
    _report(bulk, total, as_json=as_json, interrupted=interrupted)


async def _sync(bulk: Bulk, keys: Iterator[str], place: Place, entity: str, force: bool, shown: Shown) -> None:
    async with ControlClient(place.socket) as client:
        await sync_keys(bulk, keys, client.sync, entity=entity, force=force, progressed=lambda: shown.update(bulk.keys))


async def _key_columns(client: ControlClient, entity: str) -> list[str]:
    """Return the entity's key columns; none for a name the daemon does not know, which it refuses by itself."""
    return next((known.key for known in await client.entities() if known.entity == entity), [])


def _count(path: Path, columns: KeyColumns) -> int | None:
    """Return how many keys a file has, so that a bad line is found before the first is sent; None for a pipe."""
    if not path.is_file():
        return None
    with _lines(path) as lines:
        return sum(1 for _ in read_keys(lines, columns))


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[str]]:
    if str(path) == "-":
        text = io.TextIOWrapper(sys.stdin.buffer, "utf-8-sig")
        try:
            yield iter(text)
        finally:
            text.detach()  # else it would close the process's stdin when it is collected
    else:
        with path.open(encoding="utf-8-sig") as file:
            yield iter(file)


def _announce(header: Header) -> None:
    """Say which columns a header gave the keys: a first key must not be taken for a header unseen."""
    words(f"the first line is taken as a header; keys from: {one_line(', '.join(header.key_names))}")


def _report(bulk: Bulk, total: int | None, *, as_json: bool, interrupted: bool) -> None:
    code = exit_code(bulk.tally, missing=bulk.missing_count)
    if as_json:
        print_json(_as_data(bulk))
    else:
        of = f" of {total:,}" if total is not None and total != bulk.keys else ""
        click.echo(f"{bulk.keys:,}{of} keys: {tally_text(bulk.tally)}")
    for note in sorted(bulk.notes):
        words(note)
    if bulk.missing:
        more = f" and {bulk.missing_count - len(bulk.missing):,} more" if bulk.missing_count > len(bulk.missing) else ""
        words(f"P21 does not have {bulk.missing_count:,} of them: {', '.join(bulk.missing)}{more}")
    if bulk.error is not None:
        say_error(bulk.error.message, bulk.error.hint)
        code = bulk.error.exit_code
    if bulk.error is not None or interrupted:
        words(f"stopped after {bulk.keys:,}{f' of {total:,}' if total is not None else ''} keys, up to "
              f"{2 * CHUNK_KEYS:,} more may be done; {AGAIN}")  # fmt: skip
    if interrupted:
        leave(INTERRUPTED)
    end(code)


def _as_data(bulk: Bulk) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "keys": bulk.keys,
        "tally": bulk.tally,
        "missing": bulk.missing,
        "missing_count": bulk.missing_count,
        "error": bulk.error.message if bulk.error else "",
    }
