"""What should be in the hub, worked out from P21's tables without any code of the daemon, beside what is there."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from tests.faults.world import COMPANY

Content = dict[str, dict[Any, Any]]


def expected(p21: P21Sandbox) -> Content:
    """Return by record type and natural key what every row that should arrive says."""
    items = {row["inv_mast_uid"]: row for row in living(p21, "inv_mast")}
    locations = {row["location_id"]: row["location_name"] for row in living(p21, "location")}
    units: dict[int, dict[str, float]] = defaultdict(dict)
    for row in living(p21, "item_uom"):
        units[row["inv_mast_uid"]][row["unit_of_measure"]] = float(row["unit_size"])
    return {
        "location": dict.fromkeys(locations.values(), True),
        "company": {row["customer_name"]: True for row in living(p21, "customer")},
        "customer": {
            row["id"].strip(): row["email_address"].strip()
            for row in living(p21, "contacts")
            if (row["email_address"] or "").strip() and (row["first_name"] or row["last_name"])
        },
        "product": {
            row["item_id"].strip(): (row["item_desc"] or row["item_id"].strip(), float(row["price1"]), units[uid])
            for uid, row in items.items()
        },
        "inventory": {
            (items[row["inv_mast_uid"]]["item_id"].strip(), locations[row["location_id"]]): stock(row)
            for row in living(p21, "inv_loc")
            if row["inv_mast_uid"] in items
        },
        "transaction": orders(p21, items) | invoices(p21, items),
        "tracking": parcels(p21),
    }


def arrived(hub: HubSandbox) -> Content:
    """Return the same from the hub's records."""
    skus = {record["id"]: record["sku"] for record in hub.records("product")}
    names = {record["id"]: record["name"] for record in hub.records("location")}
    return {
        "location": dict.fromkeys(names.values(), True),
        "company": {record["name"]: True for record in hub.records("company")},
        "customer": {record["customer_number"]: record["email_address"] for record in hub.records("customer")},
        "product": {
            record["sku"]: (
                record["name"],
                record["default_price"],
                {unit["name"]: unit["conversion"] for unit in record["units"]},
            )
            for record in hub.records("product")
        },
        "inventory": {
            (skus[str(record["parent_id"])], names[str(record["location_id"])]): (
                record["qty_on_hand"],
                record["qty_available"],
            )
            for record in hub.records("inventory")
        },
        "transaction": {
            record["transaction_number"]: (
                record["type"],
                len([line for line in record["lines"] if line["qty"]]),
                record["total"],
            )
            for record in hub.records("transaction")
        },
        "tracking": {
            (record["transaction_number"], parcel["tracking_number"]): parcel["shipping_method"]
            for record in hub.records("transaction")
            for parcel in record["tracking"]
        },
    }


def assert_in_step(p21: P21Sandbox, hub: HubSandbox, *types: str) -> None:
    """Compare these record types, all by default: nothing missing, nothing more, nothing else, nothing twice."""
    want, have = expected(p21), arrived(hub)
    for name in types or want:
        pairs = {key: (want[name].get(key), have[name].get(key)) for key in want[name].keys() | have[name].keys()}
        wrong = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        assert not wrong, f"{name}, (wanted, found): {wrong}"
    assert hub.duplicates() == {}
    for name in types or want:
        records = [record for record in hub.records(name) if record["active"]]
        assert len(records) == len(have[name]), f"{name}: two records of one key"


def orders(p21: P21Sandbox, items: dict[int, dict[str, Any]]) -> dict[str, tuple[str, int, float]]:
    """Return the orders that are no quotes by number: type, lines of goods, total."""
    customers = {row["customer_id"] for row in living(p21, "customer")}
    found: dict[str, tuple[str, int, float]] = {}
    for row in living(p21, "oe_hdr"):
        if row["projected_order"] == "Y" or row["customer_id"] not in customers:
            continue
        lines = [line for line in p21.database.rows("oe_line", {"order_no": row["order_no"]}) if not gone(line)]
        goods = [line for line in lines if line["inv_mast_uid"] in items]
        wanted = sum(map(worth, lines), Decimal(0))
        kind = "Return" if row["rma_flag"] == "Y" else "Order"
        found[row["order_no"]] = (kind, len(goods), float(wanted + Decimal(row["freight_out"] or 0)))
    return found


def worth(line: dict[str, Any]) -> Decimal:
    """Return what a line adds to its order: all of it, the part that was not cancelled, or nothing."""
    ordered, cancelled = Decimal(line["qty_ordered"]), Decimal(line["qty_canceled"] or 0)
    if line["cancel_flag"] == "Y" or (cancelled and cancelled >= ordered):
        return Decimal(0)
    if cancelled:
        return (ordered - cancelled) / Decimal(line["unit_size"]) * Decimal(line["unit_price"])
    return Decimal(line["extended_price"])


def invoices(p21: P21Sandbox, items: dict[int, dict[str, Any]]) -> dict[str, tuple[str, int, float]]:
    """Return the invoices by number: type, lines of goods, total; a credit has a negative one."""
    rows = [row for row in p21.database.rows("invoice_hdr") if row["company_no"] == COMPANY]
    totals = {row["invoice_no"]: float(row["total_amount"]) for row in rows}
    goods = Counter(line["invoice_no"] for line in p21.database.rows("invoice_line") if line["inv_mast_uid"] in items)
    return {number: ("Return" if total < 0 else "Invoice", goods[number], total) for number, total in totals.items()}


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


def gone(row: dict[str, Any]) -> bool:
    return row["delete_flag"] == "Y"


def stock(row: dict[str, Any]) -> tuple[float, float]:
    on_hand, allocated = Decimal(row["qty_on_hand"] or 0), Decimal(row["qty_allocated"] or 0)
    return float(on_hand), float(on_hand - allocated)


def living(p21: P21Sandbox, table: str) -> list[dict[str, Any]]:
    """Return the rows of the company that is configured which are not deleted."""
    rows = p21.database.rows(table)
    return [row for row in rows if row["delete_flag"] != "Y" and row.get("company_id", COMPANY) == COMPANY]
