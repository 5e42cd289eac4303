"""Companies: the customers of P21 as the hub's companies, with their own address and their ship-tos.

An address that lacks a member the hub requires is left out, so that it does not keep the company from the hub. The
addresses of a company name no person: the business name stands in both name members.
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
    split_name,
    yes,
)


class Customer(Row, frozen=True):
    """A row of `customer`."""

    company_id: str
    customer_id: int
    customer_uid: int
    customer_name: str | None
    ar_account_no: str | None
    delete_flag: str | None
    date_last_modified: P21Time | None


class OwnAddress(Address, frozen=True):
    """The customer's own address, with what only a company shows."""

    central_fax_number: str | None
    federal_id_number: str | None
    url: str | None


class ShipTo(Row, frozen=True):
    """A row of `ship_to`."""

    company_id: str
    ship_to_id: int
    customer_id: int | None
    delete_flag: str | None


OWN_ADDRESS = Related(table="address", row=OwnAddress, key=("id",), match={"id": "customer_id"})
SHIP_TO = Related(
    table="ship_to",
    row=ShipTo,
    key=("company_id", "ship_to_id"),
    match={"company_id": "company_id", "customer_id": "customer_id"},
)
SHIP_TO_ADDRESS = Related(table="address", row=Address, key=("id",), match={"id": "ship_to_id"}, of=SHIP_TO)
OWN_CUSTOMER = Related(table="customer", row=Customer, key=("customer_uid",), match={"customer_id": "id"})
SHIP_TO_HERE = Related(table="ship_to", row=ShipTo, key=("company_id", "ship_to_id"), match={"ship_to_id": "id"})
"""A ship-to names its customer, so that an address needs one hop to the customers it is delivered for."""


def records(row: Customer, related: RelatedRows) -> Record | Skip:
    """Return the company with its addresses."""
    address = related.first(OWN_ADDRESS, row)
    name = clean(row.customer_name) or clean(address.name if address else None)
    if not name:
        return Skip("no customer name")
    body: dict[str, Any] = {"name": name, "account_number": clean(row.ar_account_no) or None}
    if address:
        body |= {
            "email_address": clean(address.email_address),
            "phone_number": clean(address.central_phone_number),
            "fax_number": clean(address.central_fax_number),
            "url": clean(address.url) or None,
            "tax_id_number": clean(address.federal_id_number) or None,
        }
    return Record(
        external_id={"customer_id": row.customer_id, "company_id": clean(row.company_id)},
        body=present(body),
        children={"addresses": list(addresses(row, name, related))},
    )


def addresses(row: Customer, name: str, related: RelatedRows) -> Iterator[Child]:
    """Yield the company's own address first, then its ship-tos by id, each once.

    The own address is for billing, and for shipping too where it is a ship-to itself or the only one; else the first
    ship-to is the primary one.
    """
    ship_tos = {ship_to.ship_to_id: ship_to for ship_to in related.rows(SHIP_TO, row) if not yes(ship_to.delete_flag)}
    primary = row.customer_id if row.customer_id in ship_tos or not ship_tos else min(ship_tos)
    found: list[Address | None] = [related.first(OWN_ADDRESS, row)]
    found += [related.first(SHIP_TO_ADDRESS, ship_tos[id_]) for id_ in sorted(ship_tos) if id_ != row.customer_id]
    for address in found:
        if address is None or yes(address.delete_flag):
            continue
        own = address.id == row.customer_id
        first_name, last_name = split_name(clean(address.name) or name)
        body = hub_address(
            address,
            first_name=first_name,
            last_name=last_name,
            billing=own,
            shipping=address.id == primary,
            physical=not own,
        )
        if complete_address(body):
            yield Child(id=str(address.id), body=body)


ENTITY = Entity(
    name="company",
    row=Customer,
    table="customer",
    key=("company_id", "customer_id"),
    page_by=("customer_uid",),
    company="company_id",
    external_id="{customer_id}",
    external_id_values=("company_id",),
    records=records,
    route=Route(resource="company", natural_key="name", children={"addresses": "company_address"}),
    related=(OWN_ADDRESS, SHIP_TO, SHIP_TO_ADDRESS),
    triggers=(
        Trigger(table="address", key=("id",), hops=(OWN_CUSTOMER,)),
        Trigger(table="address", key=("id",), hops=(SHIP_TO_HERE,)),
        Trigger(table="ship_to", key=("company_id", "ship_to_id")),
    ),
)


@hookimpl
def p21d_entities() -> Sequence[Entity[Any]]:
    """Return the entity of this file."""
    return [ENTITY]
