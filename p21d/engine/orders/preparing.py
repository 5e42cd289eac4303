"""Prepares an order just before it is sent: the hub order as it is now, what P21 knows of its parties, the mapping.

The mapping is a plug-in; what it answers is checked again here, because a wrong customer, ship-to or contact would be
written into another's account.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from p21d.engine.interrupt import called
from p21d.engine.orders.context import OrderContext
from p21d.engine.orders.parties import parties_of, values_of
from p21d.engine.orders.reference import render_reference
from p21d.errors import RecordError
from p21d.http import describe
from p21d.order import Found, Held, HubOrder, Order
from p21d.store.intent import Intent, Sent

log = structlog.get_logger("p21d.orders")

CANCELLED = frozenset({"cancelled", "canceled"})
LINE_NUMBER_LENGTH = 25
"""Characters of `oe_line.user_line_no` (facts 5.4)."""


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The order must not be written any more, and why; `order_no` where it is a P21 order already."""

    reason: str
    order_no: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An order that can be written: as the hub has it, as P21 is asked to write it, and by what it will be known."""

    hub: HubOrder
    order: Order
    mark: Sent
    customer: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A hub order as it is now, None where the hub has it no more, and what to do with it."""

    hub: HubOrder | None
    answer: Ready | Held | Dismissed


async def prepare(context: OrderContext, intent: Intent) -> Prepared:
    """Read the hub order and map it; raises Unavailable, Unauthorized, Forbidden and ReadRefused."""
    async with context.slot(intent):
        hub = await context.inbox.order(context.route, intent.hub_id)
    if hub is None:
        return Prepared(None, Dismissed("the hub does not have it any more"))
    no = await no_longer_wanted(context, hub) or status_kept_out(context, intent, hub)
    return Prepared(hub, no or await mapped(context, intent, hub))


async def no_longer_wanted(context: OrderContext, hub: HubOrder) -> Dismissed | None:
    """Return why the order must not be written any more, None where it may."""
    if is_cancelled(hub):
        return Dismissed("cancelled in the hub")
    if hub.our_external_id:
        order_no = values_of(context.plan.template, hub.our_external_id).get("order_no", "")
        return Dismissed(f"linked in the hub to {hub.our_external_id} already", order_no)
    if hub.system_id is not None and hub.system_id == context.inbox.system_id:
        return Dismissed("it came from P21")
    table = context.connection.sink.link_table(context.route)
    known = (await context.store.read.links.by_hub_id(table, [hub.id])).get(hub.id)
    return Dismissed(f"linked here to {known.external_id} already") if known else None


def is_cancelled(hub: HubOrder) -> bool:
    """Tell whether the hub order is cancelled."""
    return hub.status.strip().casefold() in CANCELLED


def status_kept_out(context: OrderContext, intent: Intent, hub: HubOrder) -> Held | None:
    """Hold an order whose status was admitted and is not any more, unless a person asked for it."""
    admitted = {status.strip().casefold() for status in context.config.statuses}
    if intent.forced or hub.status.strip().casefold() in admitted:
        return None
    hint = f"p21d orders retry {hub.id} sends it all the same, p21d orders dismiss {hub.id} does not"
    return Held(f"its status in the hub is {hub.status or 'empty'} by now (orders.statuses)", hint)


async def mapped(context: OrderContext, intent: Intent, hub: HubOrder) -> Ready | Held:
    """Ask P21 for the parties and the mapping for the order."""
    try:
        wanted = await parties_of(context, intent, hub)
        context.moved(intent)
        found = await context.desk.parties(wanted)
        if isinstance(found, Held):
            return found
        return _ready(context, hub, found)
    except RecordError as error:
        return Held(error.message, error.hint)


def _ready(context: OrderContext, hub: HubOrder, found: Found) -> Ready | Held:
    try:
        answer = called(lambda: context.mapping.order(hub, found, context.defaults))
    except RecordError:
        raise
    except Exception as error:  # a plug-in may do anything, and only its order may suffer
        log.exception("bug in the mapping", order=hub.id)
        return Held(f"the mapping {context.mapping.name} fails: {describe(error)}", "mend the plug-in, reload, retry")
    if isinstance(answer, Held):
        return answer
    if faults := list(faults_of(answer, found)):
        return Held(f"the mapping {context.mapping.name} answers what cannot be: {'; '.join(faults)}", "mend it, retry")
    text = render_reference(
        context.config.reference, context.config.reference_field, hub_id=hub.id, buyer_po=answer.buyer_po
    )
    mark = Sent(field=context.config.reference_field, text=text, customer_id=answer.customer_id)
    customer = f"{found.customer.customer_id} {found.customer.name}".strip()
    return Ready(hub=hub, order=answer, mark=mark, customer=customer)


def faults_of(order: Order, found: Found) -> Iterator[str]:
    """Yield what is wrong with a mapped order, whatever the mapping meant."""
    if order.customer_id != found.customer.customer_id:
        yield f"customer {order.customer_id} is not {found.customer.customer_id}, whom P21 names"
    if order.ship_to_id not in {ship_to.ship_to_id for ship_to in found.ship_tos}:
        yield f"ship-to {order.ship_to_id} does not belong to customer {order.customer_id}"
    if order.contact_id and order.contact_id.strip() != found.contact_id.strip():
        yield f"contact {order.contact_id} does not belong to customer {order.customer_id}"
    for location_id in {order.sales_location_id, order.source_location_id}:
        if location_id not in found.locations:
            yield f"location {location_id} is not an active one of company {found.customer.company_id}"
    yield from _faults_of_lines(order)


def _faults_of_lines(order: Order) -> Iterator[str]:
    numbers = [line.user_line_no for line in order.lines]
    if not numbers:
        yield "it has no lines"
    if len(set(numbers)) < len(numbers):
        yield "two lines have one user_line_no"
    if not all(0 < len(number) <= LINE_NUMBER_LENGTH for number in numbers):
        yield f"a user_line_no is empty or longer than {LINE_NUMBER_LENGTH} characters"
