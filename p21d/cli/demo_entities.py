"""The first half of the demo: the entities get into step, and a table says what was read and what became of it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.status import Status as Spinner
from rich.table import Table
from rich.text import Text

from p21d.cli.demo_causes import causes
from p21d.cli.output import print_screen, words, wrapped
from p21d.cli.status_words import running_words
from p21d.clock import Clock
from p21d.control.answers import CycleAnswer, DeadLetterAnswer, Status
from p21d.control.client import ControlClient
from p21d.engine.fate import Tally
from p21d.errors import Unavailable

STEP_SECONDS = 0.5
MOST = 1000
"""Cycles and dead letters asked for: more than a demo of any size has."""


async def watch(socket: Path, clock: Clock, end_at: float) -> tuple[Status, list[CycleAnswer], list[DeadLetterAnswer]]:
    """Wait until every entity is in step and nothing waits, showing how far it is; return the last state."""
    console = Console(stderr=True)
    with console.status("starting") as spinner:
        while True:
            await clock.sleep(STEP_SECONDS)
            try:
                async with ControlClient(socket) as client:
                    status = await client.status()
                    if settled(status) or clock.monotonic() > end_at:
                        return status, await client.cycles(limit=MOST), await client.dead_letters(limit=MOST)
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


def show_entities(status: Status, cycles: list[CycleAnswer], letters: list[DeadLetterAnswer]) -> None:
    """Print the table: per entity what was read and what became of it; below it why some rows did not arrive."""
    table = Table("ENTITY", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for header in ("READ", "DELIVERED", "UNCHANGED", "SKIPPED", "WAITED", "DEAD", "SECS"):
        table.add_column(header, justify="right", no_wrap=True)
    for entity in status.entities:
        table.add_row(*map(Text, cells(entity.entity, cycles)))
    print_screen(table)
    for entity in status.entities:
        for reason, count in sorted(entity.skipped.items()):
            words(f"{entity.entity}: {count} skipped, {reason}")
    for cause in causes(letters):
        words(wrapped(cause.text))
        if went := cause.went_with_it:
            words(wrapped(went, indent=2))


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
