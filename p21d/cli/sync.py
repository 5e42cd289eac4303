"""`p21d sync`: read records from P21 now and deliver those that changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from p21d.cli.ending import end
from p21d.cli.output import json_option, print_json, words
from p21d.cli.place import Place
from p21d.cli.sync_file import sync_file
from p21d.cli.tally import exit_code, missing_count, tally_text
from p21d.cli.times import read_instant
from p21d.control.answers import SyncAnswer, SyncRequest


def _instant(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    try:
        return read_instant(value) if value else None
    except ValueError as error:
        raise click.BadParameter("expected a date or time such as 2026-12-01 or 2026-12-01T14:30") from error


@click.command()
@click.argument("entity")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option(
    "--since", metavar="TIME", callback=_instant, help="Rows modified since then; without a zone, this machine's."
)
@click.option("--days", type=click.FloatRange(0, min_open=True), help="Rows modified in the last so many days.")
@click.option(
    "--keys-from",
    type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True, path_type=Path),
    help="A file of keys, one a line, or a CSV with a header; - for stdin. Waits until all have a fate.",
)
@click.option("--all", "all_keys", is_flag=True, help="Every key, whatever its stamp says; finds vanished rows too.")
@click.option(
    "--confirm-removals",
    is_flag=True,
    help="With --all: make records inactive that P21 has no more, even if they are more than 5 %.",
)
@click.option("--force", is_flag=True, help="Send unchanged records too.")
@click.option("--wait", is_flag=True, help="Return when all rows have a fate.")
@json_option
@click.pass_obj
def sync(
    place: Place,
    entity: str,
    keys: tuple[str, ...],
    since: datetime | None,
    days: float | None,
    keys_from: Path | None,
    all_keys: bool,
    confirm_removals: bool,
    force: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Sync ENTITY on demand: the KEYs, the rows of a time, --all, or the whole look-back when none is given.

    A key of several columns is one argument, '12|10'. With --wait or --keys-from the exit code is 0 when every key is
    delivered, unchanged, skipped or waiting for a parent, 1 when some are dead-lettered or unfinished or P21 does not
    have them or --all asks for --confirm-removals, 75 when the daemon says try later.
    """
    _refuse_contradictions((keys, since, days is not None, keys_from, all_keys), confirms=confirm_removals)
    if keys_from is not None:
        sync_file(place, entity, keys_from, force=force, as_json=as_json)
        return
    request = SyncRequest(
        entity=entity,
        keys=list(keys),
        since=since,
        days=days,
        all=all_keys,
        confirm_removals=confirm_removals,
        force=force,
        wait=wait or (force and not keys and not all_keys),  # a forced window is never kept for later
    )
    answer = place.ask(lambda client: client.sync(request))
    if as_json:
        print_json(answer)
    else:
        _show(answer, waited=wait)
    if wait:
        end(1 if answer.status == "asks" else exit_code(answer.tally, missing=missing_count(answer)))


def _refuse_contradictions(chosen: Sequence[object], *, confirms: bool) -> None:
    if sum(map(bool, chosen)) > 1:
        raise click.UsageError("give one of KEY, --since, --days, --all and --keys-from")
    if confirms and not chosen[-1]:
        raise click.UsageError("--confirm-removals goes with --all")


def _show(answer: SyncAnswer, *, waited: bool) -> None:
    if not waited:
        note = f", {answer.note}" if answer.note else ""
        words(f"{answer.entity}: {answer.status}{note}; p21d cycles {answer.entity} shows its end")
        return
    click.echo(f"{answer.entity}: {answer.status}, {tally_text(answer.tally)}, in {answer.seconds:.1f} s")
    if answer.note:
        words(answer.note)
    if answer.status == "asks":
        words(f"p21d sync {answer.entity} --all --confirm-removals makes them inactive")
    if answer.missing:
        words(f"P21 does not have: {', '.join(answer.missing)}")
