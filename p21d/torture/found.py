"""What the hub has, in the same form as what it should have (wanted.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from p21d.sandbox.hub import HubSandbox
from p21d.torture.wanted import Content

SYSTEM_ID = 5120
"""Our subscription in the sandbox hub: what P21's orders are under, and our links."""
CANCELLED = "CANCELLED"
"""The number a parcel gets that is no more."""
INVOICE_START = "00"
"""Numbers of the sandbox's invoices begin with zeros, those of its orders do not."""


def arrived(hub: HubSandbox) -> Content:
    """Return by entity and natural key what the hub's active records say.

    An inactive product and an empty stock are still records.
    """
    return {entity: dict(records) for entity, records in _all_arrived(hub)}


def repeated(hub: HubSandbox) -> list[str]:
    """Return what the hub has twice, as `entity natural key`, from its own rules and from ours."""
    found = [f"{entity} {_text(key)}" for entity, records in _all_arrived(hub) for key in _twice(records)]
    return found + [f"{kind}: {count} that repeat a natural key" for kind, count in hub.duplicates().items()]


def linked_orders(hub: HubSandbox) -> dict[str, str]:
    """Return our external id of each order of the web shop that is linked, by the hub's id."""
    shop = [record for record in hub.records("transaction") if record["system_id"] != SYSTEM_ID]
    return {str(record["id"]): ours for record in shop if (ours := our_external_id(record))}


def our_external_id(record: dict[str, Any]) -> str:
    """Return the external id a record has for our system, empty without one."""
    links = (link["external_id"] for link in record["external_ids"] if link["system_id"] == SYSTEM_ID)
    return next(links, "")


def _all_arrived(hub: HubSandbox) -> Iterator[tuple[str, list[tuple[Any, Any]]]]:
    skus = {str(record["id"]): record["sku"] for record in hub.records("product")}
    names = {str(record["id"]): record["name"] for record in hub.records("location")}
    yield "location", [(record["name"], True) for record in _active(hub, "location")]
    yield "company", [(record["name"], _billing_street(record)) for record in _active(hub, "company")]
    yield "customer", [(record["customer_number"], _person(record)) for record in _active(hub, "customer")]
    yield "product", [(record["sku"], _product(record)) for record in _active(hub, "product")]
    yield (
        "product_inventory",
        [
            (
                (skus[str(record["parent_id"])], names[str(record["location_id"])]),
                (record["qty_on_hand"], record["qty_available"]),
            )
            for record in _active(hub, "inventory")
        ],
    )
    yield from _sales(hub)


def _sales(hub: HubSandbox) -> Iterator[tuple[str, list[tuple[Any, Any]]]]:
    """Yield orders, invoices and parcels; an order of the web shop goes by its number in P21, and has none before."""
    sales = [(_number(sale), sale) for sale in _active(hub, "transaction")]
    sales = [(number, sale) for number, sale in sales if number]
    yield "transaction", [(number, _said(sale)) for number, sale in sales if not number.startswith(INVOICE_START)]
    yield "invoice", [(number, _said(sale)) for number, sale in sales if number.startswith(INVOICE_START)]
    yield (
        "transaction_tracking_number",
        [
            ((number, parcel["tracking_number"]), parcel["shipping_method"])
            for number, sale in sales
            for parcel in sale["tracking"]
            if parcel["tracking_number"] != CANCELLED
        ],
    )


def _number(sale: dict[str, Any]) -> str:
    return str(sale["transaction_number"]) if sale["system_id"] == SYSTEM_ID else our_external_id(sale)


def _said(sale: dict[str, Any]) -> tuple[Any, ...]:
    """Return type, lines of goods, total and status; of an order of the web shop its status alone."""
    if sale["system_id"] != SYSTEM_ID:
        return "from the hub", sale["status"]
    return sale["type"], len([line for line in sale["lines"] if line["qty"]]), sale["total"], sale["status"]


def _product(record: dict[str, Any]) -> tuple[Any, ...]:
    units = {unit["name"]: unit["conversion"] for unit in record["units"]}
    return record["name"], record["default_price"], units, record["status"]


def _person(record: dict[str, Any]) -> tuple[Any, ...]:
    return record["email_address"], record["first_name"], record["last_name"]


def _billing_street(company: dict[str, Any]) -> str | None:
    return next((address["address_1"] for address in company["addresses"] if address["is_primary_billing"]), None)


def _active(hub: HubSandbox, kind: str) -> list[dict[str, Any]]:
    return [record for record in hub.records(kind) if record["active"]]


def _twice(records: list[tuple[Any, Any]]) -> list[Any]:
    return [key for key, count in Counter(key for key, _ in records).items() if count > 1]


def _text(key: Any) -> str:
    return "|".join(map(str, key)) if isinstance(key, tuple) else str(key)
