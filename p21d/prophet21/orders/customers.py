"""Who the P21 customer of a hub order is: exactly one, or a person decides.

The linked company names it. Else the contact of the hub's customer leads to it: by its links of customer type, then by
its address, where that is a customer or a ship-to. A contact id is never taken for a customer id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from p21d.order import Held
from p21d.prophet21.orders.port import Parties
from p21d.prophet21.orders.rows import (
    CONTACT_LINKS,
    CONTACTS,
    CUSTOMERS,
    SHIP_TOS,
    Contact,
    ContactLink,
    Customer,
    ShipTo,
    rows_by,
)
from p21d.prophet21.paging import Pager
from p21d.row import clean, yes

CONTACT_ID_WIDTH = 16
"""Some sites pad contact ids with blanks to this width."""

_LINK_IT = (
    "link the hub's company to the P21 customer (deliver the company, or set its external id), then sync the order"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContact:
    """The contact of a hub order: its row, None where P21 has none, and its links to customers as (company, id)."""

    contact_id: str = ""
    row: Contact | None = None
    links: Sequence[tuple[str, int]] = field(default_factory=tuple)

    @property
    def usable(self) -> bool:
        """Return whether P21 has the contact, not deleted."""
        return self.row is not None and not yes(self.row.delete_flag)

    def belongs_to(self, customer: Customer, ship_tos: Iterable[ShipTo]) -> bool:
        """Return whether the contact is a customer's: linked to it, at its address, or at one of its ship-tos."""
        if self.row is None or not self.usable:
            return False
        if _linked_to(customer, self.links):
            return True
        here = {customer.customer_id, *(ship_to.ship_to_id for ship_to in ship_tos)}
        return self.row.address_id in here and same_company(self.row.company_id, customer.company_id)


class Customers:
    """Finds customers and contacts; `companies` are the configured ones, empty for all."""

    def __init__(self, pager: Pager, companies: Sequence[str]) -> None:
        self._pager = pager
        self._companies = companies

    async def customer(self, wanted: Parties, contact: KnownContact) -> Customer | Held:
        """Return the one customer, not deleted, or why there is not exactly one."""
        if wanted.customer is not None:
            return await self._linked(*wanted.customer)
        if not wanted.contact_id.strip():
            reason = "neither the company nor the customer of the hub order is known to P21"
            return Held(reason, hint=_LINK_IT)
        if not contact.usable:
            state = "is not in P21" if contact.row is None else "is deleted in P21"
            return Held(f"contact {contact.contact_id} of the hub order's customer {state}", hint=_LINK_IT)
        return await self._of_contact(contact)

    async def contact(self, contact_id: str) -> KnownContact:
        """Return the contact with this id, however P21 pads it, and its links to customers."""
        plain = contact_id.strip()
        if not plain:
            return KnownContact()
        forms = dict.fromkeys([plain, plain.ljust(CONTACT_ID_WIDTH), plain.rjust(CONTACT_ID_WIDTH)])
        rows = await rows_by(self._pager, CONTACTS, ("id",), [(form,) for form in forms])
        links = await rows_by(self._pager, CONTACT_LINKS, ("id",), [(form,) for form in forms])
        pairs = {pair for link in links if (pair := _customer_of(link)) is not None}
        rows.sort(key=lambda row: row.id.rstrip() != plain)
        return KnownContact(contact_id=plain, row=rows[0] if rows else None, links=sorted(pairs))

    async def _linked(self, company_id: str, customer_id: str) -> Customer | Held:
        company, text = company_id.strip(), customer_id.strip()
        if not (text.isascii() and text.isdigit()):
            return Held(f"the hub's company is linked to {text!r}, which is no P21 customer id", hint=_LINK_IT)
        named = f"customer {text}" + (f" of company {company}" if company else "")
        found = [row for row in await self._rows([int(text)]) if same_company(company, row.company_id)]
        return _one(found, f"the hub's company is linked to {named}")

    async def _of_contact(self, contact: KnownContact) -> Customer | Held:
        rows = await self._rows([id_ for _, id_ in contact.links])
        linked = [row for row in rows if _linked_to(row, contact.links) and not yes(row.delete_flag)]
        if linked:
            return _one(linked, f"contact {contact.contact_id} is linked to customers")
        how = f"contact {contact.contact_id} is linked to no customer, and by its address"
        return _one(await self._at_address(contact), how)

    async def _at_address(self, contact: KnownContact) -> list[Customer]:
        address_id = contact.row.address_id if contact.row else None
        if address_id is None:
            return []
        ship_tos = await rows_by(self._pager, SHIP_TOS, ("ship_to_id",), [(address_id,)])
        owners = {(clean(row.company_id), row.customer_id) for row in ship_tos if not yes(row.delete_flag)}
        rows = await self._rows([address_id, *(id_ for _, id_ in owners if id_ is not None)])
        company = contact.row.company_id if contact.row else ""
        return [
            row
            for row in rows
            if same_company(company, row.company_id)
            and (row.customer_id == address_id or (clean(row.company_id), row.customer_id) in owners)
        ]

    async def _rows(self, ids: Sequence[int]) -> list[Customer]:
        rows = await rows_by(self._pager, CUSTOMERS, ("customer_id",), [(id_,) for id_ in dict.fromkeys(ids)])
        known = self._companies
        return [row for row in rows if not known or any(same_company(one, row.company_id) for one in known)]


def same_company(one: str | None, other: str | None) -> bool:
    """Return whether two company ids are one, as P21 compares; an empty first one is any company."""
    return not clean(one) or clean(one).casefold() == clean(other).casefold()


def _one(found: Sequence[Customer], how: str) -> Customer | Held:
    """Return the only customer among these that is not deleted, or say what there is instead."""
    alive = [row for row in found if not yes(row.delete_flag)]
    if len(alive) == 1:
        return alive[0]
    if alive:
        names = ", ".join(_named(row) for row in alive)
        return Held(f"{how}: several P21 customers fit: {names}", hint=_LINK_IT)
    if found:
        names = ", ".join(_named(row) for row in found)
        return Held(f"{how}: deleted in P21: {names}", hint="undelete it in P21, or link the hub's company to another")
    return Held(f"{how}: no such customer in P21, or not of the configured companies", hint=_LINK_IT)


def _named(row: Customer) -> str:
    return f"{row.customer_id} of company {clean(row.company_id)} ({clean(row.customer_name)})"


def _customer_of(link: ContactLink) -> tuple[str, int] | None:
    # Link types are not documented; those of customers are taken to start with CU.
    text = clean(link.link_id)
    if not clean(link.link_type).upper().startswith("CU") or not (text.isascii() and text.isdigit()):
        return None
    return clean(link.company_id), int(text)


def _linked_to(row: Customer, links: Iterable[tuple[str, int]]) -> bool:
    return any(id_ == row.customer_id and same_company(company, row.company_id) for company, id_ in links)
