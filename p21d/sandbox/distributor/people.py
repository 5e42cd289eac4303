"""Seed contacts and their links to customers.

Ids are up to 16 characters, some padded with blanks to the full 16; one in six contacts has no e-mail; contacts with
two links belong to two customers; the sales representatives are contacts too.
"""

from __future__ import annotations

from p21d.sandbox.distributor.customers import company_of, customer_name
from p21d.sandbox.distributor.seeding import COMPANIES, FIRST_CUSTOMER, Seeding, flags
from p21d.sandbox.distributor.words import FIRST_NAMES, LAST_NAMES

_SALES_REPS = ("1001", "1002", "1003")
_FIRST_CONTACT = 5001
_ID_WIDTH = 16


def contact_id(index: int) -> str:
    """Return the id of the contact with this index, counted from 0; every 11th is blank-padded, every 13th a word."""
    if index % 13 == 12:
        return f"{LAST_NAMES[index % 30][:5].upper()}.{index}"
    plain = str(_FIRST_CONTACT + index)
    return plain.ljust(_ID_WIDTH) if index % 11 == 2 else plain


def contact_of(customer: int, customers: int, contacts: int) -> str | None:
    """Return the contact of a customer index, None where it has none."""
    return contact_id(customer) if customer < min(customers, contacts) else None


def seed_people(seeding: Seeding) -> None:
    """Fill contacts and contacts_x_links."""
    ids = [contact_id(index) for index in range(seeding.contacts)]
    owners = [index % seeding.customers for index in range(seeding.contacts)]
    _seed_contacts(seeding, ids, owners)
    _seed_links(seeding, ids, owners)


def _seed_contacts(seeding: Seeding, ids: list[str], owners: list[int]) -> None:
    rng, count = seeding.random("contacts"), len(ids) + len(_SALES_REPS)
    first, last = rng.choices(FIRST_NAMES, k=count), rng.choices(LAST_NAMES, k=count)
    seeding.insert(
        "contacts",
        count,
        id=[*ids, *_SALES_REPS],
        address_id=[*(FIRST_CUSTOMER + owner for owner in owners), *(101 for _ in _SALES_REPS)],
        company_id=[*(company_of(owner) for owner in owners), *(COMPANIES[0] for _ in _SALES_REPS)],
        first_name=first,
        mi=rng.choices([None, "J", "Q"], k=count),
        last_name=last,
        title=rng.choices(["Buyer", "Owner", "Maint. Mgr", "A/P & A/R", None], k=count),
        direct_phone=[f"614-555-{number % 10_000:04d}" if number % 5 else None for number in range(count)],
        phone_ext=rng.choices([None, "12", "x401"], k=count),
        cellular=rng.choices([None, "(614) 555-0199"], k=count),
        email_address=[
            None if number % 6 == 5 else f"{name.lower()}.{number}@example.com" for number, name in enumerate(first)
        ],
        contact_type_id=None,
        salesrep=["N"] * len(ids) + ["Y"] * len(_SALES_REPS),
        buyer=flags(rng, count, one_in=3),
        delete_flag=flags(rng, count, one_in=50),
        **seeding.made("contacts", count),
    )


def _seed_links(seeding: Seeding, ids: list[str], owners: list[int]) -> None:
    pairs = list(zip(ids, owners, strict=True))
    pairs += [(contact, (owner + 1) % seeding.customers) for contact, owner in pairs[4::9]]
    seeding.insert(
        "contacts_x_links",
        len(pairs),
        id=[contact for contact, _ in pairs],
        link_type="Customer",
        link_id=[str(FIRST_CUSTOMER + owner) for _, owner in pairs],
        link_name=[customer_name(owner) for _, owner in pairs],
        company_id=[company_of(owner) for _, owner in pairs],
    )
