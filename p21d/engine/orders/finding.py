"""Finds the P21 order of a hub order: by every reference text it was ever sent with, and by what looks like it.

A candidate is an order of the same customer and taker, created since, that shares an item. One that still carries
our reference, in a text that somebody changed, is ours; one that is known to be another hub order's is not; any other
is for a person to judge: sales may have replaced the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from p21d.engine.orders.context import OrderContext
from p21d.engine.orders.preparing import Ready
from p21d.engine.orders.reference import referred_in
from p21d.order import Order
from p21d.prophet21.orders.port import FoundOrder
from p21d.store.intent import Intent, Sent

CLOCK_MARGIN = timedelta(days=1)
"""How far P21's clock and the hub's may be behind ours, mistaken zones included; free, as texts are compared whole."""
CANDIDATE_MARGIN = timedelta(hours=1)
"""The same for an attempt of ours, where an older candidate is a false alarm; the clocks of a domain are closer."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What P21 has of a hub order: `ours` carry its reference, `candidates` may be it."""

    ours: Sequence[FoundOrder]
    candidates: Sequence[FoundOrder]


async def before_sending(context: OrderContext, intent: Intent, ready: Ready) -> Sequence[FoundOrder]:
    """Return the P21 orders that carry the hub order's reference.

    From the hub order's creation on, and not the intent's: a store that was restored from a backup made it anew.
    """
    since = min(ready.hub.created_at or intent.created_at, intent.created_at) - CLOCK_MARGIN
    found = await by_references(context, intent, [*intent.sent, ready.mark], since)
    alike = await _candidates(context, intent, ready.order, ready.mark.field, since)
    return once([*found, *(order for order in alike if is_referred(order, intent))])


async def after_attempt(context: OrderContext, intent: Intent) -> Traces:
    """Return what P21 has of an intent whose last attempt ended unknown."""
    began_at = intent.attempt_began_at or intent.created_at
    found = await by_references(context, intent, intent.sent, intent.created_at - CLOCK_MARGIN)
    asked = msgspec.json.decode(intent.order, type=Order)
    # read after the references: an order that comes into sight between the two is met here, its reference in it
    alike = await _candidates(context, intent, asked, intent.sent[-1].field, began_at - CANDIDATE_MARGIN)
    ours = once([*found, *(order for order in alike if is_referred(order, intent))])
    others = await orders_of_others(context, intent, alike) | {order.order_no for order in ours}
    return Traces(ours, [order for order in alike if order.order_no not in others])


async def by_references(
    context: OrderContext, intent: Intent, marks: Sequence[Sent], since: datetime
) -> list[FoundOrder]:
    """Return the P21 orders under any of these texts."""
    found: list[FoundOrder] = []
    for field, text, customer_id in dict.fromkeys((mark.field, mark.text, mark.customer_id) for mark in marks):
        found += await context.desk.by_reference(field=field, text=text, customer_id=customer_id, created_since=since)
        context.moved(intent)
    return found


async def _candidates(
    context: OrderContext, intent: Intent, asked: Order, field: str, since: datetime
) -> list[FoundOrder]:
    found = await context.desk.candidates(
        customer_id=asked.customer_id,
        taker=asked.taker,
        created_since=since,
        item_ids=list(dict.fromkeys(line.item_id for line in asked.lines)),
        field=field,
    )
    context.moved(intent)
    return found


async def orders_of_others(context: OrderContext, intent: Intent, found: Sequence[FoundOrder]) -> set[str]:
    """Return the numbers of those that are known to be the orders of other hub orders."""
    tables = context.store.read
    known = await tables.intents.by_order_nos([order.order_no for order in found])
    others = {order_no for order_no, owner in known.items() if owner.hub_id != intent.hub_id}
    named = {order.order_no: references_in(order) for order in found}
    intents = await tables.intents.by_hub_ids(sorted(set[str]().union(*named.values())))
    others |= {order_no for order_no, hub_ids in named.items() if hub_ids & intents.keys() - {intent.hub_id}}
    names = {external_id_of(context, order): order.order_no for order in found}
    links = await tables.links.by_external_id(context.connection.sink.link_table(context.route), list(names))
    return others | {names[link.external_id] for link in links.values() if link.hub_id != intent.hub_id}


def is_referred(order: FoundOrder, intent: Intent) -> bool:
    """Tell whether the order still carries the reference of the hub order, whatever else its text has become."""
    return intent.hub_id in references_in(order)


def references_in(order: FoundOrder) -> set[str]:
    """Return the hub ids whose references stand in the order."""
    return set(referred_in(f"{order.reference_text} {order.po_no} {order.job_name}"))


def once(found: Sequence[FoundOrder]) -> Sequence[FoundOrder]:
    """Return the orders, each once."""
    return list({order.order_no: order for order in found}.values())


def external_id_of(context: OrderContext, order: FoundOrder) -> str:
    """Return the external id of a P21 order in the hub."""
    return context.plan.external_id_of({"order_no": order.order_no, "company_id": order.company_id})


def numbers_of(found: Sequence[FoundOrder]) -> str:
    """Return the order numbers in words."""
    return ", ".join(sorted(order.order_no for order in found))
