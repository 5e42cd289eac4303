"""The rows and readings of P21's tables that orders need.

Each column may be null, so that an odd row is never left out of a look-up: what is not found would be sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from p21d.errors import PageError
from p21d.prophet21.classify import SYSTEM
from p21d.prophet21.matching import match_of, read_matching
from p21d.prophet21.odata import all_of, equals
from p21d.prophet21.paging import Pager
from p21d.prophet21.reading import Reading
from p21d.row import P21Time, Row

R = TypeVar("R", bound=Row)


class Header(Row, frozen=True):
    """A row of `oe_hdr`; `address_id` is the ship-to."""

    oe_hdr_uid: int
    order_no: str
    company_id: str | None
    customer_id: int | None
    address_id: int | None
    contact_id: str | None
    location_id: int | None
    source_location_id: int | None
    carrier_id: int | None
    order_date: P21Time | None
    requested_date: P21Time | None
    po_no: str | None
    job_name: str | None
    taker: str | None
    delivery_instructions: str | None
    ship2_name: str | None
    ship2_add1: str | None
    ship2_add2: str | None
    ship2_city: str | None
    ship2_state: str | None
    ship2_zip: str | None
    ship2_country: str | None
    ship_to_phone: str | None
    ship2_email_address: str | None
    completed: str | None
    cancel_flag: str | None
    delete_flag: str | None
    rma_flag: str | None
    date_created: P21Time | None
    date_last_modified: P21Time | None


class Line(Row, frozen=True):
    """A row of `oe_line`."""

    oe_line_uid: int
    order_no: str
    line_no: int
    parent_oe_line_uid: int | None
    inv_mast_uid: int | None
    user_line_no: str | None
    unit_quantity: Decimal | None
    unit_of_measure: str | None
    unit_price: Decimal | None
    extended_desc: str | None
    cancel_flag: str | None
    delete_flag: str | None


class Item(Row, frozen=True):
    """A row of `inv_mast`."""

    inv_mast_uid: int
    item_id: str | None
    default_selling_unit: str | None
    delete_flag: str | None
    inactive: str | None


class Unit(Row, frozen=True):
    """A row of `item_uom`."""

    item_uom_uid: int
    inv_mast_uid: int
    unit_of_measure: str | None
    selling_unit: str | None
    delete_flag: str | None


class Customer(Row, frozen=True):
    """A row of `customer`."""

    customer_uid: int
    company_id: str
    customer_id: int
    customer_name: str | None
    taxable_flag: str | None
    salesrep_id: str | None
    delete_flag: str | None


class ShipTo(Row, frozen=True):
    """A row of `ship_to`."""

    company_id: str
    ship_to_id: int
    customer_id: int | None
    preferred_location_id: int | None
    default_carrier_id: int | None
    delete_flag: str | None


class Place(Row, frozen=True):
    """A row of `address`: of a ship-to or a carrier."""

    id: int
    name: str | None
    phys_address1: str | None
    phys_city: str | None
    phys_state: str | None
    phys_postal_code: str | None
    phys_country: str | None
    carrier_flag: str | None
    delete_flag: str | None


class Location(Row, frozen=True):
    """A row of `location`."""

    location_id: int
    company_id: str | None
    location_name: str | None
    default_oe_source_loc_id: int | None
    delete_flag: str | None


class Contact(Row, frozen=True):
    """A row of `contacts`."""

    id: str
    company_id: str | None
    address_id: int | None
    delete_flag: str | None


class ContactLink(Row, frozen=True):
    """A row of `contacts_x_links`, certain only as a view (facts 4.2)."""

    id: str
    link_type: str | None
    link_id: str | None
    company_id: str | None


def _reading(table: str, row: type[R], *key: str, **more: Any) -> Reading[R]:
    return Reading(table=table, row=row, key=key, page_by=key, **more)


HEADERS = _reading("oe_hdr", Header, "oe_hdr_uid", modified="date_last_modified")
LINES = _reading("oe_line", Line, "oe_line_uid")
ITEMS = _reading("inv_mast", Item, "inv_mast_uid")
UNITS = _reading("item_uom", Unit, "item_uom_uid")
CUSTOMERS = _reading("customer", Customer, "customer_uid")
SHIP_TOS = _reading("ship_to", ShipTo, "company_id", "ship_to_id")
PLACES = _reading("address", Place, "id")
LOCATIONS = _reading("location", Location, "location_id")
CONTACTS = _reading("contacts", Contact, "id")
CONTACT_LINKS = _reading(
    "p21_view_contacts_x_links", ContactLink, "id", "link_type", "link_id", "company_id", surface="view"
)
READINGS: Sequence[Reading[Any]] = (
    *(HEADERS, LINES, ITEMS, UNITS, CUSTOMERS, SHIP_TOS, PLACES, LOCATIONS, CONTACTS, CONTACT_LINKS),
)
"""All that the account must be allowed to read before an order may be sent."""


async def rows_by(
    pager: Pager,
    reading: Reading[R],
    columns: Sequence[str],
    values: Iterable[Sequence[object]],
    condition: str = "",
) -> list[R]:
    """Return the rows whose columns have one of these value tuples, under a further condition.

    A tuple with a blank, or with a text where a number belongs, has no row. Raises PageError for a row that cannot be
    read: nothing may be called absent for it.
    """
    terms = {}
    for parts in values:
        match = match_of(reading.columns, columns, parts)
        if match is not None:
            literals = [reading.columns.literal(*pair) for pair in zip(columns, parts, strict=True)]
            terms[tuple(literals)] = (match, all_of([equals(columns, literals), condition]))
    if not terms:
        return []
    pages = await read_matching(pager, reading, columns, list(terms.values()))
    for page in pages:
        for bad in page.undecodable:
            raise PageError(f"Prophet 21's row {bad.key} of {reading.table} cannot be read: {bad.error}", system=SYSTEM)
    return [row for page in pages for row in page.rows]
