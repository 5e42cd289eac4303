"""`p21d dead-letters`: look at them, try them again, or give them up."""

from __future__ import annotations

import click

from p21d.cli.ending import end
from p21d.cli.output import json_option, plain, print_json, print_table, words
from p21d.cli.place import Place
from p21d.cli.tally import exit_code, missing_count, tally_text
from p21d.cli.times import local_seconds_text, local_text
from p21d.control.answers import DeadLetterAnswer, DeadLetterRequest, DeadLettersAnswer


@click.group("dead-letters")
def dead_letters() -> None:
    """Show, replay and discard records that ended without being delivered."""


@dead_letters.command("list")
@click.argument("entity", default="")
@click.option("--key", default="", help="Only this key.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000), help="How many, at most.")
@click.option("--before", default=0, type=click.IntRange(0), help="The next page: the id of the last one seen.")
@json_option
@click.pass_obj
def list_(place: Place, entity: str, key: str, limit: int, before: int, as_json: bool) -> None:
    """List open dead letters, the newest first; of ENTITY alone when it is given."""
    found = place.ask(lambda client: client.dead_letters(entity=entity, key=key, limit=limit, before=before))
    if as_json:
        print_json(DeadLettersAnswer(dead_letters=found))
        return
    print_table(("ID", "ENTITY", "KEY", "TIMES", "LAST", "CODE", "ERROR"), [_cells(letter) for letter in found])
    if len(found) == limit:
        words(f"there may be more: --before {found[-1].id}")


@dead_letters.command()
@click.argument("entity")
@click.argument("key")
@json_option
@click.pass_obj
def show(place: Place, entity: str, key: str, as_json: bool) -> None:
    """Show all there is about the open dead letters of one KEY, with the record as it was sent."""
    found = place.ask(lambda client: client.dead_letters(entity=entity, key=key))
    if as_json:
        print_json(DeadLettersAnswer(dead_letters=found))
    for letter in [] if as_json else found:
        click.echo(_whole(letter))
    if not found:
        words(f"no open dead letter for {entity} {key}")
        end(1)


@dead_letters.command()
@click.argument("entity")
@click.argument("keys", nargs=-1)
@click.option("--code", default="", help="Only those with this code.")
@json_option
@click.pass_obj
def replay(place: Place, entity: str, keys: tuple[str, ...], code: str, as_json: bool) -> None:
    """Read the rows of dead letters from P21 again and deliver them: of KEYS, of one code, or all of ENTITY.

    Exit code 1 when some have no good end this time either.
    """
    request = DeadLetterRequest(entity=entity, keys=list(keys), code=code)
    answer = place.ask(lambda client: client.replay(request))
    if as_json:
        print_json(answer)
    else:
        click.echo(tally_text(answer.tally))
        if answer.note:
            words(answer.note)
    end(exit_code(answer.tally, missing=missing_count(answer)))


@dead_letters.command()
@click.argument("entity")
@click.argument("keys", nargs=-1)
@click.option("--code", default="", help="Only those with this code.")
@click.option("--all", "all_", is_flag=True, help="All of ENTITY; needed where neither KEYS nor --code are given.")
@click.option("--because", default="", metavar="TEXT", help="The reason, kept with the dead letter.")
@json_option
@click.pass_obj
def discard(
    place: Place, entity: str, keys: tuple[str, ...], code: str, all_: bool, because: str, as_json: bool
) -> None:
    """Close dead letters without delivering them."""
    if not (keys or code or all_) or (all_ and (keys or code)):
        raise click.UsageError("give KEYS, --code, or --all for every dead letter of the entity")
    request = DeadLetterRequest(entity=entity, keys=list(keys), code=code, because=because)
    answer = place.ask(lambda client: client.discard(request))
    if as_json:
        print_json(answer)
    else:
        words(answer.done)


def _cells(letter: DeadLetterAnswer) -> list[str]:
    last = local_text(letter.last_at)
    return [str(letter.id), letter.entity, letter.key, str(letter.times), last, letter.code, letter.error]


def _whole(letter: DeadLetterAnswer) -> str:
    parent = f"{letter.parent_entity} {letter.parent_key}".strip()
    lines = {
        "id": str(letter.id),
        "entity": letter.entity,
        "key": letter.key,
        "external id": letter.external_id,
        "code": letter.code,
        "error": letter.error,
        "hint": letter.hint,
        "parent": parent,
        "attempts": f"{letter.attempts}, met {letter.times} times",
        "first": local_seconds_text(letter.first_at),
        "last": local_seconds_text(letter.last_at),
        "plug-in": letter.plugin,
        "sent": letter.body,
    }
    return plain("\n".join(f"{name + ':':13}{text}" for name, text in lines.items() if text) + "\n")
