"""Orders: a hub order as the order that P21 is asked to write, or why a person must look at it first.

What could be meant otherwise is held, never guessed: an unknown item or unit of measure, a location of another company,
a discount that P21 would not take off. What P21 decides by itself (tax, freight, terms) is left to it.

Why the order date is P21's today and not the day of the hub order: an order that waited, or that a person asks for
later, would else be dated into a period that may be closed, and its requested date would be past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from p21d.plugin import (
    Count,
    Decimal,
    Found,
    Held,
    HubAddress,
    HubLine,
    HubOrder,
    Options,
    Order,
    OrderLine,
    OrderMapping,
    OrderMark,
    P21Item,
    P21ShipTo,
    choose_ship_to,
    clean,
    field,
    hookimpl,
    number,
    shortened,
    sort_lines,
)

LONGEST_TEXT = 255
"""Characters of `delivery_instructions` and `extended_desc` (facts 4.2)."""
MAPPED = {"company_id", "customer_id", "ship_to_id", "sales_loc_id", "source_loc_id", "order_date", "requested_date"}
MAPPED |= {"po_no", "contact_id", "taker", "oe_hdr_carrier_id", "delivery_instructions"}
"""Fields of P21's header that have a rule here; P21 takes no company_id, it follows from the location (facts 5.2)."""


class Defaults(Options, frozen=True):
    """What `orders.defaults` may say."""

    sales_location_id: int | None = None
    """Else the one that P21 prefers for the ship-to, else the only one of the company."""
    source_location_id: int | None = None
    """Else the sales location's own, else the sales location."""
    taker: str = "P21D"
    requested_days: Count = 2
    match_ship_to: bool = True
    """Take the ship-to of the customer that has the order's street and postal code."""
    override_ship_to: bool = True
    """Take else the customer's own, with the order's address for this order only; false: hold the order."""
    carrier: str = ""
    """The P21 carrier where the hub's shipping method is none; empty: the ship-to's."""
    carriers: dict[str, str] = field(default_factory=dict)
    """P21 carrier by the hub's shipping method."""
    po_custom_field: str = ""
    """Custom field of the hub with the buyer's PO; where it is empty, the hub's order number stands in."""
    price: Literal["hub", "p21"] = "hub"
    units: dict[str, str] = field(default_factory=dict)
    """P21 unit of measure by the hub's."""
    freight_item: str = ""
    """P21 item that carries the hub's shipping amount; empty: freight is P21's."""
    discount_item: str = ""
    """P21 item that carries the hub's discount, at a negative price; empty: hold an order with hub prices and one."""
    notes: Literal["delivery_instructions", "line_text", "none"] = "delivery_instructions"
    header: dict[str, str] = field(default_factory=dict)
    """Further fields of P21's header, each with a constant."""

    def __post_init__(self) -> None:
        """Refuse what P21 would refuse in every order; raises ValueError."""
        if twice := sorted(MAPPED & self.header.keys()):
            raise ValueError(f"header must not set {', '.join(twice)}: p21d does")
        if not 1 <= len(self.taker.strip()) <= 30:
            raise ValueError("taker must have 1 to 30 characters")


def skus(order: HubOrder, defaults: Defaults) -> Sequence[str]:
    """Return the SKUs that P21 is asked for: those of the lines, and the items of freight and discount."""
    wanted = [*(line.sku for line in sort_lines(order).products), defaults.freight_item, defaults.discount_item]
    return list(dict.fromkeys(sku for sku in wanted if sku))


def map_order(order: HubOrder, found: Found, defaults: Defaults) -> Order | Held:
    """Return the order as P21 is asked to write it."""
    lines = order_lines(order, found, defaults)
    chosen = choose_ship_to(order, found, match=defaults.match_ship_to, override=defaults.override_ship_to)
    locations = chosen if isinstance(chosen, Held) else chosen_locations(found, chosen[0], defaults)
    if isinstance(lines, Held) or isinstance(chosen, Held) or isinstance(locations, Held) or order.shipping is None:
        problems = [problem for problem in (lines, locations) if isinstance(problem, Held)]
        return Held.together([*problems, Held("", f"then p21d orders retry {order.number or order.id}")])
    method = clean(order.shipping.shipping_method)
    carrier = defaults.carriers.get(method) or found.carriers.get(method, "")
    return Order(
        customer_id=found.customer.customer_id,
        ship_to_id=chosen[0].ship_to_id,
        sales_location_id=locations[0],
        source_location_id=locations[1],
        order_date=found.today,
        requested_date=found.today + timedelta(days=defaults.requested_days),
        taker=defaults.taker.strip(),
        lines=lines,
        buyer_po=clean(order.custom_fields.get(defaults.po_custom_field)) or order.number,
        contact_id=found.contact_id,
        carrier=carrier or defaults.carrier,
        delivery_instructions=instructions(order, order.shipping, defaults, method="" if carrier else method),
        ship_to=chosen[1],
        header=dict(defaults.header),
    )


