"""The command line: one file per command group; the daemon is reached only through its control socket.

A further command is one more name in COMMANDS.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from p21d import __version__
from p21d.cli.backup import backup
from p21d.cli.check import check
from p21d.cli.config_command import config
from p21d.cli.cycles import cycles
from p21d.cli.dead_letters import dead_letters
from p21d.cli.demo import demo
from p21d.cli.ending import Commands
from p21d.cli.events import events
from p21d.cli.live import log_level, pause, reload, resume
from p21d.cli.orders import orders
from p21d.cli.place import DEFAULT_CONFIG, Place
from p21d.cli.plugins import plugins
from p21d.cli.rebind import rebind
from p21d.cli.run import run
from p21d.cli.sandbox import sandbox
from p21d.cli.status import status
from p21d.cli.sync import sync
from p21d.cli.torture import torture

COMMANDS: tuple[click.Command, ...] = (
    run,
    demo,
    sandbox,
    check,
    status,
    sync,
    reload,
    pause,
    resume,
    dead_letters,
    orders,
    cycles,
    events,
    plugins,
    config,
    rebind,
    backup,
    log_level,
    torture,
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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


for _command in COMMANDS:
    commands.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `arguments` are the process's own unless given."""
    return commands.run(arguments)
