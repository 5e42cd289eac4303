"""`p21d events`: what happened last, and what happens now."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import click

from p21d.cli.ending import end, say_error
from p21d.cli.loop import run
from p21d.cli.output import json_option, print_json_line, wrapped
from p21d.cli.place import Place
from p21d.cli.times import local_seconds_text
from p21d.control.event_answers import EventAnswer
from p21d.control.event_client import read_events


@click.command()
@click.option("--entity", default="", help="Only what is about this entity.")
@click.option("--follow", is_flag=True, help="Go on with what happens, until Ctrl-C or the daemon's end.")
@json_option
@click.pass_obj
def events(place: Place, entity: str, follow: bool, as_json: bool) -> None:
    """Show the last 500 events since the start: cycles, holds, orders, reloads, requests of operators.

    With --json each is one line. With --follow the exit code is 69 when the daemon ends.
    """

    async def show() -> None:
        async for event in read_events(place.socket, entity=entity, follow=follow):
            if as_json:
                print_json_line(event)
            else:
                click.echo(event_text(event))

    run(show)
    if follow:
        say_error("the daemon has ended")
        end(os.EX_UNAVAILABLE)


def event_text(event: EventAnswer) -> str:
    """Return an event in lines of 80 columns, what is empty or zero in it left out."""
    if event.at is None:
        return f"({event.count} events lost: they came faster than they were read)"
    level = "" if event.level == "info" else event.level.upper()
    head = [local_seconds_text(event.at), level, event.entity, event.event]
    line = " ".join(part for part in head if part)
    said = ", ".join(_said(event.detail))
    return wrapped(f"{line}: {said}" if said else line)


def _said(detail: dict[str, Any]) -> Iterator[str]:
    for name, value in detail.items():
        text = _text(value)
        if text not in ("", "0", "None"):
            yield f"{name.replace('_', ' ')} {text}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(_said(value))
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
