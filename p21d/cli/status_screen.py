"""The status screen, at most 80 columns: the two systems, a line per entity, and what is stuck in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from p21d.cli.output import one_line
from p21d.cli.status_words import orders_line, running_words, stuck
from p21d.cli.times import ago, local_text, span_text
from p21d.control.answers import EntityStatus, Status, SystemStatus

_STYLES = {
    "in step": "green",
    "held": "red",
    "retrying": "yellow",
    "paused": "yellow",
    "catching up": "cyan",
    "starting": "cyan",
}


def status_screen(status: Status) -> Group:
    """Return the screen of a status."""
    return Group(*_lines(status))


def _lines(status: Status) -> Iterator[RenderableType]:
    up = span_text((status.now - status.started_at).total_seconds())
    yield Text(f"p21d {status.version}, {one_line(status.state)}, up {up}, pid {status.pid}, {status.config_path}")
    yield from _system(status.prophet21, status.now)
    yield from _system(status.sink, status.now)
    yield Text(f"{status.slots_used} of {status.slots_total} batches under way")
    yield Text("")
    yield _table(status)
    if status.orders is not None:
        yield Text(one_line(orders_line(status.orders)))
    yield Text("")
    troubles = stuck(status)
    for trouble in troubles:
        yield Text(one_line(trouble.what))
        if trouble.remedy:
            yield _indented(f"-> {trouble.remedy}")
    if not troubles:
        yield Text("Nothing is stuck.")


def _system(system: SystemStatus, now: datetime) -> Iterator[RenderableType]:
    since = f" for {ago(system.since, now)}" if system.since else ""
    reason = f": {system.reason}" if system.reason else ""
    yield Text(one_line(f"{system.name} {system.target}: {system.state}{since}{reason}"))
    if system.hint:
        yield _indented(f"-> {system.hint}")
    if system.detail:
        yield _indented(", ".join(f"{name} {value}" for name, value in system.detail.items()))


def _table(status: Status) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("ENTITY", overflow="fold")  # the one column that may give way in 80
    for header in ("STATE", "BEHIND", "WATERMARK", "LAST CYCLE"):
        table.add_column(header, no_wrap=True)
    for header in ("WAITING", "DEAD"):
        table.add_column(header, no_wrap=True, justify="right")
    for entity in status.entities:
        table.add_row(*_cells(entity, status.now))
        if entity.running:
            table.add_row(Text(f"  {one_line(running_words(entity))}", style="dim"))
    return table


def _cells(entity: EntityStatus, now: datetime) -> list[Text]:
    last = entity.last_cycle
    cycle = f"{last.kind} {ago(last.ended_at, now)}" if last else "-"
    cells = (span_text(entity.behind_seconds), _watermark(entity.watermark, now), cycle)
    counts = (str(entity.waiting or "-"), str(entity.dead_letters or "-"))
    state = Text(one_line(entity.state), style=_STYLES.get(entity.state, ""))
    return [Text(one_line(entity.entity)), state, *(Text(one_line(cell)) for cell in (*cells, *counts))]


def _watermark(watermark: datetime | None, now: datetime) -> str:
    """Return its time of day, with month and day when it is not of today."""
    text = local_text(watermark)
    return text.removeprefix(now.astimezone().strftime("%m-%d "))


def _indented(text: str) -> Padding:
    return Padding(Text(one_line(text)), (0, 0, 0, 2))
