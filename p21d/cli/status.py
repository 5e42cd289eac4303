"""`p21d status`: the one screen that says whether all is well, and what to do where it is not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from p21d.cli.loop import run
from p21d.cli.output import SCREEN_COLUMNS, colours, json_option, plain, print_json, print_screen
from p21d.cli.place import Place
from p21d.cli.status_screen import status_screen
from p21d.clock import Clock, SystemClock
from p21d.control.answers import Status
from p21d.control.client import ControlClient
from p21d.errors import P21dError

WATCH_SECONDS = 2.0
Show = Callable[[Status | P21dError], None]


@click.command()
@click.option("--watch", is_flag=True, help="Show it again every 2 seconds until Ctrl-C.")
@json_option
@click.pass_obj
def status(place: Place, watch: bool, as_json: bool) -> None:
    """Show how far each entity is, what is stuck, why, and what to do.

    The exit code is 0 whatever it shows; monitoring asks /ready of the control socket instead.
    """
    show = _show_json if as_json else _show_screen
    if not watch:
        show(place.ask(lambda client: client.status()))
    elif as_json or not sys.stdout.isatty():
        run(watch_status, place.socket, show, SystemClock())
    else:
        _watch_live(place.socket)


async def watch_status(socket: Path, show: Show, clock: Clock) -> None:
    """Show the status again and again; a daemon that restarts meanwhile is shown as an error, then as itself."""
    while True:
        try:
            async with ControlClient(socket) as client:
                found: Status | P21dError = await client.status()
        except P21dError as error:
            found = error
        show(found)
        await clock.sleep(WATCH_SECONDS)


def _watch_live(socket: Path) -> None:
    console = Console(width=min(Console().width, SCREEN_COLUMNS), no_color=not colours(), highlight=False)
    with Live(console=console, auto_refresh=False, screen=True) as live:
        run(watch_status, socket, lambda found: live.update(_screen(found), refresh=True), SystemClock())


def _show_json(found: Status | P21dError) -> None:
    if isinstance(found, Status):
        print_json(found)
    else:
        _show_screen(found)


def _show_screen(found: Status | P21dError) -> None:
    if isinstance(found, Status):
        print_screen(_screen(found))
    else:
        click.echo(f"p21d: {plain(str(found))}", err=True)


def _screen(found: Status | P21dError) -> RenderableType:
    return status_screen(found) if isinstance(found, Status) else Text(plain(str(found)))
