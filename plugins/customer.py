"""Customers: the contacts of P21 as the hub's customers, with their address.

A contact without an e-mail address is skipped, as the hub's own integration does. One with a single name (`Purchasing`)
is a mailbox that orders, so it is sent: the hub wants both names, and the company's stands in for the missing one. One
without any name is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from p21d.plugin import (
    Address,
    Child,
    Entity,
    P21Time,
    Record,
    Related,
    RelatedRows,
    Route,
    Row,
    Skip,
    Trigger,
    clean,
    complete_address,
    hookimpl,
    hub_address,
    present,
    yes,
)


class Contact(Row, frozen=True):
    """A row of `contacts`; the id is text, in some sites padded with blanks."""

    id: str
    address_id: int | None
    company_id: str | None
    first_name: str | None
    last_name: str | None
    email_address: str | None
    delete_flag: str | None
    date_last_modified: P21Time | None


class ContactLink(Row, frozen=True):
    """A row of `contacts_x_links`, certain only as a view (facts 4.2)."""

    id: str
    link_type: str
    link_id: str
    company_id: str | None
    link_name: str | None


ADDRESS = Related(table="address", row=Address, key=("id",), match={"id": "address_id"})
LINK = Related(
    table="p21_view_contacts_x_links",
    surface="view",
    row=ContactLink,
    key=("id", "link_type", "link_id", "company_id"),
    match={"id": "id"},
    optional=True,
)
AT_ADDRESS = Related(table="contacts", row=Contact, key=("id",), match={"address_id": "id"})
OF_CUSTOMER = Related(
    table=LINK.table,
    surface=LINK.surface,
    row=ContactLink,
    key=LINK.key,
    match={"link_id": "customer_id"},
    optional=True,
)
"""The links of a customer; they have no date, but show its name, and the hub shows that with each contact."""


def records(row: Contact, related: RelatedRows) -> Record | Skip:
    """Return the contact with its address."""
    email_address = clean(row.email_address)
    if not email_address:
        return Skip("no e-mail")
    first_name, last_name = clean(row.first_name), clean(row.last_name)
    if not first_name and not last_name:
        return Skip("no first or last name")
    company = company_name(row, related)
    first_name, last_name = first_name or company or last_name, last_name or company or first_name
    contact_id = clean(row.id)
    return Record(
        external_id={"contact_id": contact_id, "company_id": clean(row.company_id)},
        body=present(
            {
                "customer_number": contact_id,
                "first_name": first_name,
                "last_name": last_name,
                "email_address": email_address,
                "company": company or None,
            }
        ),
        children={"addresses": list(addresses(row, first_name, last_name, related))},
    )


def company_name(row: Contact, related: RelatedRows) -> str:
    """Return the name of the linked customer, the one at the contact's own address first; else the address's name.

    Link types are not documented; those of customers are taken to start with CU.
    """
    links = [link for link in related.rows(LINK, row) if clean(link.link_type).upper().startswith("CU")]
    links.sort(key=lambda link: clean(link.link_id) != str(row.address_id))
    address = related.first(ADDRESS, row)
    names = [link.link_name for link in links] + [address.name if address else None]
    return next((clean(name) for name in names if clean(name)), "")


def addresses(row: Contact, first_name: str, last_name: str, related: RelatedRows) -> Iterator[Child]:
    """Yield the contact's address, primary for billing and shipping."""
    address = related.first(ADDRESS, row)
    if address is None or yes(address.delete_flag):
        return
    body = hub_address(address, first_name=first_name, last_name=last_name, billing=True, shipping=True)
    if complete_address(body):
        yield Child(id=str(address.id), body=body)


ENTITY = Entity(
    name="customer",
    row=Contact,
    table="contacts",
    key=("id",),
    company="company_id",
    external_id="{contact_id}",
    external_id_values=("company_id",),
    unique_without_company=True,
    records=records,
    route=Route(resource="customer", natural_key="email_address", children={"addresses": "address"}),
    related=(ADDRESS, LINK),
    triggers=(
        Trigger(table="address", key=("id",), hops=(AT_ADDRESS,)),
        Trigger(table="customer", key=("customer_uid",), hops=(OF_CUSTOMER,)),
    ),
)


@hookimpl
def p21d_entities() -> Sequence[Entity[Any]]:
    """Return the entity of this file."""
    return [ENTITY]
