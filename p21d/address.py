"""P21's address row, and how it reads as the hub's address; several entities share both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from p21d.row import Row, clean

COUNTRIES: Mapping[str, str] = {
    "": "United States",
    "US": "United States",
    "USA": "United States",
    "CA": "Canada",
    "CAN": "Canada",
    "MX": "Mexico",
    "MEX": "Mexico",
}
"""P21 keeps what people typed; the hub checks country names (VALD-1045), and takes a code only with the right name."""

REQUIRED_MEMBERS = ("first_name", "last_name", "address_1", "city", "region", "postal_code", "country")
"""What the hub wants filled in every address (ipaas facts 3.2)."""

_STREET_WORDS: Mapping[str, str] = {
    "avenue": "ave",
    "boulevard": "blvd",
    "circle": "cir",
    "court": "ct",
    "drive": "dr",
    "east": "e",
    "highway": "hwy",
    "lane": "ln",
    "north": "n",
    "parkway": "pkwy",
    "place": "pl",
    "road": "rd",
    "south": "s",
    "street": "st",
    "suite": "ste",
    "west": "w",
}
"""Words of a street that people and shops shorten, as the US post does."""


class Address(Row, frozen=True):
    """A row of P21's `address` table, which customers, ship-tos, locations and carriers share (facts 4.2)."""

    id: int
    name: str | None
    mail_address1: str | None
    mail_address2: str | None
    mail_address3: str | None
    mail_city: str | None
    mail_state: str | None
    mail_postal_code: str | None
    mail_country: str | None
    phys_address1: str | None
    phys_address2: str | None
    phys_address3: str | None
    phys_city: str | None
    phys_state: str | None
    phys_postal_code: str | None
    phys_country: str | None
    central_phone_number: str | None
    email_address: str | None
    delete_flag: str | None


def hub_address(
    address: Address,
    *,
    first_name: str,
    last_name: str,
    billing: bool = False,
    shipping: bool = False,
    physical: bool = False,
) -> dict[str, Any]:
    """Return the members of a hub address; the physical address for shipping, the mail address otherwise.

    `billing` and `shipping` make it the primary one of its kind; `physical` is for a ship-to that is not the primary.
    Where the chosen one has no street, the other is taken: many sites fill only one of the two.
    """
    kinds = ("phys", "mail") if (physical or shipping) and not billing else ("mail", "phys")
    kind = next((kind for kind in kinds if clean(getattr(address, f"{kind}_address1"))), kinds[0])
    return {
        "first_name": first_name,
        "last_name": last_name,
        "company": clean(address.name),
        "phone_number": clean(address.central_phone_number),
        "address_1": clean(getattr(address, f"{kind}_address1")),
        "address_2": clean(getattr(address, f"{kind}_address2")),
        "address_3": clean(getattr(address, f"{kind}_address3")),
        "city": clean(getattr(address, f"{kind}_city")),
        "region": clean(getattr(address, f"{kind}_state")),
        "postal_code": clean(getattr(address, f"{kind}_postal_code")),
        "country": hub_country(getattr(address, f"{kind}_country")),
        "is_primary_billing": billing,
        "is_primary_shipping": shipping,
    }


def complete_address(members: Mapping[str, Any]) -> bool:
    """Return whether a hub address has all its required members.

    One that has not is left out of its parent: sent, it would make the hub refuse the whole customer or company.
    """
    return all(members.get(name) for name in REQUIRED_MEMBERS)


def hub_country(country: str | None) -> str:
    """Return the country's name as the hub wants it; an unknown one passes as it is."""
    name = clean(country)
    return COUNTRIES.get(name.upper(), name)


def split_name(name: str | None) -> tuple[str, str]:
    """Return the name of a business as first and last name, for addresses that name no person.

    The hub requires both; `Acme Supply` split in two reads as one again wherever they are shown together. A name of one
    word fills both.
    """
    first, _, last = clean(name).partition(" ")
    return first, last.strip() or first


def place(street: str, postal_code: str) -> tuple[str, str]:
    """Return where an address is, in one form however it was typed: two are the same place when these are equal.

    A ZIP+4 is its first five digits. Empty texts where street or postal code say nothing.
    """
    words = re.findall(r"[^\W_]+", street.casefold())
    code = "".join(re.findall(r"[^\W_]+", postal_code.casefold()))
    if re.fullmatch(r"\d{9}", code):
        code = code[:5]
    return " ".join(_STREET_WORDS.get(word, word) for word in words), code
