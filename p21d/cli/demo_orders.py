"""The second half of the demo: buyers order in the hub's web shop, and the daemon writes their orders into P21.

One order is for an item that P21 does not have: it is held before P21 is touched, with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from p21d.cli.demo_hub import hub_of
from p21d.cli.order_words import differs
from p21d.cli.output import print_table, words, wrapped
from p21d.clock import Clock
from p21d.control.client import ControlClient
from p21d.control.order_answers import OrderAnswer

ORDERS = 8
UNKNOWN_SKU = "WEB-ONLY-1"
STEP_SECONDS = 0.5
ENDS = ("linked", "held", "refused", "dismissed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What was ordered, and what became of it: `links` are the P21 numbers that the hub has, by its own id."""

    orders: Sequence[OrderAnswer]
    links: Mapping[str, str]


async def order_some(socket: Path, config: Path, clock: Clock, end_at: float) -> Ordered:
    """Place orders in the hub and wait until the daemon is done with each; return how they stand then."""
    async with hub_of(config) as hub, ControlClient(socket) as client:
        customers = await hub.buyers()
        ids = await hub.order(ORDERS - 1, customer_ids=customers, skus=await hub.salable())
        ids += await hub.order(1, customer_ids=customers, skus=[UNKNOWN_SKU])
        words(f"\n{len(ids)} orders are placed in the hub, one of them for an item that P21 does not have")
        while True:
            await clock.sleep(STEP_SECONDS)
            orders = (await client.orders(everything=True)).orders
            if sum(order.state in ENDS for order in orders) == len(ids) or clock.monotonic() > end_at:
                links = {record["id"]: external_id for external_id, record in await hub.linked("transaction")}
                return Ordered(orders=orders, links=links)


def show_orders(ordered: Ordered) -> None:
    """Print what became of each order, why some are not in P21, and what the hub itself says of the links."""
    orders = sorted(ordered.orders, key=lambda order: order.number)
    print_table(
        ("HUB ORDER", "P21 ORDER", "STATE", "PO NUMBER IN P21"),
        [(order.number, order.order_no or "-", order.state, order.reference or "-") for order in orders],
    )
    for order in orders:
        if order.reason:
            words(wrapped(f"{order.number}: {order.state}, {order.reason}"))
            words(wrapped(f"-> {order.hint}", indent=2))
        if differs(order):
            words(wrapped(f"{order.number}: {'; '.join(order.differences)}"))
    words(f"the hub has {proven(ordered)} of {len(orders)} orders linked with their P21 number")


def proven(ordered: Ordered) -> int:
    """Return how many orders the hub has linked with the number that the daemon says, each another one."""
    said = {order.id: order.order_no for order in ordered.orders if order.state == "linked"}
    return len({number for id_, number in ordered.links.items() if said.get(id_) == number})


def all_written(ordered: Ordered) -> bool:
    """Tell whether every order that could be mapped is linked, on both sides, and every other one is held."""
    states = Counter(order.state for order in ordered.orders)
    return states["linked"] + states["held"] == ORDERS and proven(ordered) == states["linked"] > 0
