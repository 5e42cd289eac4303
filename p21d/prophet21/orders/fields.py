"""Which fields of P21's Order window are written, and how long their values may be (facts 4.2, 5.3)."""

from __future__ import annotations

from collections.abc import Mapping

from p21d.errors import OrderUnfit

HEADER = "TABPAGE_1.order"
LINES = "TP_ITEMS.items"

HEADER_FIELDS: Mapping[str, int] = {
    "po_no": 50,
    "job_name": 40,
    "contact_id": 16,
    "taker": 30,
    "delivery_instructions": 255,
    "oe_hdr_carrier_id": 50,
    "packing_basis": 16,
    "source_id": 8,
    "validation_status": 8,
    "email_address": 255,
    "ship_to_name": 50,
    "oe_hdr_ship2_add1": 50,
    "oe_hdr_ship2_add2": 50,
    "oe_hdr_ship2_city": 50,
    "oe_hdr_ship2_state": 50,
    "oe_hdr_ship2_zip": 10,
}
LINE_FIELDS: Mapping[str, int] = {
    "user_line_no": 25,
    "oe_order_item_id": 40,
    "unit_of_measure": 8,
    "extended_desc": 255,
}
SHIP_TO_FIELDS: Mapping[str, int] = {
    "ship_to_name": 50,
    "phys_address1": 50,
    "phys_address2": 50,
    "phys_city": 50,
    "phys_state": 50,
    "phys_postal_code": 10,
    "phys_country": 50,
    "central_phone_number": 20,
    "email_address": 255,
}
"""Of TP_SHIPTO.shipto, which writes the order's own address, never the master."""
SHIP_TO_COLUMNS: Mapping[str, str] = {
    "ship_to_name": "ship2_name",
    "phys_address1": "ship2_add1",
    "phys_address2": "ship2_add2",
    "phys_city": "ship2_city",
    "phys_state": "ship2_state",
    "phys_postal_code": "ship2_zip",
    "phys_country": "ship2_country",
    "central_phone_number": "ship_to_phone",
    "email_address": "ship2_email_address",
}
"""Where they stand in oe_hdr."""
NEEDED = {
    HEADER: (
        *("customer_id", "ship_to_id", "sales_loc_id", "source_loc_id"),
        *("order_date", "requested_date", "po_no", "taker"),
    ),
    LINES: ("user_line_no", "oe_order_item_id", "unit_quantity"),
}
"""What every order writes, by element."""
LONGEST = 255
"""Taken for a field whose length is not known: definitions tell none (facts 7)."""


def fitting(field: str, value: str, lengths: Mapping[str, int], *, required: bool = False, raw: bool = False) -> str:
    """Return a value as it is sent: trimmed, in one line; `raw` keeps blanks in front.

    Raises OrderUnfit where it is too long, or required and empty.
    """
    text = value.rstrip() if raw else one_line(value)
    if required and not text.strip():
        raise OrderUnfit(f"{field} is missing", field=field)
    longest = lengths.get(field, LONGEST)
    if len(text) > longest:
        message = f"{field} has {len(text)} characters, P21 takes {longest}: {text[:60]!r}"
        raise OrderUnfit(message, field=field, hint="shorten it in the hub, or in the mapping")
    return text


def one_line(value: str) -> str:
    """Return a text as it is typed into a field: trimmed, a blank for each break and each invisible character."""
    return "".join(character if character.isprintable() else " " for character in value).strip()
