"""Reads a transaction of the hub as a `HubOrder`, whatever form its ids, amounts, instants and absent members have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from p21d.order import HubAddress, HubLine, HubOrder
from p21d.sinks.ipaas.answers import id_text
from p21d.sinks.ipaas.directory import CUSTOM_FIELD, Directory
from p21d.sinks.ipaas.echo import our_links
from p21d.sinks.ipaas.table import Resource

_ADDRESS_TEXTS = (
    "type",
    "first_name",
    "last_name",
    "company",
    "phone_number",
    "address_1",
    "address_2",
    "address_3",
    "city",
    "region",
    "postal_code",
    "country",
    "shipping_method",
)
_EDITED = ("type", "company_id", "customer_id", "email_address", "custom_fields")
_AMOUNTS = ("subtotal", "discount_amount", "tax_amount", "shipping_amount", "total")
_EDITED_OF_LINE = ("id", "sequence_number", "type", "sku", "description", "quantity", "unit_price", "unit")
_MOST_DIGITS = 30
_canonical = msgspec.json.Encoder(order="deterministic")


class OrderReader:
    """Reads transactions under the configured names of their members."""

    def __init__(self, directory: Directory, system_id: int) -> None:
        self._directory = directory
        self._system_id = system_id

    def read(self, resource: Resource, hub_id: str, record: Mapping[str, Any]) -> HubOrder:
        """Return the order in a record; what is absent or unreadable is empty."""
        fields = custom_fields(record)

        def told(member: str) -> Any:
            name = self._directory.member(resource, member)
            return fields.get(name.removeprefix(CUSTOM_FIELD)) if name.startswith(CUSTOM_FIELD) else record.get(name)

        system = id_text(told("system_id"))
        lines = [_line(item) for item in _objects(told("lines"))]
        notes = sorted(_objects(told("notes")), key=_sequence)
        order = HubOrder(
            id=id_text(record.get("id")) or hub_id,
            number=_text(told("transaction_number")),
            type=_text(told("type")),
            status=_text(told("status")),
            system_id=int(system) if system.isdigit() else None,
            company_id=id_text(told("company_id")),
            customer_id=id_text(told("customer_id")),
            email_address=_text(told("email_address")),
            created_at=_instant(told("created_datetime")),
            subtotal=_amount(told("subtotal")),
            discount_amount=_amount(told("discount_amount")),
            tax_amount=_amount(told("tax_amount")),
            shipping_amount=_amount(told("shipping_amount")),
            total=_amount(told("total")),
            lines=tuple(sorted(lines, key=lambda line: line.sequence_number)),
            addresses=tuple(_address(item) for item in _objects(told("addresses"))),
            notes=tuple(filter(None, (_text(item.get("text")) for item in notes))),
            custom_fields=fields,
            our_external_id=next(iter(our_links(record, self._system_id) or ()), ""),
        )
        return replace(order, digest=digest(order))


def custom_fields(record: Mapping[str, Any]) -> dict[str, str]:
    """Return a record's custom fields, name to text; those without a value are left out."""
    items = [(item.get("custom_field_name"), item.get("value")) for item in _objects(record.get("custom_fields"))]
    return {name.strip(): _text(value) for name, value in items if isinstance(name, str) and _text(value)}


def digest(order: HubOrder) -> str:
    """Return a hash of what people edit of an order, in whatever order and form the hub lists it.

    Statuses are left out, for the shop moves them by itself; a line that is cancelled counts as edited.
    """
    edited = {name: getattr(order, name) for name in _EDITED}
    amounts = {name: _plain(getattr(order, name)) for name in _AMOUNTS}
    lines = [
        {name: _plain(getattr(line, name)) for name in _EDITED_OF_LINE}
        | {"options": dict(line.options), "cancelled": line.status.casefold().startswith("cancel")}
        for line in order.lines
    ]
    addresses = [asdict(address) for address in order.addresses]
    whole = {**edited, **amounts, "lines": _sorted(lines), "addresses": _sorted(addresses), "notes": list(order.notes)}
    return hashlib.sha256(_canonical.encode(whole)).hexdigest()


def _line(item: Mapping[str, Any]) -> HubLine:
    return HubLine(
        id=id_text(item.get("id")),
        sequence_number=_sequence(item),
        type=_text(item.get("type")),
        status=_text(item.get("status")),
        sku=_text(item.get("sku")),
        description=_text(item.get("description")),
        quantity=_amount(item.get("qty")),
        unit_price=_amount(item.get("unit_price")),
        unit=_text(item.get("unit")),
        options=_texts(item.get("options")),
    )


def _address(item: Mapping[str, Any]) -> HubAddress:
    texts = {name: _text(item.get(name)) for name in _ADDRESS_TEXTS}
    return HubAddress(**texts, is_primary_shipping=item.get("is_primary_shipping") is True)


def _objects(value: Any) -> Sequence[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> dict[str, str]:
    return {str(name): _text(item) for name, item in value.items()} if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    return str(value).strip()


def _sequence(item: Mapping[str, Any]) -> int:
    number = _amount(item.get("sequence_number"))
    return int(number) if number is not None else 0


def _amount(value: Any) -> Decimal | None:
    """Return a number, or a text that is one, exactly; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    # 1e999999999 is a number too, and its digits would fill the memory
    return amount if amount.is_finite() and abs(amount.adjusted()) <= _MOST_DIGITS else None


def _instant(value: Any) -> datetime | None:
    """Return an instant in UTC, without an offset taken as UTC (facts 9); None for none, and for the year 1."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is None or instant.year <= 1:  # the empty date of the vendor's platform
            return None
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _plain(value: Any) -> Any:
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value


def _sorted(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=_canonical.encode)
