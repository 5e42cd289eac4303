"""Orders on their way from the hub into P21: what the hub gives, what P21 is asked to write, and the mapping between.

A mapping is a plug-in without I/O: the core reads the hub order and what P21 knows of its parties and items, the
mapping answers with an `Order` or says why a person must look at it first (`Held`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

D = TypeVar("D", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAddress:
    """An address of a hub order; `type` is the hub's word, `Shipping` or `Billing`."""

    type: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    phone_number: str = ""
    address_1: str = ""
    address_2: str = ""
    address_3: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    shipping_method: str = ""
    is_primary_shipping: bool = False

    @property
    def person(self) -> str:
        """Return the name of the person, empty where none is named."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class HubLine:
    """A line of a hub order; `id` is the hub's, as text."""

    id: str
    sequence_number: int = 0
    type: str = ""
    status: str = ""
    sku: str = ""
    description: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    unit: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Return what a person calls it."""
        return f"line {self.sequence_number or self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOrder:
    """A transaction of the hub as read for writing it into P21; ids are the hub's, as text, empty where it has none.

    `system_id` is the subscription that owns it; `our_external_id` the external id it carries for ours. Instants are
    aware. `digest` changes with everything that the hub lets people edit, and with nothing else.
    """

    id: str
    number: str
    type: str
    status: str
    system_id: int | None = None
    company_id: str = ""
    customer_id: str = ""
    email_address: str = ""
    created_at: datetime | None = None
    subtotal: Decimal | None = None
    discount_amount: Decimal | None = None
    tax_amount: Decimal | None = None
    shipping_amount: Decimal | None = None
    total: Decimal | None = None
    lines: Sequence[HubLine] = ()
    addresses: Sequence[HubAddress] = ()
    notes: Sequence[str] = ()
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    our_external_id: str = ""
    digest: str = ""

    @property
    def shipping(self) -> HubAddress | None:
        """Return the address it ships to, None where it has none."""
        marked = [a for a in self.addresses if a.is_primary_shipping or a.type.casefold() == "shipping"]
        return marked[0] if marked else None


@dataclass(frozen=True, slots=True, kw_only=True)
class P21Customer:
    """The P21 customer of a hub order."""

    company_id: str
    customer_id: int
    name: str = ""
    taxable: bool = True
    salesrep_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class P21ShipTo:
    """A ship-to of that customer, with its address and the locations P21 prefers for it."""

    ship_to_id: int
    name: str = ""
    address_1: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    preferred_location_id: int | None = None
    carrier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class P21Item:
    """An item of P21 that a line's SKU names; `units` are the units of measure it is sold in."""

    item_id: str
    inv_mast_uid: int
    selling_unit: str = ""
    units: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class P21Location:
    """A location that may sell or ship the order; always of the customer's company."""

    location_id: int
    name: str = ""
    source_location_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What P21 knows of a hub order's parties and items; deleted and inactive ones are not in it.

    `contact_id` is the contact of the hub's customer where it belongs to this P21 customer, else empty. `items` are by
    the line's SKU; `carriers` by the name the hub's shipping method has. `today` is P21's date.
    """

    customer: P21Customer
    ship_tos: Sequence[P21ShipTo]
    locations: Mapping[int, P21Location]
    items: Mapping[str, P21Item]
    today: date
    contact_id: str = ""
    carriers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """A line as P21 is asked to write it; `user_line_no` is ours, unique in the order, 25 characters at most.

    `hub_line_id` is the hub's line it comes from. The quantity is in the unit of measure.
    """

    user_line_no: str
    hub_line_id: str
    item_id: str
    unit_quantity: Decimal
    unit_of_measure: str = ""
    unit_price: Decimal | None = None
    extended_desc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as P21 is asked to write it; lengths are P21's (facts 5.3).

    `buyer_po` is the buyer's own PO number: the core lays the reference beside it, by the configured template.
    `ship_to` overrides the ship-to's address for this order only: fields of P21's element TP_SHIPTO. `header` are
    further edits of the header element, in this order, by P21's field names.
    """

    customer_id: int
    ship_to_id: int
    sales_location_id: int
    source_location_id: int
    order_date: date
    requested_date: date
    taker: str
    lines: Sequence[OrderLine]
    buyer_po: str = ""
    contact_id: str = ""
    carrier: str = ""
    delivery_instructions: str = ""
    ship_to: Mapping[str, str] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """Says that a person must look at the order before P21 is touched, and why; `hint` is what to do."""

    reason: str
    hint: str = ""

    @staticmethod
    def together(problems: Sequence[Held]) -> Held:
        """Return several problems as one, each said once."""
        reasons, hints = ([getattr(problem, name) for problem in problems] for name in ("reason", "hint"))
        return Held("; ".join(dict.fromkeys(filter(None, reasons))), "; ".join(dict.fromkeys(filter(None, hints))))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMark:
    """By what a row of P21 is recognised as an order of ours: its number, customer, taker, and both reference texts."""

    order_no: str
    customer_id: int
    taker: str = ""
    po_no: str = ""
    job_name: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderMapping(Generic[D]):
    """How hub orders become P21 orders: one plug-in, one hook `p21d_orders`, no I/O.

    `entity` is the entity by whose rows these orders come back out of P21, and whose route names their link table and
    that of their lines (the route's member `lines`); `company_entity` and `contact_entity` those by whose links a hub
    order's company and customer lead to a P21 customer and contact. `defaults` is the Struct that `orders.defaults` is
    read into; `order` maps; `mark` says by what a row of `entity` is recognised; `line_no` is the P21 line number in
    the child ids of `entity`.
    """

    name: str
    entity: str
    company_entity: str
    contact_entity: str
    defaults: type[D]
    order: Callable[[HubOrder, Found, D], Order | Held]
    mark: Callable[[Any], OrderMark]
    skus: Callable[[HubOrder, D], Sequence[str]] = lambda order, _defaults: [line.sku for line in order.lines]
