"""`p21d sync`: read records from P21 now and deliver those that changed."""

from __future__ import annotations

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
    force: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Sync ENTITY on demand: the KEYs, the rows of a time, or the whole look-back when neither is given.

    A key of several columns is one argument, '12|10'. With --wait or --keys-from the exit code is 0 when every key is
    delivered, unchanged, skipped or waiting for a parent, 1 when some are dead-lettered or unfinished or P21 does not
    have them, 75 when the daemon says try later.
    """
    if sum((bool(keys), since is not None, days is not None, keys_from is not None)) > 1:
        raise click.UsageError("give one of KEY, --since, --days and --keys-from")
    if keys_from is not None:
        sync_file(place, entity, keys_from, force=force, as_json=as_json)
        return
    request = SyncRequest(entity=entity, keys=list(keys), since=since, days=days, force=force, wait=wait)
    answer = place.ask(lambda client: client.sync(request))
    if as_json:
        print_json(answer)
    elif wait:
        _show(answer)
    else:
        words(
            f"{entity}: {answer.status}{', ' + answer.note if answer.note else ''}; p21d cycles {entity} shows its end"
        )
    if wait:
        end(exit_code(answer.tally, missing=missing_count(answer)))


def _show(answer: SyncAnswer) -> None:
    click.echo(f"{answer.entity}: {answer.status}, {tally_text(answer.tally)}, in {answer.seconds:.1f} s")
    if answer.note:
        words(answer.note)
    if answer.missing:
        words(f"P21 does not have: {', '.join(answer.missing)}")
