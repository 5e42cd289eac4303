"""Adoption: a person says which order of P21 is the one of a hub order, and what can be checked of that is checked."""

from __future__ import annotations

import os
from typing import ClassVar

import msgspec

from p21d.engine.orders.context import NAME, OrderContext
from p21d.engine.orders.finding import external_id_of
from p21d.engine.orders.ledger import CREATED, DISMISSED, NO_TROUBLE, Also
from p21d.errors import P21dError
from p21d.prophet21.orders.port import FoundOrder
from p21d.store.intent import Intent


class OrderRefused(P21dError):
    """What a person asked of an order cannot be done; the words say why."""

    exit_code: ClassVar[int] = os.EX_USAGE


class Adoption:
    """Brings an intent to `created` with an order that P21 has already; linking is the writer's as ever."""

    def __init__(self, context: OrderContext) -> None:
        self._context = context

    async def adopt(self, intent: Intent, order_no: str, by: str, also: Also | None = None) -> None:
        """Adopt an order; raises OrderRefused where it is not there, another customer's or another record's.

        `also` writes more in the transaction of the move, which may be the intent's first.
        """
        found = await self._context.desk.read(order_no, field=self._context.config.reference_field)
        if found is None or found.deleted:
            raise OrderRefused(f"P21 has no order {order_no}", hint="name an order number of P21")
        refuse_other_customer(intent, found)
        await self._refuse_taken(intent, found)
        note = f"adopted P21 order {order_no}"
        now = self._context.clock.now()
        await self._context.ledger.move(
            intent, CREATED, by=by, note=note, also=also, order_no=found.order_no, due_at=now, **NO_TROUBLE
        )

    async def _refuse_taken(self, intent: Intent, found: FoundOrder) -> None:
        """Raise OrderRefused where either side of the link is taken, as far as the store or the hub know."""
        context, external_id = self._context, external_id_of(self._context, found)
        owner = (await context.store.read.intents.by_order_nos([found.order_no])).get(found.order_no)
        if owner is not None and owner.hub_id != intent.hub_id and owner.state != DISMISSED:
            raise taken(found, owner.hub_number or owner.hub_id)
        table = context.connection.sink.link_table(context.route)
        link = (await context.store.read.links.by_external_id(table, [external_id])).get(external_id)
        if link is not None and link.hub_id != intent.hub_id:
            raise taken(found, link.hub_id)
        async with context.connection.slots.hold(NAME):
            there = await context.connection.sink.find(context.route, external_id)
            here = await context.inbox.external_id(context.route, intent.hub_id)
        if there is not None and there != intent.hub_id:
            raise taken(found, there)
        if here is not None and here != external_id:
            raise OrderRefused(f"order {intent.hub_number or intent.hub_id} is linked in the hub with {here} already")


def refuse_other_customer(intent: Intent, found: FoundOrder) -> None:
    """Raise OrderRefused where the order was mapped for another customer than the one found."""
    mapped = msgspec.json.decode(intent.order) if intent.order else {}
    wanted = mapped.get("customer_id")
    if wanted is not None and int(wanted) != found.customer_id:
        words = f"P21 order {found.order_no} is customer {found.customer_id}'s, the hub order customer {wanted}'s"
        raise OrderRefused(words, hint="look at both; dismiss the hub order if it is not to be written")


def taken(found: FoundOrder, record: str) -> OrderRefused:
    """Say that the order is another record's in the hub."""
    hint = "one order of P21 is one record of the hub; look at both"
    return OrderRefused(f"P21 order {found.order_no} belongs to record {record} of the hub already", hint=hint)
