"""What the order writer knows of P21: outcomes of a write, and orders as P21 shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

ReferenceField = str
"""`po_no`, `job_name`, or the name of a UDF of the window; the column has the same name (facts 5.4)."""


class Verdict(Enum):
    """What one call of the Transaction API came to."""

    CREATED = "created"
    REFUSED = "refused"  # nothing was written, and the same would be refused again
    UNKNOWN = "unknown"  # it may have been written
    BUSY = "busy"  # nothing was written: no session free, a record lock, no token; the same may pass later


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict on one write; `words` are P21's own, `order_no` the number where it was created."""

    verdict: Verdict
    order_no: str = ""
    words: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLine:
    """A line as P21 has it (facts 4.2, oe_line); the quantity in the order unit.

    `cancelled` is true of a deleted line too; `component` of a line that P21 made itself, below another.
    """

    line_no: int
    user_line_no: str
    item_id: str
    unit_quantity: Decimal
    unit_of_measure: str
    unit_price: Decimal | None
    cancelled: bool = False
    component: bool = False
    extended_desc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrder:
    """An order as P21 has it (facts 4.2, oe_hdr), its lines in order.

    `reference_text` is what its reference field holds, trimmed; `state` is `completed`: Y, N, or T while it is open in
    somebody's editor. `created_at` is aware. A deleted order is found too. `carrier` is the carrier's name;
    `ship_to` the order's own address, by the fields of P21's element TP_SHIPTO.
    """

    order_no: str
    company_id: str
    customer_id: int
    ship_to_id: int | None
    po_no: str
    reference_text: str
    taker: str
    state: str
    cancelled: bool
    created_at: datetime | None
    order_date: date | None
    requested_date: date | None
    contact_id: str
    sales_location_id: int | None
    source_location_id: int | None
    lines: Sequence[FoundLine] = ()
    job_name: str = ""
    carrier: str = ""
    delivery_instructions: str = ""
    ship_to: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """By what the P21 customer of a hub order is found: at most one of both customers, and the contact.

    `customer` is the key of a linked company, (company_id, customer_id) as text, its company empty where it is not
    known; `contact_id` the P21 contact that the hub's customer is linked to.
    """

    customer: tuple[str, str] | None = None
    contact_id: str = ""
    skus: Sequence[str] = ()
    shipping_methods: Sequence[str] = ()
