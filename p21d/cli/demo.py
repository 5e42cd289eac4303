"""`p21d demo`: both simulators and the daemon, from nothing to a table of what was delivered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import anyio
import click
from rich.console import Console
from rich.status import Status as Spinner

from p21d.cli.ending import end
from p21d.cli.output import print_table, words
from p21d.cli.status_words import running_words
from p21d.clock import SystemClock
from p21d.control.answers import CycleAnswer, DeadLetterAnswer, Status
from p21d.control.client import ControlClient
from p21d.engine.fate import Tally
from p21d.errors import Unavailable

DEADLINE_SECONDS = 90.0
STEP_SECONDS = 0.5


@click.command()
@click.option("--rows", default=1000, show_default=True, help="Items of the distributor; all else grows with them.")
@click.option("--keep", is_flag=True, help="Keep the folder with configuration, store and log.")
def demo(rows: int, keep: bool) -> None:
    """Show p21d at work: a Prophet 21, a hub and the daemon on this machine, for a minute at most."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="p21d-demo-"))
        if not keep:
            stack.callback(remove, folder)
        words(f"starting a Prophet 21 with {rows} items, a hub and p21d" + (f", in {folder}" if keep else ""))
        config = stack.enter_context(sandbox(folder, rows))
        stack.enter_context(daemon(folder, config))
        status, cycles, letters = anyio.run(watch, folder / "control.sock", backend_options={"use_uvloop": True})
        show(status, cycles, letters)
        if not settled(status):
            words(f"not everything arrived within {DEADLINE_SECONDS:g} s")
            end(os.EX_TEMPFAIL)


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


async def watch(socket: Path) -> tuple[Status, list[CycleAnswer], list[DeadLetterAnswer]]:
    """Wait until every entity is in step and nothing waits, showing how far it is; return the last state."""
    clock = SystemClock()
    end_at = clock.monotonic() + DEADLINE_SECONDS
    console = Console(stderr=True)
    with console.status("starting") as spinner:
        while True:
            await clock.sleep(STEP_SECONDS)
            try:
                async with ControlClient(socket) as client:
                    status = await client.status()
                    if settled(status) or clock.monotonic() > end_at:
                        return status, await client.cycles(limit=1000), await client.dead_letters()
            except Unavailable:
                if clock.monotonic() > end_at:
                    raise
            else:
                tell(spinner, status, terminal=console.is_terminal)


def tell(spinner: Spinner, status: Status, *, terminal: bool) -> None:
    """Say what is under way, where there is a terminal to say it on."""
    running = [f"{entity.entity}: {running_words(entity)}" for entity in status.entities if entity.running]
    if terminal:
        spinner.update("; ".join(running) or "settling")


def settled(status: Status) -> bool:
    """Tell whether every entity has caught up and nothing is on its way."""
    return all(
        entity.state == "in step" and not (entity.waiting or entity.triggered or entity.running)
        for entity in status.entities
    )


def show(status: Status, cycles: list[CycleAnswer], letters: list[DeadLetterAnswer]) -> None:
    """Print the table: per entity what was read and what became of it; below it why some rows did not arrive."""
    print_table(
        ("ENTITY", "READ", "DELIVERED", "UNCHANGED", "SKIPPED", "WAITED", "DEAD", "SECONDS"),
        [cells(entity.entity, cycles) for entity in status.entities],
    )
    for entity in status.entities:
        for reason, count in sorted(entity.skipped.items()):
            words(f"{entity.entity}: {count} skipped, {reason}")
    for letter in letters:
        words(f"{letter.entity} {letter.key}: dead-lettered, {letter.error}")


def cells(entity: str, cycles: list[CycleAnswer]) -> list[str]:
    """Return one line of the table. A release cycle reads rows again: of it only what it delivered counts."""
    tally, seconds = Tally(), 0.0
    for cycle in cycles:
        if cycle.entity == entity:
            again = Tally(read=cycle.tally.delivered, delivered=cycle.tally.delivered)
            tally.add(again if cycle.kind == "release" else cycle.tally)
            seconds += (cycle.ended_at - cycle.started_at).total_seconds()
    counts = (tally.read, tally.delivered, tally.unchanged, tally.skipped, tally.waiting, tally.dead_lettered)
    return [entity, *map(str, counts), f"{seconds:.1f}"]
