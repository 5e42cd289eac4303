"""`p21d cycles`: what ran, and what became of the rows."""

from __future__ import annotations

import click

from p21d.cli.output import json_option, print_json, print_table
from p21d.cli.place import Place
from p21d.cli.times import local_seconds_text, span_text
from p21d.control.answers import CycleAnswer, CyclesAnswer

_HEADERS = (
    "STARTED", "ENTITY", "KIND", "TOOK", "READ", "DELIVERED", "UNCHANGED", "SKIPPED", "WAITING", "DEAD", "UNFINISHED",
    "STATUS",
)  # fmt: skip


@click.command()
@click.argument("entity", default="")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many, at most.")
@json_option
@click.pass_obj
def cycles(place: Place, entity: str, limit: int, as_json: bool) -> None:
    """List finished cycles, the newest first; of ENTITY alone when it is given."""
    found = place.ask(lambda client: client.cycles(entity=entity, limit=limit))
    if as_json:
        print_json(CyclesAnswer(cycles=found))
    else:
        print_table(_HEADERS, [_cells(cycle) for cycle in found])


def _cells(cycle: CycleAnswer) -> list[str]:
    tally = cycle.tally
    counts = (tally.read, tally.delivered, tally.unchanged, tally.skipped, tally.waiting, tally.dead_lettered)
    took = span_text((cycle.ended_at - cycle.started_at).total_seconds())
    status = f"{cycle.status}: {cycle.note}" if cycle.note else cycle.status
    start = local_seconds_text(cycle.started_at)
    return [start, cycle.entity, cycle.kind, took, *map(str, counts), str(tally.unfinished), status]