def order_lines(order: HubOrder, found: Found, defaults: Defaults) -> list[OrderLine] | Held:
    """Return the lines in the hub's order, then what carries freight and discount; numbered 010, 020, 030."""
    parts = sort_lines(order)
    charges = {"freight_item": parts.freight, "discount_item": -parts.discount}
    mapped = [
        *(order_line(line, found, defaults) for line in parts.products),
        *(charge_line(key, amount, found, defaults) for key, amount in charges.items() if amount),
    ]
    problems = [line for line in mapped if isinstance(line, Held)]
    rule = "p21d has no rule for lines of type"
    problems += [Held(f"{line.label}: {rule} {line.type}", "remove it in the hub") for line in parts.others]
    if not parts.products:
        problems.append(Held("it has no line with a product", "add one in the hub"))
    lines = [line for line in mapped if isinstance(line, OrderLine)]
    if problems:
        return Held.together(problems)
    if defaults.notes == "line_text":
        lines[0] = replace(lines[0], extended_desc=joined([lines[0].extended_desc, *order.notes]))
    return [replace(line, user_line_no=f"{10 * position:03}") for position, line in enumerate(lines, 1)]


def order_line(line: HubLine, found: Found, defaults: Defaults) -> OrderLine | Held:
    """Return the line of a product, its number still to come."""
    item = found.items.get(line.sku)
    if item is None:
        what = f"P21 has no active item {line.sku}" if line.sku else "it has no SKU"
        return Held(f"{line.label}: {what}", "create the item in P21 or correct the SKU in the hub")
    if line.quantity is None or line.quantity <= 0:
        return Held(f"{line.label}: {line.sku} has the quantity {line.quantity}", "correct it in the hub")
    unit = unit_of(line, item, defaults)
    if unit is None:
        hint = f"say in orders.defaults.units which unit of P21 it is ({', '.join(sorted(item.units))})"
        return Held(f"{line.label}: {line.sku} has no unit of measure {line.unit or item.selling_unit} in P21", hint)
    return OrderLine(
        user_line_no="",
        hub_line_id=line.id,
        item_id=item.item_id,
        unit_quantity=line.quantity,
        unit_of_measure=unit,
        unit_price=number(line.unit_price) if defaults.price == "hub" else None,
        extended_desc=joined([f"{name}: {text}" for name, text in line.options.items()]),
    )


def unit_of(line: HubLine, item: P21Item, defaults: Defaults) -> str | None:
    """Return the P21 unit of a line, the item's selling unit where the hub names none; None for a stranger.

    The selling unit must not stand in for a stranger: three of it may be another quantity of the goods.
    """
    wanted = clean(defaults.units.get(line.unit, line.unit)).casefold()
    known = {unit.casefold(): unit for unit in item.units}
    return known.get(wanted or item.selling_unit.casefold())


def charge_line(key: str, amount: Decimal, found: Found, defaults: Defaults) -> OrderLine | Held | None:
    """Return the line that carries freight or discount, None where P21 sees to it."""
    item_id = getattr(defaults, key)
    item = found.items.get(item_id)
    if not item_id and (key == "freight_item" or defaults.price == "p21"):
        return None
    if not item_id:
        hint = "set orders.defaults.discount_item, p21d reload; or enter it in P21 by hand and p21d orders adopt it"
        return Held(f"the hub takes {-amount} off, and P21 would not", hint)
    if item is None:
        return Held(f"P21 has no active item {item_id}", f"correct orders.defaults.{key}, p21d reload")
    return OrderLine(
        user_line_no="",
        hub_line_id="",
        item_id=item.item_id,
        unit_quantity=Decimal(1),
        unit_of_measure=item.selling_unit,
        unit_price=number(amount),
    )


def chosen_locations(found: Found, ship_to: P21ShipTo, defaults: Defaults) -> tuple[int, int] | Held:
    """Return the sales and the source location."""
    company, known = found.customer.company_id, ", ".join(map(str, sorted(found.locations))) or "none"
    for key in ("sales_location_id", "source_location_id"):
        if (value := getattr(defaults, key)) is not None and value not in found.locations:
            hint = f"correct orders.defaults.{key} (company {company} has {known}), p21d reload"
            return Held(f"{key} {value} is no active location of the customer's company {company}", hint)
    preferred = ship_to.preferred_location_id if ship_to.preferred_location_id in found.locations else None
    only = next(iter(found.locations)) if len(found.locations) == 1 else None
    sales = next((one for one in (defaults.sales_location_id, preferred, only) if one is not None), None)
    if sales is None:
        hint = f"set orders.defaults.sales_location_id to one of {known}, p21d reload"
        return Held(f"nothing says which location of company {company} sells to ship-to {ship_to.ship_to_id}", hint)
    usual = found.locations[sales].source_location_id
    return sales, defaults.source_location_id or (usual if usual in found.locations else None) or sales


def instructions(order: HubOrder, address: HubAddress, defaults: Defaults, *, method: str) -> str:
    """Return what the pick ticket says: for whom, by what where P21 does not know it, and the buyer's notes."""
    who = f"Attn {address.person}" if address.company and address.person else ""
    notes = order.notes if defaults.notes == "delivery_instructions" else ()
    return joined([who, f"ship by {method}" if method else "", *notes])


def joined(texts: Sequence[str]) -> str:
    """Return texts in one line, as long as P21 takes."""
    return shortened("; ".join(filter(None, texts)), LONGEST_TEXT)


def mark(row: Any) -> OrderMark:
    """Return by what a row of oe_hdr is recognised as an order of ours."""
    texts = {name: clean(getattr(row, name)) for name in ("order_no", "taker", "po_no", "job_name")}
    return OrderMark(customer_id=int(row.customer_id or 0), **texts)


MAPPING = OrderMapping(
    name="order",
    entity="transaction",
    company_entity="company",
    contact_entity="customer",
    defaults=Defaults,
    order=map_order,
    mark=mark,
    skus=skus,
)


@hookimpl
def p21d_orders() -> OrderMapping[Defaults]:
    """Return how orders are mapped."""
    return MAPPING
