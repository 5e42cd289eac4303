"""`p21d run`: the daemon itself."""

from __future__ import annotations

import click

from p21d.cli.ending import end
from p21d.cli.place import Place
from p21d.collector import spare_collector
from p21d.crash import show_crashes_without_secrets


@click.command()
@click.pass_obj
def run(place: Place) -> None:
    """Run the daemon in the foreground until it is told to stop.

    SIGHUP reloads; SIGTERM and SIGINT drain and end. systemd starts it this way (see systemd/p21d.service).
    """
    spare_collector()
    from p21d.daemon import run as run_daemon  # noqa: PLC0415  # after it: the engine is many objects

    show_crashes_without_secrets()
    end(run_daemon(place.config_path))
