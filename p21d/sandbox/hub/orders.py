"""Seeds the sandbox hub with transactions of another system, without a link for ours: the inbox of a write-back."""

from __future__ import annotations

import random
from typing import Any

from p21d.sandbox.hub.core import Core
from p21d.sandbox.hub.database import Stored, comparable
from p21d.sandbox.hub.record_types import RECORD_TYPES
from p21d.sandbox.hub.settings import OTHER_SYSTEM

_TYPES = ("Order", "Order", "Order", "Order", "Order", "Order", "Order", "Quote", "Invoice", "Hold")
_STATUSES = ("Pending", "Pending", "Pending", "Pending", "Pending", "Pending", "Complete", "Cancelled", "Backorder")
_STREETS = ("1 Main St", "22 Mill Road", "305 Canal Ave")


class OrderSeeder:
    """Create orders with lines, taxes, addresses, payments and notes; other records only where they lack."""

    def __init__(self, core: Core) -> None:
        self._database = core.database
        self._writer = core.writer
        self._number = 0

    def seed(
        self,
        count: int,
        *,
        types: tuple[str, ...] = _TYPES,
        statuses: tuple[str, ...] = _STATUSES,
        skus: tuple[str, ...] = (),
        customer_ids: tuple[int, ...] = (),
        company_ids: tuple[int, ...] = (),
        created_at: tuple[str, ...] = (),
        numbers: tuple[str, ...] = (),
        seed: int = 0,
    ) -> list[int]:
        """Create that many transactions and return their ids; skus and customers default to what the hub has.

        An order names the company it is for: the one at the same place in `company_ids` (a short list
        starts over), else the one whose name the customer carries, else none. `created_at` (ISO 8601) is given out
        in the same way; `numbers` once each, the rest get the next number of the shop. Of SKUs that the hub lacks the
        shop makes products of its own.
        """
        dice = random.Random(seed)
        with self._database.transaction():
            self._sell(skus)
            skus = skus or self._skus()
            customers = customer_ids or self._customers()
            self._method("shipping_method", "UPS Ground")
            self._method("payment_method", "Credit Card")
            ids = []
            for index in range(count):
                order = self._order(dice, dice.choice(types), dice.choice(statuses), skus, dice.choice(customers))
                self._wish(order, index, company_ids, created_at, numbers)
                ids.append(self._create("transaction", order).id)
            return ids

    def _wish(
        self,
        order: dict[str, Any],
        index: int,
        company_ids: tuple[int, ...],
        created_at: tuple[str, ...],
        numbers: tuple[str, ...],
    ) -> None:
        company_id = company_ids[index % len(company_ids)] if company_ids else self._company_of(order["customer_id"])
        if company_id is not None:
            order["company_id"] = company_id
        if created_at:
            order["created_datetime"] = created_at[index % len(created_at)]
        order["transaction_number"] = numbers[index] if index < len(numbers) else self._next_number()
        order["external_ids"] = [{"system_id": OTHER_SYSTEM, "external_id": order["transaction_number"]}]

    def _company_of(self, customer_id: int) -> int | None:
        """Return the company that has the name this customer carries."""
        customer = self._database.get("customer", customer_id)
        name = comparable((customer.body.get("company") if customer else None) or "")
        row = self._database.scalar(
            "SELECT row FROM unique_value WHERE type = 'company' AND rule = 'name' AND value = ?", (name,)
        )
        company = self._database.at(row)
        return company.id if company else None

    def _skus(self) -> tuple[str, ...]:
        found = self._database.select("type = 'product' AND active = 1 ORDER BY id LIMIT 200", ())
        if not found:
            return self._sell(tuple(f"WEB-{number}" for number in range(1, 6)))
        for_sale = [record for record in found if record.body.get("status") == "Active"] or found
        return tuple(record.body["sku"] for record in for_sale)

    def _sell(self, skus: tuple[str, ...]) -> tuple[str, ...]:
        """Make a product of each SKU that the hub lacks, and return the SKUs."""
        constants = {"type": "Physical", "tracking_method": "Product", "status": "Active"}
        for sku in skus:
            if not self._has("product", "sku", comparable(sku)):
                self._create("product", {"sku": sku, "name": f"Item {sku}", "unit": "EA", **constants})
        return skus

    def _customers(self) -> tuple[int, ...]:
        found = self._database.select("type = 'customer' AND active = 1 ORDER BY id LIMIT 200", ())
        if found:
            return tuple(record.id for record in found)
        customer = {"customer_number": "WEB-1", "first_name": "Wanda", "last_name": "Web"}
        return (self._create("customer", {**customer, "email_address": "wanda@web.example"}).id,)

    def _method(self, type_name: str, name: str) -> None:
        if not self._has(type_name, "name", name):
            self._create(type_name, {"name": name})

    def _has(self, type_name: str, rule: str, value: str) -> bool:
        question = "SELECT row FROM unique_value WHERE type = ? AND rule = ? AND value = ?"
        return self._database.scalar(question, (type_name, rule, value)) is not None

    def _create(self, type_name: str, body: dict[str, Any]) -> Stored:
        return self._writer.create(RECORD_TYPES[type_name], body)

    def _order(
        self, dice: random.Random, kind: str, status: str, skus: tuple[str, ...], customer_id: int
    ) -> dict[str, Any]:
        lines = [_line(dice, number, dice.choice(skus)) for number in range(1, dice.randint(2, 5))]
        subtotal = round(sum(line["extended_price"] for line in lines), 2)
        tax, shipping = round(subtotal * 0.07, 2), 8.0
        total = round(subtotal + tax + shipping, 2)
        return {
            "system_id": OTHER_SYSTEM,
            "type": kind,
            "status": status,
            "customer_id": customer_id,
            "email_address": "wanda@web.example",
            "subtotal": subtotal,
            "tax_amount": tax,
            "shipping_amount": shipping,
            "total": total,
            "total_qty": sum(line["qty"] for line in lines),
            "lines": lines,
            "taxes": [{"authority": "OH", "amount": tax, "orginal_amount": tax, "tax_percent": 7}],
            "addresses": [_address(dice, "Billing"), _address(dice, "Shipping")],
            "payments": [{"method": "Credit Card", "amount": total, "status": "Authorized", "description": "Visa"}],
            "notes": [{"sequence_number": 1, "type": "Order", "text": "Leave at the dock", "is_public": True}],
        }

    def _next_number(self) -> str:
        if not self._number:
            self._number = self._database.scalar("SELECT count(*) FROM record WHERE type = 'transaction'")
        self._number += 1
        return f"WEB-{100000 + self._number}"


def _line(dice: random.Random, number: int, sku: str) -> dict[str, Any]:
    quantity, price = dice.randint(1, 12), dice.randint(100, 9999) / 100
    return {
        "sequence_number": number,
        "type": "Product",
        "status": "Pending",
        "sku": sku,
        "description": f"Item {sku}",
        "qty": quantity,
        "unit_price": price,
        "original_unit_price": price,
        "extended_price": round(quantity * price, 2),
        "tax_percent": 7,
    }


def _address(dice: random.Random, kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "first_name": "Wanda",
        "last_name": "Web",
        "company": "Web Supply",
        "phone_number": "555-0100",
        "address_1": dice.choice(_STREETS),
        "city": "Dayton",
        "region": "OH",
        "postal_code": "45402",
        "country": "United States",
        "shipping_method": "UPS Ground" if kind == "Shipping" else "",
        "shipping_amount": 8.0 if kind == "Shipping" else 0.0,
        "is_primary_billing": kind == "Billing",
        "is_primary_shipping": kind == "Shipping",
    }
