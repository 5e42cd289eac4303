"""By what the P21 customer and contact of a hub order are found: the links of its company and of its customer.

A link is taken from the store where the record was delivered from here, else from the hub's link table, whose external
id is read back into the key it was made from.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

from p21d.engine.interrupt import called
from p21d.engine.orders.context import OrderContext
from p21d.engine.plan import Plan
from p21d.keys import key_parts
from p21d.order import HubOrder
from p21d.prophet21.orders.port import Parties
from p21d.store.intent import Intent


async def parties_of(context: OrderContext, intent: Intent, order: HubOrder) -> Parties:
    """Return by what P21 is asked for the order's parties, items and carriers."""
    plans, mapping = context.connection.plans, context.mapping
    company = await _values(context, intent, plans[mapping.company_entity], order.company_id)
    contact = await _values(context, intent, plans[mapping.contact_entity], order.customer_id)
    return Parties(
        customer=customer_of(company),
        contact_id=contact.get(plans[mapping.contact_entity].entity.key[-1], ""),
        skus=called(lambda: tuple(dict.fromkeys(mapping.skus(order, context.defaults)))),
        shipping_methods=tuple(dict.fromkeys(a.shipping_method for a in order.addresses if a.shipping_method)),
    )


def customer_of(company: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the key of a linked company, its P21 company empty where the external id does not hold it."""
    customer_id = company.get("customer_id", "")
    return (company.get("company_id", ""), customer_id) if customer_id else None


async def _values(context: OrderContext, intent: Intent, plan: Plan, hub_id: str) -> Mapping[str, str]:
    """Return the key of the record that the hub's id is linked to, by column; empty where it is linked to none."""
    if not hub_id:
        return {}
    table = context.connection.sink.link_table(plan.entity.route)
    known = (await context.store.read.links.by_hub_id(table, [hub_id])).get(hub_id)
    if known is not None and known.entity == plan.name:
        return dict(zip(plan.entity.key, key_parts(known.key), strict=False))
    async with context.slot(intent):
        external_id = await context.inbox.external_id(plan.entity.route, hub_id)
    return values_of(plan.template, external_id or "")


def values_of(template: str, external_id: str) -> dict[str, str]:
    """Return what an external id was made from; empty where it is not of this template."""
    pattern = ""
    for literal, name, _, _ in string.Formatter().parse(template):
        pattern += re.escape(literal)
        pattern += f"(?P<{name}>.+?)" if name else ""
    found = re.fullmatch(pattern, external_id.strip())
    return {name: value.strip() for name, value in found.groupdict().items()} if found else {}
