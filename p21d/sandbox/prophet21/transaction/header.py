"""Types edits into the header of an order, like a person into the window: a later value wins, the customer clears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from p21d.sandbox.prophet21.transaction.elements import Field
from p21d.sandbox.prophet21.transaction.masters import SHIP_TO_COLUMNS, Masters
from p21d.sandbox.prophet21.transaction.request import TransactionRefused
from p21d.sandbox.prophet21.transaction.values import invalid, stored_value

_OF_THE_CUSTOMER = ("address_id", "contact_id", *SHIP_TO_COLUMNS)
_FROM_THE_SHIP_TO = {
    "carrier_id": "default_carrier_id",
    "freight_code_uid": "freight_code_uid",
    "packing_basis": "packing_basis",
    "delivery_instructions": "delivery_instructions",
}


class Header:
    """The header's columns as typed so far; `stored` is the row of an order that is retrieved, None of a new one."""

    def __init__(self, masters: Masters, stored: dict[str, Any] | None, *, use_codes: bool) -> None:
        self.stored = stored
        self.typed: dict[str, Any] = {}
        self._masters = masters
        self._use_codes = use_codes
        self._special: dict[str, Callable[[Field, str], None]] = {
            "customer_id": self._customer,
            "ship_to_id": self._ship_to,
            "sales_loc_id": self._location,
            "source_loc_id": self._location,
            "contact_id": self._contact,
            "oe_hdr_carrier_id": self._carrier,
            "freight_cd": self._freight_code,
        }

    def get(self, column: str) -> Any:
        """Return a column as it would be saved now."""
        return self.typed[column] if column in self.typed else (self.stored or {}).get(column)

    def disabled(self, field: Field) -> bool:
        """Say whether a field takes no typing: never, or not on an order that exists."""
        return field.disabled or (self.stored is not None and field.name == "customer_id")

    def type(self, field: Field, text: str) -> None:
        """Type one value; raise `TransactionRefused` where the field does not take it."""
        special = self._special.get(field.name)
        if special and text:
            special(field, text)
        elif field.name != "order_no" and field.table == "oe_hdr":
            self.typed[field.stored_as] = stored_value(field, text, use_codes=self._use_codes)

    def _customer(self, field: Field, text: str) -> None:
        customer_id = stored_value(field, text, use_codes=self._use_codes)
        customer = self._masters.customer(customer_id)
        if customer is None:
            raise invalid(field, text)
        for column in _OF_THE_CUSTOMER:
            self.typed.pop(column, None)
        self.typed |= {"customer_id": customer_id, "corp_address_id": customer_id}
        self.typed["terms"] = (customer.get("terms_id") or "")[:2] or None

    def _ship_to(self, field: Field, text: str) -> None:
        customer_id = self.get("customer_id")
        ship_to_id = stored_value(field, text, use_codes=self._use_codes)
        if customer_id is None:
            return  # the customer that is typed later clears it anyway
        ship_to = self._masters.ship_to(ship_to_id, customer_id)
        if ship_to is None:
            raise invalid(field, text)
        self.typed |= {"address_id": ship_to_id, **self._masters.address(ship_to_id)}
        for column, source in _FROM_THE_SHIP_TO.items():
            self.typed.setdefault(column, ship_to.get(source))

    def _location(self, field: Field, text: str) -> None:
        location_id = stored_value(field, text, use_codes=self._use_codes)
        location = self._masters.location(location_id)
        if location is None:
            raise invalid(field, text)
        self.typed[field.stored_as] = location_id
        if field.name == "sales_loc_id":
            self.typed["company_id"] = location["company_id"]

    def _contact(self, field: Field, text: str) -> None:
        if self.get("customer_id") is None:
            raise TransactionRefused("Customer ID is required")
        contact_id = self._masters.contact(text, self.get("customer_id"))
        if contact_id is None:
            raise invalid(field, text)
        self.typed["contact_id"] = contact_id

    def _carrier(self, field: Field, text: str) -> None:
        if self._use_codes:
            carrier_id = stored_value(field, text, use_codes=True)
            known = bool(self._masters.carrier_name(carrier_id))
        else:
            carrier_id = self._masters.carrier(text)
            known = carrier_id is not None
        if not known:
            raise invalid(field, text)
        self.typed["carrier_id"] = carrier_id

    def _freight_code(self, field: Field, text: str) -> None:
        uid = self._masters.freight_code(text, self.get("company_id"))
        if uid is None:
            raise invalid(field, text)
        self.typed["freight_code_uid"] = uid
