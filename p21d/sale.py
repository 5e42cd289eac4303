"""What orders, invoices and parcels of P21 have in common in the hub: amounts, lines, addresses, shipping methods.

Invariant: subtotal, shipping and tax of a sale add up to its total, whatever becomes of lines that no catalogue knows.

Why such lines go into the shipping amount unless a SKU is configured: freight and charges are what they mostly are, and
the hub takes no line whose SKU it does not have, so that one pallet fee would keep a whole order from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from p21d.address import Address, complete_address, hub_address, hub_country, split_name
from p21d.options import Options
from p21d.record import Child, present
from p21d.row import Row, clean, number, yes

NOTHING = Decimal(0)


class CatalogueItem(Row, frozen=True):
    """What the line of a document needs of a row of `inv_mast`."""

    inv_mast_uid: int
    item_id: str
    item_desc: str | None
    delete_flag: str | None


def in_catalogue(item: CatalogueItem | None, charge: str | None) -> CatalogueItem | None:
    """Return the item where the hub has a product for it; `charge` is the line's flag of freight and other charges."""
    if item is None or not clean(item.item_id) or yes(item.delete_flag) or yes(charge):
        return None
    return item


class ShippingOptions(Options, frozen=True, kw_only=True):
    """After what the hub's shipping methods are named; they must exist there, spelt with the same case (facts 3.4)."""

    shipping_method: Literal["carrier_id", "carrier_name", "none"] = "carrier_id"

    def method(self, carrier_id: int | None, name: str) -> str:
        """Return the shipping method of a carrier, empty where there is none to name."""
        if self.shipping_method == "carrier_name":
            return name
        return str(carrier_id or "") if self.shipping_method == "carrier_id" else ""


class SaleOptions(ShippingOptions, frozen=True, kw_only=True):
    """`other_charge_sku` is the SKU of lines without one of their own; empty: they go into the shipping amount."""

    other_charge_sku: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleLine:
    """A line in the order's unit; without `sku` no catalogue knows it. `counts` False: it adds nothing to the total."""

    number: int
    sku: str
    description: str
    status: str
    quantity: Decimal
    shipped: Decimal
    unit_price: Decimal
    extended: Decimal
    unit: str = ""
    tax: Decimal = NOTHING
    counts: bool = True

    def child(self) -> Child:
        """Return the line as the hub takes it; its unit stands in `line_info`, for the hub's lines have no unit."""
        body = {
            "sequence_number": self.number,
            "type": "Product",
            "status": self.status,
            "sku": self.sku,
            "description": self.description,
            "qty": self.quantity,
            "qty_shipped": self.shipped,
            "unit_price": self.unit_price,
            "original_unit_price": self.unit_price,
            "extended_price": self.extended,
            "estimated_tax_amount": self.tax,
            "line_info": {"unit": self.unit} if self.unit else None,
        }
        return Child(id=str(self.number), body=present(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """The lines that are sent, and the amounts of the whole."""

    lines: Sequence[SaleLine]
    shipping: Decimal
    tax: Decimal
    total: Decimal | None = None
    """What P21 itself says; None: the sum."""

    def amounts(self) -> dict[str, Any]:
        """Return the hub's members for the amounts."""
        counted = [line for line in self.lines if line.counts]
        subtotal = sum((line.extended for line in counted), NOTHING)
        return {
            "subtotal": amount(subtotal),
            "tax_amount": amount(self.tax),
            "shipping_amount": amount(self.shipping),
            "total": amount(subtotal + self.tax + self.shipping if self.total is None else self.total),
            "total_qty": amount(sum((line.quantity for line in counted), NOTHING)),
        }

    def children(self, addresses: Iterable[Child | None], notes: Mapping[str, str]) -> dict[str, Sequence[Child]]:
        """Return the hub's children of a transaction; `notes` are texts by type, an empty one is none.

        `orginal_amount` is the hub's own spelling.
        """
        tax = amount(self.tax)
        body = {"authority": "Sales tax", "amount": tax, "orginal_amount": tax}
        return {
            "lines": [line.child() for line in self.lines],
            "addresses": [address for address in addresses if address is not None],
            "taxes": [Child(id="sales", body=body)] if tax else [],
            "notes": [note(number, *pair) for number, pair in enumerate(notes.items(), start=1) if pair[1]],
        }


def make_sale(
    lines: Sequence[SaleLine],
    options: SaleOptions,
    *,
    shipping: Decimal,
    tax: Decimal | None = None,
    total: Decimal | None = None,
) -> Sale:
    """Return a sale whose lines all have a SKU: lines without one get the configured one, or go into `shipping`.

    Without `tax` it is that of the lines.
    """
    sent: list[SaleLine] = []
    if tax is None:
        tax = sum((line.tax for line in lines if line.counts), NOTHING)
    for line in lines:
        if line.sku:
            sent.append(line)
        elif options.other_charge_sku:
            sent.append(replace(line, sku=options.other_charge_sku))
        elif line.counts:
            shipping += line.extended
    return Sale(lines=sent, shipping=shipping, tax=tax, total=total)


def amount(value: Decimal | None) -> Decimal:
    """Return an amount in one form, to six places; null is nothing."""
    return number(Decimal(f"{value or NOTHING:.6f}")) or NOTHING


def ratio(value: Decimal | None, size: Decimal | None) -> Decimal:
    """Return a quantity of base units in units of `size`; a size of null or 0 is 1."""
    return amount((value or NOTHING) / (size or Decimal(1)))


def note(sequence_number: int, type_: str, text: str) -> Child:
    """Return a note that the hub's users may read."""
    body = {"sequence_number": sequence_number, "type": type_, "text": text, "is_public": True}
    return Child(id=type_.lower(), body=body)


def sale_address(type_: str, own: Mapping[str, str], fallback: Address | None, method: str = "") -> Child | None:
    """Return an address of a transaction, None where neither is complete.

    `own` is what the document itself says (`printed_address`); where it is no whole address, the physical one of
    `fallback` is taken.
    """
    name = own["company"] or clean(fallback.name if fallback else None)
    first_name, last_name = split_name(name)
    names = {"first_name": first_name, "last_name": last_name, "company": name}
    bodies: list[dict[str, Any]] = [{**own, **names}]
    if fallback:
        bodies.append({**hub_address(fallback, first_name=first_name, last_name=last_name, physical=True), **names})
    for body in filter(complete_address, bodies):
        primary = {"is_primary_billing": type_ == "Billing", "is_primary_shipping": type_ == "Shipping"}
        kind = {"type": type_, "shipping_method": method or None}
        return Child(id=type_.lower(), body=present({**body, **primary, **kind}))
    return None


def printed_address(row: Row, prefix: str, *, street: str, postal_code: str, phone: str | None) -> dict[str, str]:
    """Return the address that a document carries itself, from columns such as `ship2_add1` and `ship2_zip`."""

    def text(name: str) -> str:
        return clean(getattr(row, f"{prefix}_{name}"))

    return {
        "company": text("name"),
        "phone_number": clean(phone),
        "address_1": text(f"{street}1"),
        "address_2": text(f"{street}2"),
        "address_3": text(f"{street}3"),
        "city": text("city"),
        "region": text("state"),
        "postal_code": text(postal_code),
        "country": hub_country(text("country")),
    }
