"""What should be in the hub, worked out from P21's tables without any code of the daemon."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from p21d.sandbox.prophet21 import P21Sandbox

COMPANY = "01"
"""One company: the sandbox has a customer of one name and number in both, and they would meet in one hub record."""
WRITER = "p21d"
"""The user name under which the daemon works; P21 keeps it as `created_by` of the orders that came over its API."""
ENTITIES = (
    "location",
    "company",
    "customer",
    "product",
    "product_inventory",
    "transaction",
    "invoice",
    "transaction_tracking_number",
)
Content = dict[str, dict[Any, Any]]
"""By entity and natural key, what a record says."""


def expected(p21: P21Sandbox) -> Content:
    """Return by entity and natural key what every row that should arrive says."""
    items = {row["inv_mast_uid"]: row for row in living(p21, "inv_mast")}
    locations = {row["location_id"]: row["location_name"].strip() for row in living(p21, "location")}
    return {
        "location": dict.fromkeys(locations.values(), True),
        "company": companies(p21),
        "customer": {
            row["id"].strip(): (row["email_address"].strip(), row["first_name"], row["last_name"])
            for row in living(p21, "contacts")
            if (row["email_address"] or "").strip() and (row["first_name"] or row["last_name"])
        },
        "product": products(p21, items),
        "product_inventory": {
            (items[row["inv_mast_uid"]]["item_id"].strip(), locations[row["location_id"]]): stock(row)
            for row in living(p21, "inv_loc")
            if row["inv_mast_uid"] in items and row["location_id"] in locations
        },
        "transaction": orders(p21, items),
        "invoice": invoices(p21, items),
        "transaction_tracking_number": parcels(p21),
    }


def companies(p21: P21Sandbox) -> dict[str, str | None]:
    """Return the street of each customer's own address, None where it lacks what the hub requires."""
    addresses = {row["id"]: row for row in p21.database.rows("address")}
    rows = living(p21, "customer")
    return {row["customer_name"].strip(): street(addresses.get(row["customer_id"], {})) for row in rows}


def street(address: dict[str, Any]) -> str | None:
    """Return the street of an address, its mailing one first, None where it is deleted or not whole."""
    kind = next((kind for kind in ("mail", "phys") if (address.get(f"{kind}_address1") or "").strip()), None)
    if kind is None or address.get("delete_flag") == "Y":
        return None
    required = [(address[f"{kind}_{part}"] or "").strip() for part in ("address1", "city", "state", "postal_code")]
    return required[0] if all(required) else None


def products(p21: P21Sandbox, items: dict[int, dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Return the items by number: name, price, units, status."""
    units: dict[int, dict[str, float]] = defaultdict(dict)
    for row in living(p21, "item_uom"):
        units[row["inv_mast_uid"]][row["unit_of_measure"]] = float(row["unit_size"])
    return {
        row["item_id"].strip(): (
            row["item_desc"] or row["item_id"].strip(),
            float(row["price1"]),
            units[uid],
            "Inactive" if row["inactive"] == "Y" else "Active",
        )
        for uid, row in items.items()
    }


def orders(p21: P21Sandbox, items: dict[int, dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Return the orders that are no quotes by number: type, lines of goods at least and at most, total.

    Of one that came from the hub, the status, None where it may be one of several: the hub's own record has the rest.
    """
    customers = {row["customer_id"] for row in living(p21, "customer")}
    found: dict[str, tuple[Any, ...]] = {}
    for row in living(p21, "oe_hdr"):
        if row["projected_order"] == "Y" or row["customer_id"] not in customers:
            continue
        if row["created_by"] == WRITER:
            found[row["order_no"]] = ("from the hub", ending(row))
            continue
        lines = [line for line in p21.database.rows("oe_line", {"order_no": row["order_no"]}) if not gone(line)]
        wanted = sum(map(worth, lines), Decimal(0))
        kind = "Return" if row["rma_flag"] == "Y" else "Order"
        found[row["order_no"]] = (kind, goods(lines, items), float(wanted + Decimal(row["freight_out"] or 0)))
    return found


def goods(lines: list[dict[str, Any]], items: dict[int, dict[str, Any]]) -> tuple[int, int]:
    """Return the fewest and the most lines of goods: one of an item that was deleted may have arrived before that."""
    return len([line for line in lines if line["inv_mast_uid"] in items]), len(lines)


def ending(order: dict[str, Any]) -> str | None:
    """Return the hub's word for an order that has come to its end, None for one on its way."""
    if order["cancel_flag"] == "Y":
        return "Cancelled"
    return "Complete" if order["completed"] == "Y" else None


def worth(line: dict[str, Any]) -> Decimal:
    """Return what a line adds to its order: all of it, the part that was not cancelled, or nothing."""
    ordered, cancelled = Decimal(line["qty_ordered"]), Decimal(line["qty_canceled"] or 0)
    if line["cancel_flag"] == "Y" or (cancelled and cancelled >= ordered):
        return Decimal(0)
    if cancelled:
        return (ordered - cancelled) / Decimal(line["unit_size"]) * Decimal(line["unit_price"])
    return Decimal(line["extended_price"])


def invoices(p21: P21Sandbox, items: dict[int, dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Return the invoices by number: type, lines of goods, total; a credit has a negative one."""
    rows = [row for row in p21.database.rows("invoice_hdr") if row["company_no"] == COMPANY]
    totals = {row["invoice_no"]: float(row["total_amount"]) for row in rows}
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in p21.database.rows("invoice_line"):
        lines[line["invoice_no"]].append(line)
    return {
        number: ("Return" if total < 0 else "Invoice", goods(lines[number], items), total)
        for number, total in totals.items()
    }


def parcels(p21: P21Sandbox) -> dict[tuple[str, str], str]:
    """Return the carrier of each number by order, from the first of its three places that has any."""
    found: dict[tuple[str, str], str] = {}
    for row in living(p21, "oe_pick_ticket"):
        ticket = row["pick_ticket_no"]
        labels = p21.database.rows("clippership_return_10004", {"pick_ticket_no": ticket})
        shipments = p21.database.rows("shipment", {"transaction_no": ticket})
        numbers = [label["tracking_no"] for label in labels if not gone(label)]
        numbers = numbers or [shipment["shipment_id"] for shipment in shipments] or [row["tracking_no"]]
        for number in numbers:
            if number and "CANCELLED" not in number:
                found[row["order_no"], number] = str(row["carrier_id"])
    return found


def stock(row: dict[str, Any]) -> tuple[float, float]:
    """Return what is on hand, and what of it nobody has yet."""
    on_hand, allocated = Decimal(row["qty_on_hand"] or 0), Decimal(row["qty_allocated"] or 0)
    return float(on_hand), float(on_hand - allocated)


def gone(row: dict[str, Any]) -> bool:
    """Tell whether a row is marked as deleted."""
    return bool(row["delete_flag"] == "Y")


def living(p21: P21Sandbox, table: str) -> list[dict[str, Any]]:
    """Return the rows of the company that is configured which are not deleted."""
    rows = p21.database.rows(table)
    return [row for row in rows if row["delete_flag"] != "Y" and row.get("company_id", COMPANY) == COMPANY]
