"""What P21 knows of a hub order's parties and items, for the order mapping to choose from.

Deleted and inactive ones are left out, and so is an item whose SKU two items of P21 answer to: the mapping then holds
the order for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from p21d.clock import Clock
from p21d.order import Found, Held, P21Customer, P21Item, P21Location, P21ShipTo
from p21d.prophet21.orders.customers import Customers, KnownContact
from p21d.prophet21.orders.port import Parties
from p21d.prophet21.orders.rows import (
    ITEMS,
    LOCATIONS,
    PLACES,
    SHIP_TOS,
    UNITS,
    Customer,
    Item,
    Location,
    Place,
    ShipTo,
    Unit,
    rows_by,
)
from p21d.prophet21.paging import Pager
from p21d.prophet21.server_clock import ServerClock
from p21d.prophet21.zone import ServerZone
from p21d.row import clean, yes


class PartyFinder:
    """Reads the parties of one order at a time."""

    def __init__(
        self, pager: Pager, customers: Customers, zone: ServerZone, server_clock: ServerClock, clock: Clock
    ) -> None:
        self._pager = pager
        self._customers = customers
        self._zone = zone
        self._server_clock = server_clock
        self._clock = clock

    async def find(self, wanted: Parties, location_ids: Sequence[int]) -> Found | Held:
        """Return what is known, or why it is not clear who the customer is."""
        contact = await self._customers.contact(wanted.contact_id)
        customer = await self._customers.customer(wanted, contact)
        if isinstance(customer, Held):
            return customer
        ship_tos = await self._ship_tos(customer)
        carriers = await self._carriers(ship_tos, wanted.shipping_methods)
        return Found(
            customer=_customer(customer),
            ship_tos=await self._with_addresses(ship_tos, carriers),
            locations=await self._locations(clean(customer.company_id), location_ids),
            items=await self._items(wanted.skus),
            today=self._zone.local_date(self._server_clock.now() or self._clock.now()),
            contact_id=_contact_id(contact, customer, ship_tos),
            carriers=labels(wanted.shipping_methods, carriers.values()),
        )

    async def _ship_tos(self, customer: Customer) -> list[ShipTo]:
        key = (customer.company_id, customer.customer_id)
        rows = await rows_by(self._pager, SHIP_TOS, ("company_id", "customer_id"), [key])
        return sorted((row for row in rows if not yes(row.delete_flag)), key=lambda row: row.ship_to_id)

    async def _with_addresses(self, ship_tos: Sequence[ShipTo], carriers: Mapping[int, Place]) -> list[P21ShipTo]:
        places = await rows_by(self._pager, PLACES, ("id",), [(row.ship_to_id,) for row in ship_tos])
        at = {place.id: place for place in places}
        return [_ship_to(row, at.get(row.ship_to_id), carriers) for row in ship_tos]

    async def _carriers(self, ship_tos: Iterable[ShipTo], methods: Sequence[str]) -> dict[int, Place]:
        """Return the carriers by id: those of the ship-tos, and all where a shipping method names one."""
        if any(method.strip() for method in methods):
            rows = await rows_by(self._pager, PLACES, ("carrier_flag",), [("Y",)])
        else:
            ids = {row.default_carrier_id for row in ship_tos if row.default_carrier_id is not None}
            rows = await rows_by(self._pager, PLACES, ("id",), [(id_,) for id_ in sorted(ids)])
        return {row.id: row for row in rows if not yes(row.delete_flag) and clean(row.name)}

    async def _locations(self, company: str, ids: Sequence[int]) -> dict[int, P21Location]:
        rows = await rows_by(self._pager, LOCATIONS, ("company_id",), [(company,)])
        kept = (row for row in rows if not yes(row.delete_flag) and (not ids or row.location_id in ids))
        return {row.location_id: _location(row) for row in kept}

    async def _items(self, skus: Sequence[str]) -> dict[str, P21Item]:
        asked = {sku: sku.strip() for sku in skus if sku.strip()}
        values = [(form,) for form in dict.fromkeys(form for plain in asked.values() for form in item_forms(plain))]
        rows = await rows_by(self._pager, ITEMS, ("item_id",), values)
        by_id: dict[str, dict[int, Item]] = {}
        for row in rows:
            if not yes(row.delete_flag) and not yes(row.inactive):
                by_id.setdefault(clean(row.item_id).casefold(), {})[row.inv_mast_uid] = row
        only = {plain: next(iter(found.values())) for plain, found in by_id.items() if len(found) == 1}
        units = await self._units(only.values())
        return {sku: _item(only[plain.casefold()], units) for sku, plain in asked.items() if plain.casefold() in only}

    async def _units(self, items: Iterable[Item]) -> dict[int, frozenset[str]]:
        rows = await rows_by(self._pager, UNITS, ("inv_mast_uid",), [(item.inv_mast_uid,) for item in items])
        sold = [row for row in rows if not yes(row.delete_flag) and _is_sold(row)]
        uids = {row.inv_mast_uid for row in sold}
        return {uid: frozenset(clean(row.unit_of_measure) for row in sold if row.inv_mast_uid == uid) for uid in uids}


def item_forms(sku: str) -> list[str]:
    """Return what to ask for: P21 ignores blanks behind an id but not one in front, and some sites mind the case."""
    forms = [sku, sku.upper()]
    return list(dict.fromkeys([*forms, *(f" {form}" for form in forms)]))


def labels(methods: Sequence[str], carriers: Iterable[Place]) -> dict[str, str]:
    """Return the carrier's name in P21 by the shipping method that names it, by its name or by its id."""
    known = {}
    for place in carriers:
        known[str(place.id)] = clean(place.name)
        known[clean(place.name).casefold()] = clean(place.name)
    return {method: known[method.strip().casefold()] for method in methods if method.strip().casefold() in known}


def _customer(row: Customer) -> P21Customer:
    return P21Customer(
        company_id=clean(row.company_id),
        customer_id=row.customer_id,
        name=clean(row.customer_name),
        taxable=clean(row.taxable_flag).upper() != "N",
        salesrep_id=clean(row.salesrep_id),
    )


def _contact_id(contact: KnownContact, customer: Customer, ship_tos: Sequence[ShipTo]) -> str:
    return contact.contact_id if contact.belongs_to(customer, ship_tos) else ""


def _ship_to(row: ShipTo, place: Place | None, carriers: Mapping[int, Place]) -> P21ShipTo:
    carrier = carriers.get(row.default_carrier_id or 0)
    return P21ShipTo(
        ship_to_id=row.ship_to_id,
        name=clean(place.name) if place else "",
        address_1=clean(place.phys_address1) if place else "",
        city=clean(place.phys_city) if place else "",
        region=clean(place.phys_state) if place else "",
        postal_code=clean(place.phys_postal_code) if place else "",
        country=clean(place.phys_country) if place else "",
        preferred_location_id=row.preferred_location_id,
        carrier=clean(carrier.name) if carrier else "",
    )


def _location(row: Location) -> P21Location:
    return P21Location(
        location_id=row.location_id, name=clean(row.location_name), source_location_id=row.default_oe_source_loc_id
    )


def _is_sold(row: Unit) -> bool:
    return clean(row.selling_unit).upper() != "N" and bool(clean(row.unit_of_measure))


def _item(row: Item, units: Mapping[int, frozenset[str]]) -> P21Item:
    return P21Item(
        item_id=(row.item_id or "").rstrip(),
        inv_mast_uid=row.inv_mast_uid,
        selling_unit=clean(row.default_selling_unit),
        units=units.get(row.inv_mast_uid, frozenset()),
    )
