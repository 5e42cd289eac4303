"""`p21d rebind`: let a store belong to another P21 or sink, on purpose; works while the daemon is stopped."""

from __future__ import annotations

import click
import msgspec

from p21d.cli.loop import run
from p21d.cli.output import json_option, print_json
from p21d.cli.place import Place


class RebindAnswer(msgspec.Struct, kw_only=True):
    """What the store belongs to now, and how many rows of which table were touched."""

    schema_version: int = 1
    prophet21: str
    sink: str
    touched: dict[str, int]


@click.command()
@click.option("--keep-links", is_flag=True, help="The same systems under another name: keep links, compare all anew.")
@click.option("--drop-links", is_flag=True, help="Another system: forget links, deliveries, checkpoints; begin anew.")
@json_option
@click.pass_obj
def rebind(place: Place, keep_links: bool, drop_links: bool, as_json: bool) -> None:
    """Let the store belong to the P21 and the sink that the configuration names now.

    The daemon must be stopped. With --keep-links every record of the look-back is sent once more at the next start;
    with --drop-links they are looked up in the sink again, open dead letters are closed, and orders on their way into
    P21 are dismissed: p21d orders list --all shows them, p21d orders sync ID takes one up for the P21 of now.
    """
    if keep_links == drop_links:
        raise click.UsageError("give one of --keep-links and --drop-links")
    answer = run(_rebound, place, drop_links)
    if as_json:
        print_json(answer)
        return
    dismissed = answer.touched.get("intent", 0)
    rows = {table: count for table, count in answer.touched.items() if count and table != "intent"}
    touched = ", ".join(f"{count} {table.replace('_', ' ')}" for table, count in rows.items())
    done = "forgotten or closed" if drop_links else "to be compared anew"
    click.echo(f"the store belongs to {answer.prophet21} and {answer.sink} now; {done}: {touched or 'nothing'}")
    if dismissed:
        click.echo(
            f"orders that were on their way into P21 and are dismissed: {dismissed:,}; p21d orders list --all shows "
            "them, p21d orders sync ID writes one into this P21"
        )


async def _rebound(place: Place, drop_links: bool) -> RebindAnswer:  # run passes no keywords
    # the engine is not needed to ask a running daemon
    from p21d.binding import identity_of, rebind  # noqa: PLC0415
    from p21d.clock import SystemClock  # noqa: PLC0415
    from p21d.logs import configure  # noqa: PLC0415
    from p21d.settings import read_settings  # noqa: PLC0415
    from p21d.sinks.registry import build_sink  # noqa: PLC0415
    from p21d.store.database import Store  # noqa: PLC0415

    config, _ = read_settings(place.config_path)
    configure(config.log.level, config.log.format).redactor.add(config.secrets)
    clock = SystemClock()
    sink = build_sink(config.sink, clock, config.entities)
    identity = identity_of(config, sink)
    await sink.aclose()
    async with Store(config.store.path) as store:
        touched = await rebind(store, identity, clock, drop_links=drop_links)
    return RebindAnswer(prophet21=identity.prophet21, sink=identity.sink, touched=touched)
