"""How a command ends: its exit code by sysexits, and an error in words on stderr, never a traceback.

Why a command is loaded only when it is named: `p21d run` has no use for the tables of the others, nor `p21d status` for
the daemon.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from p21d.cli.output import plain
from p21d.errors import P21dError

INTERRUPTED = 130
"""What a shell shows for a program ended by Ctrl-C."""


class Commands(click.Group):
    """A group whose failures end in words and an exit code of sysexits; click alone would say 2 or 1."""

    def __init__(self, *arguments: Any, places: Mapping[str, str], **options: Any) -> None:
        """`places` says in which module of this package each command stands, and under which name: `live:pause`."""
        super().__init__(*arguments, **options)
        self._places = places

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(self._places)

    def get_command(self, _context: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command, None where there is none of that name."""
        if cmd_name not in self._places:
            return None
        module, _, name = self._places[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"p21d.cli.{module}"), name)
        return command

    def run(self, arguments: Sequence[str] | None = None) -> int:
        """Run a command and return its exit code."""
        try:
            code = self.main(arguments, prog_name="p21d", standalone_mode=False)
            sys.stdout.flush()
        except click.UsageError as error:
            error.show()
            return os.EX_USAGE
        except click.ClickException as error:
            return _say(error.format_message(), "", os.EX_USAGE)
        except P21dError as error:
            return _say(error.message, error.hint, error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            return _say("interrupted", "", INTERRUPTED)
        except BrokenPipeError:
            return _leave_closed_pipe()
        return code if isinstance(code, int) else os.EX_OK


def say_error(message: str, hint: str = "") -> None:
    """Print an error the way every command does."""
    click.echo(f"p21d: {plain(message)}", err=True)
    if hint:
        click.echo(f"  {plain(hint)}", err=True)


def end(code: int) -> Any:
    """End the command with that exit code."""
    click.get_current_context().exit(code)


def leave(code: int) -> None:
    """End the process now, whatever its threads wait for: one may be reading a pipe that nobody closes."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _say(message: str, hint: str, code: int) -> int:
    say_error(message, hint)
    return code


def _leave_closed_pipe() -> int:
    # `p21d cycles | head`: the reader has what it wanted; without this Python complains once more when it exits
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return os.EX_OK
