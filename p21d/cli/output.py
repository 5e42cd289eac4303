"""What commands print with: JSON, tables and words; data on stdout, words on stderr.

Texts of other systems are shown without control characters: an error message of the hub must not move the cursor.
"""

from __future__ import annotations

import io
import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

F = TypeVar("F", bound=Callable[..., Any])
SCREEN_COLUMNS = 80
_WIDEST = 10_000


def json_option(command: F) -> F:
    """Give a command `--json`, as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, as the control socket answers it.")(
        command
    )


def print_json(value: Any) -> None:
    """Print a Struct, or what msgspec can encode, as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_json_line(value: Any) -> None:
    """Print a Struct as one line of JSON, at once: somebody may read along."""
    click.echo(msgspec.json.encode(value))


def words(text: str) -> None:
    """Print words for a person on stderr."""
    click.echo(plain(text), err=True)


def plain(text: str) -> str:
    """Return text without control characters other than line ends."""
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)


def one_line(text: str) -> str:
    """Return text in one line without control characters."""
    return " ".join(plain(text).split())


def wrapped(text: str, *, indent: int = 0) -> str:
    """Return text in lines of 80 columns, set in by `indent` and those after the first by two more."""
    return textwrap.fill(
        one_line(text),
        SCREEN_COLUMNS,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def colours() -> bool:
    """Return whether stdout shows colours: a terminal, and nobody asked for none (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_screen(screen: RenderableType) -> None:
    """Print something of rich's, 80 columns wide, without blanks at line ends."""
    click.echo(_rendered(screen, SCREEN_COLUMNS, colour=colours()))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their headers; the last column wraps at a terminal and stays whole in a pipe."""
    table = plain_table(headers)
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    width = Console().width if sys.stdout.isatty() else _WIDEST
    click.echo(_rendered(table, width, colour=False))


def plain_table(headers: Sequence[str]) -> Table:
    """Return a table without lines; its last column may wrap."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for header in headers:
        table.add_column(header, no_wrap=header != headers[-1], overflow="fold")
    return table


def _rendered(what: RenderableType, width: int, *, colour: bool) -> str:
    screen = io.StringIO()
    console = Console(
        file=screen, width=width, force_terminal=colour, color_system="standard" if colour else None, highlight=False
    )
    console.print(what)
    return "\n".join(line.rstrip() for line in screen.getvalue().rstrip().split("\n"))
