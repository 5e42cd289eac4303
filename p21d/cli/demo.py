"""`p21d demo`: both simulators and the daemon, from nothing to tables of what was delivered and of what orders became.

It is over when every entity is in step and every order of the hub that P21 can take is linked, or at the deadline.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from p21d.cli.demo_entities import settled, show_entities, watch
from p21d.cli.demo_orders import all_written, order_some, show_orders
from p21d.cli.ending import end
from p21d.cli.loop import run
from p21d.cli.output import words, wrapped
from p21d.cli.status_words import stuck
from p21d.clock import SystemClock

DEADLINE_SECONDS = 90.0


@click.command()
@click.option("--rows", default=1000, show_default=True, help="Items of the distributor; all else grows with them.")
@click.option("--keep", is_flag=True, help="Keep the folder with configuration, store and log.")
def demo(rows: int, keep: bool) -> None:
    """Show p21d at work: a Prophet 21, a hub and the daemon on this machine, for a minute and a half at most."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="p21d-demo-"))
        if not keep:
            stack.callback(remove, folder)
        words(f"starting a Prophet 21 with {rows} items, a hub and p21d" + (f", in {folder}" if keep else ""))
        config = stack.enter_context(sandbox(folder, rows))
        stack.enter_context(daemon(folder, config))
        if not run(play, folder / "control.sock", config):
            words(f"not everything arrived as it should within {DEADLINE_SECONDS:g} s")
            end(os.EX_TEMPFAIL)


async def play(socket: Path, config: Path) -> bool:
    """Show how the entities get into step, then how orders of the hub get into P21; tell whether all did in time."""
    clock = SystemClock()
    end_at = clock.monotonic() + DEADLINE_SECONDS
    status, cycles, letters = await watch(socket, clock, end_at)
    show_entities(status, cycles, letters)
    if not settled(status):
        for trouble in stuck(status):
            words(wrapped(trouble.what))
        return False
    ordered = await order_some(socket, config, clock, end_at)
    show_orders(ordered)
    return all_written(ordered)


@contextmanager
def sandbox(folder: Path, rows: int) -> Iterator[Path]:
    """Run both simulators; yield the path of the configuration they print, with store and socket in the folder."""
    command = [
        sys.executable,
        "-m",
        "p21d",
        "sandbox",
        "--port=0",
        "--hub-port=0",
        f"--rows={rows}",
        f"--folder={folder}",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        config = folder / "p21d.yaml"
        config.touch(mode=0o600)
        config.write_text("".join(iter(process.stdout.readline, "\n") if process.stdout else ()))
        try:
            yield config
        finally:
            stop(process)


@contextmanager
def daemon(folder: Path, config: Path) -> Iterator[None]:
    """Run the daemon as an administrator would, its log in the folder."""
    command = [sys.executable, "-m", "p21d", f"--config={config}", "run"]
    with (
        (folder / "p21d.log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,  # noqa: S603  # our own command
    ):
        try:
            yield
        finally:
            stop(process)


def stop(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Ask a process to end and wait for it."""
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)


def remove(folder: Path) -> None:
    """Remove the demo's folder."""
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
