"""`p21d orders`: the hub's orders on their way into P21, which of them need a person, and what that person decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import click

from p21d.cli.ending import end
from p21d.cli.order_words import lead, order_lines, status_lines
from p21d.cli.output import json_option, plain, print_json, print_table, words
from p21d.cli.place import Place
from p21d.control.answers import DoneAnswer
from p21d.control.client import ControlClient
from p21d.control.order_answers import OrdersSyncRequest


@click.group()
def orders() -> None:
    """Show orders on their way into P21, and decide on those that need a person.

    ID is the hub's id of an order, or its number.
    """


@orders.command("list")
@click.option("--state", default="", help="Only this: prepared, sending, unknown, created, held, refused, and so on.")
@click.option("--all", "all_", is_flag=True, help="Those that are done with too: linked and dismissed.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 1000), help="How many, at most.")
@json_option
@click.pass_obj
def list_(place: Place, state: str, all_: bool, limit: int, as_json: bool) -> None:
    """List orders that are not done with: first those that need a person, then the newest first."""
    if state and all_:
        raise click.UsageError("give --state or --all")
    found = place.ask(lambda client: client.orders(state=state, everything=all_, limit=limit))
    if as_json:
        print_json(found)
        return
    for line in status_lines(found.status):
        words(line)
    if found.orders:
        print_table(("ID", "NUMBER", "STATE", "P21", "CHANGED", "WHY"), [lead(order) for order in found.orders])
    else:
        words("no such order")
    if len(found.orders) == limit:
        words("there may be more: --limit, or --state for one state")


@orders.command()
@click.argument("id_", metavar="ID")
@click.option("--body", is_flag=True, help="Print the JSON as it was sent to P21, and nothing else.")
@json_option
@click.pass_obj
def show(place: Place, id_: str, body: bool, as_json: bool) -> None:
    """Show all there is about one order: its steps, how P21 has it otherwise, and what to do."""
    found = place.ask(lambda client: client.order(id_))
    if as_json:
        print_json(found)
    elif body:
        click.echo(plain(found.body))
    else:
        click.echo("\n".join(order_lines(found)))


@orders.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@json_option
@click.pass_obj
def sync(place: Place, ids: tuple[str, ...], as_json: bool) -> None:
    """Read the hub's inbox now; with IDs write those orders, past orders.types, statuses and not_before.

    What came from P21, or is linked already, is never written. Exit code 1 when some of IDs are left alone.
    """
    found = place.ask(lambda client: client.sync_orders(OrdersSyncRequest(ids=list(ids))))
    if as_json:
        print_json(found)
    else:
        count = len(found.prepared)
        click.echo(
            f"{count} order{'' if count == 1 else 's'} taken up" + (f": {_some(found.prepared)}" if count else "")
        )
        for id_, reason in found.left_alone.items():
            words(f"{id_} is left alone: {reason}")
        if found.note:
            words(found.note)
    end(1 if found.left_alone else 0)


@orders.command()
@click.argument("id_", metavar="ID")
@json_option
@click.pass_obj
def retry(place: Place, id_: str, as_json: bool) -> None:
    """Try an order again that is held or refused, once the cause is gone."""
    _decide(place, lambda client: client.retry_order(id_), as_json=as_json)


@orders.command()
@click.argument("id_", metavar="ID")
@click.argument("order_no")
@json_option
@click.pass_obj
def adopt(place: Place, id_: str, order_no: str, as_json: bool) -> None:
    """Say that the hub order is ORDER_NO in P21 already; it is linked, and nothing is written."""
    _decide(place, lambda client: client.adopt_order(id_, order_no), as_json=as_json)


@orders.command()
@click.argument("id_", metavar="ID")
@click.option("--because", required=True, metavar="TEXT", help="The reason, kept with the order.")
@json_option
@click.pass_obj
def dismiss(place: Place, id_: str, because: str, as_json: bool) -> None:
    """Do not write an order; `p21d orders sync ID` takes it up again."""
    if not because.strip():
        raise click.UsageError("say why: --because TEXT")
    _decide(place, lambda client: client.dismiss_order(id_, because), as_json=as_json)


@orders.command()
@click.argument("id_", metavar="ID")
@json_option
@click.pass_obj
def acknowledge(place: Place, id_: str, as_json: bool) -> None:
    """Take note of how P21 has an order otherwise than it was sent, so that it is not reported any more."""
    _decide(place, lambda client: client.acknowledge_order(id_), as_json=as_json)


@orders.command("take-over")
@json_option
@click.pass_obj
def take_over(place: Place, as_json: bool) -> None:
    """Make this p21d the one that writes the hub's orders, after making sure that no other one does."""
    _decide(place, lambda client: client.take_over_orders(), as_json=as_json)


def _decide(place: Place, ask: Callable[[ControlClient], Awaitable[DoneAnswer]], *, as_json: bool) -> None:
    done = place.ask(ask)
    if as_json:
        print_json(done)
    else:
        words(done.done)


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:10]) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
