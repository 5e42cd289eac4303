"""Commands that change a running daemon: reload, pause, resume, log-level."""

from __future__ import annotations

import os

import click

from p21d.cli.ending import end, say_error
from p21d.cli.output import json_option, plain, print_json, words
from p21d.cli.place import Place
from p21d.control.answers import DoneAnswer
from p21d.logs import LEVELS


@click.command()
@json_option
@click.pass_obj
def reload(place: Place, as_json: bool) -> None:
    """Read configuration, credentials and plug-ins again.

    A set that is not good is refused with exit code 78 and the daemon works on with the old one.
    """
    answer = place.ask(lambda client: client.reload())
    if as_json:
        print_json(answer)
    elif answer.reloaded:
        click.echo("reloaded")
        for change in answer.changes:
            click.echo(f"  {plain(change)}")
    if not answer.reloaded:
        path = f"{answer.path}: " if answer.path and not answer.error.startswith(answer.path) else ""
        say_error(f"not reloaded, the old configuration works on: {path}{answer.error}", answer.hint)
        end(os.EX_CONFIG)


@click.command()
@click.argument("entity")
@click.option("--because", default="", metavar="TEXT", help="The reason, shown by status until it is resumed.")
@json_option
@click.pass_obj
def pause(place: Place, entity: str, because: str, as_json: bool) -> None:
    """Start no new cycle of ENTITY until it is resumed; this outlives a restart."""
    _show(place.ask(lambda client: client.pause(entity, because)), as_json=as_json)


@click.command()
@click.argument("entity")
@json_option
@click.pass_obj
def resume(place: Place, entity: str, as_json: bool) -> None:
    """Let a paused or held ENTITY run at once."""
    _show(place.ask(lambda client: client.resume(entity)), as_json=as_json)


@click.command("log-level")
@click.argument("level", type=click.Choice(list(LEVELS)))
@json_option
@click.pass_obj
def log_level(place: Place, level: str, as_json: bool) -> None:
    """Change the log's LEVEL until the next start."""
    _show(place.ask(lambda client: client.set_log_level(level)), as_json=as_json)


def _show(answer: DoneAnswer, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        words(answer.done)
