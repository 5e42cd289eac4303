"""The command line: one file per command group; the daemon is reached only through its control socket.

A further command is one more name in COMMANDS.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from p21d import __version__
from p21d.cli.ending import Commands
from p21d.cli.place import DEFAULT_CONFIG, Place

COMMANDS = {
    "run": "run:run",
    "demo": "demo:demo",
    "sandbox": "sandbox:sandbox",
    "check": "check:check",
    "status": "status:status",
    "sync": "sync:sync",
    "reload": "live:reload",
    "pause": "live:pause",
    "resume": "live:resume",
    "dead-letters": "dead_letters:dead_letters",
    "orders": "orders:orders",
    "cycles": "cycles:cycles",
    "events": "events:events",
    "plugins": "plugins:plugins",
    "config": "config_command:config",
    "rebind": "rebind:rebind",
    "backup": "backup:backup",
    "log-level": "live:log_level",
    "torture": "torture:torture",
}
"""The commands in the order of `--help`, each by its module here and its name in it; loaded when it is asked for."""


@click.group(cls=Commands, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    envvar="P21D_CONFIG",
    default=DEFAULT_CONFIG,
    show_default=True,
    show_envvar=True,
    type=click.Path(path_type=Path, readable=False),
    help="The configuration file.",
)
@click.option(
    "--socket",
    "socket_path",
    envvar="P21D_SOCKET",
    show_envvar=True,
    type=click.Path(path_type=Path, readable=False),
    help="The daemon's control socket; default: control.socket of the configuration.",
)
@click.version_option(__version__, prog_name="p21d", message="%(prog)s %(version)s")
@click.pass_context
def commands(context: click.Context, config_path: Path, socket_path: Path | None) -> None:
    """Keep Epicor Prophet 21 and an integration hub in step.

    Data goes to stdout, words to stderr. Exit codes: 0 done, 1 some records have no good end, 64 usage, 65 unusable
    input, 69 the daemon or a system does not answer, 75 try later, 77 no permission, 78 configuration.
    """
    context.obj = Place(config_path=config_path, socket_option=socket_path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `arguments` are the process's own unless given."""
    return commands.run(arguments)
