"""What the Order window looks up in P21's masters; a deleted row is as good as none."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database

SHIP_TO_COLUMNS = {
    "ship2_name": "name",
    "ship2_add1": "phys_address1",
    "ship2_add2": "phys_address2",
    "ship2_add3": "phys_address3",
    "ship2_city": "phys_city",
    "ship2_state": "phys_state",
    "ship2_zip": "phys_postal_code",
    "ship2_country": "phys_country",
    "ship_to_phone": "central_phone_number",
    "ship2_email_address": "email_address",
}
"""Columns of oe_hdr and the columns of address they are copied from."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item that may be sold: its units with their sizes, and its price per base unit."""

    uid: int
    item_id: str
    selling_unit: str
    price: Decimal
    units: dict[str, Decimal]


class Masters:
    """Look up customers, ship-tos, locations, contacts, carriers and items by what is typed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def customer(self, customer_id: int, company: str | None = None) -> dict[str, Any] | None:
        """Return a customer, of any company where none is named."""
        wanted = {"customer_id": customer_id} | ({"company_id": company} if company else {})
        return self._living("customer", wanted)

    def ship_to(self, ship_to_id: int, customer_id: int, company: str | None = None) -> dict[str, Any] | None:
        """Return a ship-to of this customer."""
        wanted = {"ship_to_id": ship_to_id, "customer_id": customer_id} | ({"company_id": company} if company else {})
        return self._living("ship_to", wanted)

    def location(self, location_id: int) -> dict[str, Any] | None:
        """Return a location."""
        return self._living("location", {"location_id": location_id})

    def address(self, address_id: int) -> dict[str, Any]:
        """Return what an address gives a header's ship2 columns; all null where there is none."""
        rows = self._database.rows("address", {"id": address_id})
        return {column: rows[0].get(source) if rows else None for column, source in SHIP_TO_COLUMNS.items()}

    def carrier(self, name: str) -> int | None:
        """Return the id of the carrier with this name."""
        found = self._living("address", {"name": name, "carrier_flag": "Y"})
        return int(found["id"]) if found and found["name"] == name else None

    def carrier_name(self, carrier_id: int | None) -> str:
        """Return the name of a carrier, empty without one."""
        found = self._living("address", {"id": carrier_id, "carrier_flag": "Y"})
        return str(found["name"]) if found else ""

    def freight_code(self, code: str, company: str | None) -> int | None:
        """Return the uid of a freight code of the company."""
        rows = self._database.rows("freight_code", {"freight_cd": code} | ({"company_id": company} if company else {}))
        return next((row["freight_code_uid"] for row in rows if row["row_status"] == 704), None)

    def contact(self, contact_id: str, customer_id: int) -> str | None:
        """Return the id, as stored, of a contact that belongs to this customer: by its address or by a link.

        Ids are compared without the blanks some of them are padded with.
        """
        rows = self._database.connection.execute(
            """SELECT c.id FROM contacts c WHERE c.id IN (?1, ?2) AND c.delete_flag IS NOT 'Y' AND (
                 c.address_id = ?3
                 OR c.address_id IN (SELECT s.ship_to_id FROM ship_to s WHERE s.customer_id = ?3)
                 OR EXISTS (SELECT 1 FROM contacts_x_links x
                            WHERE x.id = c.id AND x.link_id = ?4 AND x.link_type LIKE 'cu%'))""",
            (contact_id.rstrip(), contact_id.rstrip().ljust(16), customer_id, str(customer_id)),
        ).fetchall()
        return str(rows[0][0]) if rows else None

    def item(self, item_id: str) -> Item | None:
        """Return an item that is neither deleted nor inactive; case does not matter, leading blanks do."""
        found = self._living("inv_mast", {"item_id": item_id.rstrip()})
        if found is None or found.get("inactive") == "Y":
            return None
        uid = int(found["inv_mast_uid"])
        units = self._database.rows("item_uom", {"inv_mast_uid": uid})
        return Item(
            uid=uid,
            item_id=found["item_id"],
            selling_unit=found["default_selling_unit"] or "EA",
            price=Decimal(found["price1"] or 0),
            units={row["unit_of_measure"]: Decimal(row["unit_size"]) for row in units if row["delete_flag"] != "Y"},
        )

    def item_with(self, uid: int) -> Item | None:
        """Return the item with this inv_mast_uid."""
        rows = self._database.rows("inv_mast", {"inv_mast_uid": uid})
        return self.item(rows[0]["item_id"]) if rows else None

    def _living(self, table: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
        return next((row for row in self._database.rows(table, wanted) if row.get("delete_flag") != "Y"), None)
