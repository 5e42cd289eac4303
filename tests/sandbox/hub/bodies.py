"""Request bodies as p21d sends them."""

from __future__ import annotations

from typing import Any


def link(external_id: str, system: int = 5120) -> list[dict[str, Any]]:
    return [{"system_id": system, "external_id": external_id}]


def address(external_id: str = "", **members: Any) -> dict[str, Any]:
    whole = {
        "first_name": "Ann",
        "last_name": "Lee",
        "address_1": "1 Main St",
        "city": "Dayton",
        "region": "OH",
        "postal_code": "45402",
        "country": "United States",
    }
    return {**whole, **({"external_ids": link(external_id)} if external_id else {}), **members}


def customer(number: str = "12345", **members: Any) -> dict[str, Any]:
    whole = {
        "customer_number": number,
        "first_name": "Ann",
        "last_name": "Lee",
        "email_address": f"{number}@acme.example",
        "external_ids": link(number),
        "addresses": [address(f"{number}|1001")],
    }
    return {**whole, **members}


def product(sku: str = "ABCBH0007", **members: Any) -> dict[str, Any]:
    constants = {"type": "Physical", "tracking_method": "Product", "status": "Active"}
    return {"sku": sku, "name": f"Item {sku}", "external_ids": link(sku), **constants, **members}


def order(number: str = "1013938", **members: Any) -> dict[str, Any]:
    whole = {"system_id": 5120, "transaction_number": number, "type": "Order", "status": "Pending"}
    return {**whole, "external_ids": link(number), **members}


def line(number: int = 1, sku: str = "ABCBH0007", **members: Any) -> dict[str, Any]:
    return {"sequence_number": number, "type": "Product", "status": "Pending", "sku": sku, "qty": 2, **members}
