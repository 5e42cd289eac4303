"""Seed orders: oe_hdr and oe_line, with quotes, RMAs, cancelled and deleted rows and orders open in an editor.

`Order` and `Line` are what the later papers (pick tickets, invoices) are made from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

from p21d.sandbox.distributor.customers import company_of, customer_name, ship_tos_of
from p21d.sandbox.distributor.items import price_cents
from p21d.sandbox.distributor.numbers import FIRST_ORDER
from p21d.sandbox.distributor.people import contact_of
from p21d.sandbox.distributor.seeding import CARRIERS, FIRST_CUSTOMER, LOCATIONS, Seeding, money, quantity, unit_price
from p21d.sandbox.distributor.words import DELIVERY_NOTES, TAKERS, UNITS

State = Literal["invoiced", "shipped", "open", "quote", "rma", "editing", "cancelled", "deleted"]

_FIRST_ORDER_UID = 800_001
_FIRST_LINE_UID = 9_000_001
_MOST_LINES = 4
_STATES: dict[int, State] = {3: "quote", 7: "quote", 11: "rma", 13: "editing", 17: "cancelled", 19: "deleted"}
_STATE_PERIOD = 20


@dataclass(frozen=True)
class Line:
    """One order line; quantities in the order unit."""

    number: int
    item: int
    units: int
    unit: str
    unit_size: int
    cents: int  # per order unit


@dataclass(frozen=True)
class Order:
    """One order, `index` counted from 0."""

    index: int
    customer: int
    ship_to: int
    location: int
    state: State
    date: str  # midnight, as P21 shows it
    lines: list[Line] = field(default_factory=list)

    @property
    def number(self) -> str:
        """Return order_no."""
        return str(FIRST_ORDER + self.index)

    @property
    def company(self) -> str:
        """Return company_id."""
        return LOCATIONS[self.location]

    @property
    def carrier(self) -> int:
        """Return the carrier's address id."""
        return CARRIERS[self.index % len(CARRIERS)]

    @property
    def cents(self) -> int:
        """Return the total of the lines."""
        return sum(line.units * line.cents for line in self.lines)


def seed_orders(seeding: Seeding) -> list[Order]:
    """Fill oe_hdr and oe_line and return the orders."""
    rng = seeding.random("orders")
    dates = seeding.past("orders", seeding.orders, days=90, whole_days=True)
    orders = [_order(rng, index, date, seeding) for index, date in enumerate(dates)]
    _seed_headers(seeding, orders)
    _seed_lines(seeding, orders)
    return orders


def make_line(rng: Random, number: int, items: int) -> Line:
    """Return a line for a random item, in one of the item's units, priced from its list price."""
    item = rng.randrange(items) + 1
    unit, size = UNITS[item % len(UNITS)] if rng.random() < 0.5 else UNITS[0]  # half of the lines in the bigger unit
    return Line(number, item, rng.randint(1, 20), unit, size, price_cents(item) * size)


def _order(rng: Random, index: int, date: str, seeding: Seeding) -> Order:
    customer = rng.randrange(seeding.customers)
    state = _STATES.get(index % _STATE_PERIOD)
    if state is None:
        state = "invoiced" if index % 3 == 0 else "shipped" if index % 3 == 1 else "open"
    ship_to = rng.choice(ship_tos_of(customer))
    location = 40 if company_of(customer) == "02" else rng.choice((10, 20, 30))
    lines = [make_line(rng, number, seeding.items) for number in range(1, rng.randint(1, _MOST_LINES) + 1)]
    return Order(index, customer, ship_to, location, state, date, lines)


def _seed_headers(seeding: Seeding, orders: list[Order]) -> None:
    rng, count = seeding.random("order headers"), len(orders)
    dates = [order.date for order in orders]
    seeding.insert(
        "oe_hdr",
        count,
        order_no=[order.number for order in orders],
        oe_hdr_uid=[_FIRST_ORDER_UID + order.index for order in orders],
        company_id=[order.company for order in orders],
        customer_id=[FIRST_CUSTOMER + order.customer for order in orders],
        address_id=[order.ship_to for order in orders],
        corp_address_id=[FIRST_CUSTOMER + order.customer for order in orders],
        contact_id=[contact_of(order.customer, seeding.customers, seeding.contacts) for order in orders],
        order_date=dates,
        requested_date=[_days_later(date, 2) for date in dates],
        po_no=[f"PO-{order.index * 37 % 100_000}" if order.index % 9 else None for order in orders],
        job_name=rng.choices([None, None, "Plant #2 / Boiler room"], k=count),
        taker=rng.choices(TAKERS, k=count),
        terms="N3",
        location_id=[order.location for order in orders],
        source_location_id=[order.location for order in orders],
        carrier_id=[order.carrier for order in orders],
        freight_code_uid=rng.choices([1, 2, 3], k=count),
        freight_out=rng.choices([money(0), money(1_895)], k=count),
        delivery_instructions=rng.choices(DELIVERY_NOTES, k=count),
        packing_basis="Partial",
        approved="Y",
        will_call="N",
        front_counter="N",
        validation_status=rng.choices(["OK", "OK", "OK", "Hold", "COD"], k=count),
        web_reference_no=[f"SA-{order.index}" if order.index % 15 == 1 else None for order in orders],
        order_type=1706,
        exported_flag="N",
        created_by="admin",
        **_flags(orders),
        **_ship_to(orders),
        **{**seeding.made("orders", count, with_old=True), "date_created": dates},
    )


