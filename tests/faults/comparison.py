"""What should be in the hub, worked out from P21's tables without any code of the daemon, beside what is there."""

from __future__ import annotations

from collections import defaultdict
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


def stock(row: dict[str, Any]) -> tuple[float, float]:
    on_hand, allocated = Decimal(row["qty_on_hand"] or 0), Decimal(row["qty_allocated"] or 0)
    return float(on_hand), float(on_hand - allocated)


def living(p21: P21Sandbox, table: str) -> list[dict[str, Any]]:
    """Return the rows of the company that is configured which are not deleted."""
    rows = p21.database.rows(table)
    return [row for row in rows if row["delete_flag"] != "Y" and row.get("company_id", COMPANY) == COMPANY]
