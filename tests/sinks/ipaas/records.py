"""Deliveries to send."""

from __future__ import annotations

from typing import Any

from p21d.plugin import Route
from p21d.sinks.port import ChildDelivery, Delivery

LOCATION = Route(resource="location", natural_key="name")
PRODUCT = Route(resource="product", natural_key="sku", inactive={"status": "Inactive"})
CUSTOMER = Route(resource="customer", natural_key="email_address", children={"addresses": "address"})
INVENTORY = Route(resource="inventory", under="parent_id")
TRANSACTION = Route(resource="transaction", natural_key="transaction_number", children={"lines": "line"})


def location(external_id: str = "10", name: str = "Main", **changes: Any) -> Delivery:
    return Delivery(
        entity="location", key=external_id, external_id=external_id, route=LOCATION, body={"name": name}, **changes
    )


def product(external_id: str = "ABC", *, body: dict[str, Any] | None = None, **changes: Any) -> Delivery:
    whole = {
        "sku": external_id,
        "name": "Ball valve",
        "type": "Physical",
        "tracking_method": "Product",
        "status": "Active",
        **(body or {}),
    }
    return Delivery(entity="product", key=external_id, external_id=external_id, route=PRODUCT, body=whole, **changes)


def address(external_id: str, street: str = "1 Main St", hub_id: str | None = None) -> ChildDelivery:
    body = {
        "first_name": "Ann",
        "last_name": "Lee",
        "address_1": street,
        "city": "Dayton",
        "region": "OH",
        "postal_code": "45402",
        "country": "United States",
    }
    return ChildDelivery(external_id=external_id, body=body, hub_id=hub_id)


def customer(external_id: str = "12345", *addresses: ChildDelivery, **changes: Any) -> Delivery:
    body = {
        "customer_number": external_id,
        "first_name": "Ann",
        "last_name": "Lee",
        "email_address": "ann@acme.example",
    }
    values = {"body": body, "children": {"addresses": addresses}, **changes}
    return Delivery(entity="customer", key=external_id, external_id=external_id, route=CUSTOMER, **values)


def inventory(product_id: str, location_id: str, **changes: Any) -> Delivery:
    return Delivery(
        entity="product_inventory",
        key="ABC|10",
        external_id="ABC|10",
        route=INVENTORY,
        body={"qty_on_hand": 40},
        parents={"parent_id": product_id, "location_id": location_id},
        **changes,
    )


ORDERS = Route(
    resource="transaction",
    types=("Order", "Return"),
    natural_key="transaction_number",
    children={"lines": "line", "addresses": "transaction_address"},
    inactive={"status": "Cancelled"},
    inactive_children={"lines": {"status": "Cancelled", "qty": 0}},
    born=("status",),
    born_children={"lines": ("status", "qty_shipped")},
)
TRACKING = Route(resource="tracking", natural_key="tracking_number", under="transaction_id")


def line(external_id: str, sku: str = "ABC", hub_id: str | None = None, **members: Any) -> ChildDelivery:
    body = {"type": "Product", "status": "Pending", "sku": sku, "qty": 2, "unit_price": 12.5, **members}
    return ChildDelivery(external_id=external_id, body=body, hub_id=hub_id)


def order(external_id: str = "1001", *lines: ChildDelivery, **changes: Any) -> Delivery:
    body = {"transaction_number": external_id, "type": "Order", "status": "Pending", "total": 25}
    values = {"body": body, "children": {"lines": lines}, **changes}
    return Delivery(entity="transaction", key=external_id, external_id=external_id, route=ORDERS, **values)


def tracking(transaction_id: str, number: str = "1Z001", *, carrier: str = "UPS", **changes: Any) -> Delivery:
    external_id = f"{carrier}|1001|{number}"
    values = {"body": {"shipping_method": carrier, "tracking_number": number, "cost": 8.41}, **changes}
    return Delivery(
        entity="transaction_tracking_number",
        key="1001",
        external_id=external_id,
        route=TRACKING,
        parents={"transaction_id": transaction_id},
        **values,
    )
