"""The contract every mapping of orders must pass, for its author's tests; `p21d.testing` hands it on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from p21d.contract import BrokenContract, expect
from p21d.declaration import find_mapping_faults
from p21d.order import Found, Held, HubOrder, Order, OrderLine, OrderMapping, OrderMark

USER_LINE_NO_CHARACTERS = 25


def check_mapping(
    mapping: OrderMapping[Any], *orders: HubOrder, found: Found, defaults: msgspec.Struct | None = None
) -> list[Order | Held]:
    """Put hub orders through the contract every mapping must pass, and return what they become; raises BrokenContract.

    `found` is what P21 knows of them, `defaults` what the configuration sets, the mapping's own where left out.
    """
    for message, hint in find_mapping_faults(mapping):
        raise BrokenContract(f"{mapping.name}: {message} ({hint})")
    used = mapping.defaults() if defaults is None else defaults
    return [_check_order(mapping, order, found, used) for order in orders]


def check_mark(mapping: OrderMapping[Any], row: Any) -> OrderMark:
    """Check by what a row of the mapping's entity is recognised, and return it; raises BrokenContract."""
    mark = mapping.mark(row)
    expect(isinstance(mark, OrderMark), f"mark answers {type(mark).__name__}, not an OrderMark")
    expect(bool(mark.order_no), "a mark has no order number")
    texts = [mark.order_no, mark.taker, mark.po_no, mark.job_name]
    expect(all(text == text.strip() for text in texts), f"texts of a mark are padded: {texts}")
    return mark


def _check_order(mapping: OrderMapping[Any], order: HubOrder, found: Found, defaults: Any) -> Order | Held:
    wanted = list(mapping.skus(order, defaults))
    expect(wanted == list(mapping.skus(order, defaults)), "two calls of skus with one order differ")
    expect(all(wanted), "skus names an empty one")
    known = Found(**{**_fields(found), "items": {sku: found.items[sku] for sku in wanted if sku in found.items}})
    answer = mapping.order(order, known, defaults)
    again = mapping.order(order, known, defaults)
    expect(answer == again, "two calls with one order differ: an order that is sent again would be another one")
    if isinstance(answer, Held):
        expect(bool(answer.reason.strip()), "a Held has no reason")
    else:
        for fault in (*_party_faults(answer, found), *_faults(answer, order), *_line_faults(answer, order, found)):
            raise BrokenContract(fault)
    return answer


def _fields(found: Found) -> Mapping[str, Any]:
    return {name: getattr(found, name) for name in Found.__dataclass_fields__}


def _party_faults(answer: Order, found: Found) -> Iterator[str]:
    company = found.customer.company_id
    if answer.customer_id != found.customer.customer_id:
        yield f"customer {answer.customer_id} is not the order's {found.customer.customer_id}"
    if answer.ship_to_id not in {ship_to.ship_to_id for ship_to in found.ship_tos}:
        yield f"ship-to {answer.ship_to_id} is none of the customer's"
    for location_id in (answer.sales_location_id, answer.source_location_id):
        if location_id not in found.locations:
            yield f"location {location_id} is no active one of company {company}"
    if answer.contact_id not in {"", found.contact_id}:
        yield f"contact {answer.contact_id} is not the customer's"


def _faults(answer: Order, order: HubOrder) -> Iterator[str]:
    if order.shipping is None:
        yield "an order without a shipping address is written; answer Held"
    if answer.requested_date <= answer.order_date:
        yield f"requested {answer.requested_date} is not after the order date {answer.order_date}"
    if not answer.taker.strip():
        yield "it has no taker, by which orders of ours are recognised"
    if "company_id" in answer.header:
        yield "header sets company_id, which P21 refuses: it follows from the location"
    texts: dict[str, object] = {**answer.ship_to, **answer.header, "buyer_po": answer.buyer_po}
    for name, text in texts.items():
        if not isinstance(text, str):
            yield f"{name} is {text!r}: every value that P21 takes is text"


def _line_faults(answer: Order, order: HubOrder, found: Found) -> Iterator[str]:
    numbers = [line.user_line_no for line in answer.lines]
    if not numbers:
        yield "it has no lines; answer Held"
    if len(set(numbers)) != len(numbers):
        yield f"two lines have one user_line_no, and P21 would make one line of them: {numbers}"
    hub_ids = {line.id for line in order.lines}
    for line in answer.lines:
        yield from (f"line {line.user_line_no!r}: {fault}" for fault in _one_line_faults(line, hub_ids, found))


def _one_line_faults(line: OrderLine, hub_ids: set[str], found: Found) -> Iterator[str]:
    if not 1 <= len(line.user_line_no.strip()) <= USER_LINE_NO_CHARACTERS:
        yield f"its user_line_no must have 1 to {USER_LINE_NO_CHARACTERS} characters"
    if line.hub_line_id and line.hub_line_id not in hub_ids:
        yield f"the hub order has no line {line.hub_line_id}"
    item = next((item for item in found.items.values() if item.item_id == line.item_id), None)
    if item is None:
        yield f"P21 has no item {line.item_id}"
    elif line.unit_of_measure and line.unit_of_measure not in {*item.units, item.selling_unit}:
        yield f"{line.item_id} has no unit of measure {line.unit_of_measure}"
    if not _amount(line.unit_quantity) or line.unit_quantity <= 0:
        yield f"its quantity is {line.unit_quantity!r}"
    if line.unit_price is not None and not _amount(line.unit_price):
        yield f"its price is {line.unit_price!r}"


def _amount(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite()