def _days_later(date: str, days: int) -> str:
    return (datetime.fromisoformat(date) + timedelta(days=days)).isoformat()


def _flags(orders: list[Order]) -> dict[str, Any]:
    def yes_for(state: State) -> list[str]:
        return ["Y" if order.state == state else "N" for order in orders]

    done = {"invoiced": "Y", "editing": "T"}
    return {
        "delete_flag": yes_for("deleted"),
        "cancel_flag": yes_for("cancelled"),
        "projected_order": yes_for("quote"),
        "rma_flag": yes_for("rma"),
        "completed": [done.get(order.state, "N") for order in orders],
    }


def _ship_to(orders: list[Order]) -> dict[str, Any]:
    return {
        "ship2_name": [customer_name(order.customer) for order in orders],
        "ship2_add1": [f"{10 + order.index % 900} Industrial Pkwy" for order in orders],
        "ship2_city": "Columbus",
        "ship2_state": "OH",
        "ship2_zip": "43215",
        "ship2_country": "US",
    }


def _seed_lines(seeding: Seeding, orders: list[Order]) -> None:
    pairs = [(order, line) for order in orders for line in order.lines]
    rng, count = seeding.random("order lines"), len(pairs)
    seeding.insert(
        "oe_line",
        count,
        order_no=[order.number for order, _ in pairs],
        line_no=[line.number for _, line in pairs],
        oe_line_uid=list(range(_FIRST_LINE_UID, _FIRST_LINE_UID + count)),
        oe_hdr_uid=[_FIRST_ORDER_UID + order.index for order, _ in pairs],
        company_no=[order.company for order, _ in pairs],
        inv_mast_uid=[line.item for _, line in pairs],
        user_line_no=[f"{line.number:03d}" for _, line in pairs],
        customer_part_number=rng.choices([None, "CUST/PART#7"], k=count),
        unit_of_measure=[line.unit for _, line in pairs],
        unit_size=[quantity(line.unit_size) for _, line in pairs],
        unit_price=[unit_price(line.cents) for _, line in pairs],
        extended_price=[money(line.units * line.cents) for _, line in pairs],
        pricing_unit=[line.unit for _, line in pairs],
        pricing_unit_size=[quantity(line.unit_size) for _, line in pairs],
        sales_tax=money(0),
        manual_price_overide="N",
        disposition=rng.choices([None, None, "B"], k=count),
        complete=["Y" if order.state == "invoiced" else "N" for order, _ in pairs],
        cancel_flag=["Y" if order.state == "cancelled" else "N" for order, _ in pairs],
        delete_flag="N",
        source_loc_id=[order.location for order, _ in pairs],
        ship_loc_id=[order.location for order, _ in pairs],
        supplier_id=70001,
        product_group_id="VALVES",
        assembly="N",
        other_charge="N",
        tax_item="N",
        created_by="admin",
        **_quantities(pairs),
        **{**seeding.made("order lines", count), "date_created": [order.date for order, _ in pairs]},
    )


def _quantities(pairs: list[tuple[Order, Line]]) -> dict[str, Any]:
    """Return what was ordered, in the order unit, and in base units what became of it."""
    zero = quantity(0)
    ordered = [(order.state, quantity(line.units * line.unit_size)) for order, line in pairs]
    return {
        "unit_quantity": [quantity(line.units) for _, line in pairs],
        "qty_ordered": [base for _, base in ordered],
        "qty_allocated": zero,
        "qty_on_pick_tickets": [base if state == "shipped" else zero for state, base in ordered],
        "qty_invoiced": [base if state == "invoiced" else zero for state, base in ordered],
        "qty_canceled": zero,
    }
