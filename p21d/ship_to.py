"""Chooses where an order goes: a ship-to of the customer at the order's address, else the customer's own, overridden.

An override changes the address of this order only, through P21's element TP_SHIPTO (facts 5.3), never the ship-to.
"""

from __future__ import annotations

from collections.abc import Mapping

from p21d.address import hub_country, place
from p21d.order import Found, Held, HubAddress, HubOrder, P21ShipTo

NAME_CHARACTERS = 50
PHONE_CHARACTERS = 20
Chosen = tuple[P21ShipTo, Mapping[str, str]]
"""A ship-to, and the fields of TP_SHIPTO that are others for this order."""


def choose_ship_to(order: HubOrder, found: Found, *, match: bool = True, override: bool = True) -> Chosen | Held:
    """Return the ship-to and its override; `match` looks for the address, `override` allows to put it over another."""
    address = order.shipping
    if address is None:
        return Held("it has no shipping address", "complete it in the hub")
    if not (address.address_1 and address.city and address.postal_code):
        return Held("its shipping address has no street, city or postal code", "complete it in the hub")
    if match and (at_address := _at_address(address, found)):
        second = second_line(address)
        return at_address, {"phys_address2": second} if second and override else {}
    own = _own(found)
    if own is None or not override:
        customer = found.customer.customer_id
        where = f"{address.address_1}, {address.city} {address.postal_code}"
        return Held(f"customer {customer} has no ship-to at {where}", f"add it to customer {customer} in P21")
    return own, _edits(order, address, own)


def second_line(address: HubAddress) -> str:
    """Return the second and third line in one: P21 takes two."""
    return ", ".join(filter(None, (address.address_2, address.address_3)))


def _at_address(address: HubAddress, found: Found) -> P21ShipTo | None:
    here, name = place(address.address_1, address.postal_code), address.company.strip().casefold()
    same = [one for one in found.ship_tos if place(one.address_1, one.postal_code) == here]
    own = found.customer.customer_id
    return min(
        same,
        key=lambda one: (one.name.strip().casefold() != name, one.ship_to_id != own, one.ship_to_id),
        default=None,
    )


def _own(found: Found) -> P21ShipTo | None:
    """Return the ship-to of the customer's own number, else its only one."""
    own = next((one for one in found.ship_tos if one.ship_to_id == found.customer.customer_id), None)
    return own or (found.ship_tos[0] if len(found.ship_tos) == 1 else None)


def _edits(order: HubOrder, address: HubAddress, own: P21ShipTo) -> dict[str, str]:
    same_country = hub_country(own.country).casefold() == hub_country(address.country).casefold()
    edits = {
        "ship_to_name": (address.company or address.person)[:NAME_CHARACTERS].rstrip(),
        "phys_address1": address.address_1,
        "phys_city": address.city,
        "phys_state": address.region,
        "phys_postal_code": address.postal_code,
        "phys_country": own.country if same_country else address.country,
        "central_phone_number": address.phone_number[:PHONE_CHARACTERS],
        "email_address": order.email_address,
    }
    # the second line even if it is empty: else the ship-to's own would stay under another street
    return {**{field: text for field, text in edits.items() if text}, "phys_address2": second_line(address)}
