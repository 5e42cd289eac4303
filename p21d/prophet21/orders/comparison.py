"""What P21 made of an order, against what was asked for; pure.

P21 may answer a dialogue by itself, drop a line, and call that a success (facts 5.6), so everything that was asked for
is compared. What was not asked for, such as a price left to P21, is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from p21d.order import Order, OrderLine
from p21d.prophet21.orders.fields import one_line
from p21d.prophet21.orders.port import FoundLine, FoundOrder
from p21d.prophet21.orders.render import plain, stored


def differences(order: Order, reference_text: str, reference_field: str, found: FoundOrder) -> list[str]:
    """Return each difference as a sentence for the administrator; nothing where P21 has what was asked for."""
    return [
        *_state(found),
        *_reference(order, reference_text, reference_field, found),
        *_header(order, found),
        *_lines(order, found),
    ]


def _state(found: FoundOrder) -> Iterator[str]:
    if found.deleted:
        yield "the order is deleted in P21"
    elif found.cancelled:
        yield "the order is cancelled in P21"


def _reference(order: Order, text: str, field: str, found: FoundOrder) -> Iterator[str]:
    kept = {"po_no": found.po_no, "job_name": found.job_name}.get(field, found.reference_text)
    yield from _text(f"our reference ({field})", text, kept)
    if field != "po_no":
        yield from _text("PO number", order.buyer_po.strip() or text, found.po_no)


def _header(order: Order, found: FoundOrder) -> Iterator[str]:
    yield from _number("customer id", order.customer_id, found.customer_id)
    yield from _number("ship-to", order.ship_to_id, found.ship_to_id)
    yield from _number("sales location", order.sales_location_id, found.sales_location_id)
    yield from _number("source location", order.source_location_id, found.source_location_id)
    yield from _date("order date", order.order_date, found.order_date)
    yield from _date("requested date", order.requested_date, found.requested_date)
    yield from _text("taker", order.taker, found.taker, exact=False)
    if order.contact_id.strip():
        yield from _text("contact", order.contact_id, found.contact_id, exact=False)
    if order.carrier.strip():
        yield from _text("carrier", order.carrier, found.carrier, exact=False)
    if order.delivery_instructions.strip():
        yield from _text("delivery instructions", order.delivery_instructions, found.delivery_instructions)
    for name, value in order.ship_to.items():
        if value.strip():
            yield from _text(f"ship-to address ({name})", value, found.ship_to.get(name, ""), exact=False)


def _lines(order: Order, found: FoundOrder) -> Iterator[str]:
    theirs: dict[str, list[FoundLine]] = {}
    for line in found.lines:
        theirs.setdefault(line.user_line_no.strip().casefold(), []).append(line)
    for asked in order.lines:
        same = theirs.pop(asked.user_line_no.strip().casefold(), [])
        if not same:
            yield f"{_name(asked.user_line_no, asked.item_id)} is missing in P21"
            continue
        yield from _line(asked, same[0])
        yield from (f"{_name(twice.user_line_no, twice.item_id)} stands in P21 twice" for twice in same[1:])
    for extra in (line for lines in theirs.values() for line in lines if not line.component):
        number = extra.user_line_no or f"{extra.line_no} of P21"
        yield f"{_name(number, extra.item_id)} is in P21, but was not asked for"


def _line(asked: OrderLine, kept: FoundLine) -> Iterator[str]:
    name = _name(asked.user_line_no, asked.item_id)
    if kept.cancelled:
        yield f"{name} is cancelled in P21"
    if asked.item_id.strip().casefold() != kept.item_id.strip().casefold():
        yield f"{name}: P21 has the item {kept.item_id or 'none'}"
    if stored(asked.unit_quantity) != stored(kept.unit_quantity):
        yield f"{name}: {plain(asked.unit_quantity)} asked, {plain(kept.unit_quantity)} in P21"
    if asked.unit_of_measure.strip():
        yield from _text(f"{name}: unit", asked.unit_of_measure, kept.unit_of_measure, exact=False)
    if asked.unit_price is not None:
        yield from _price(name, asked.unit_price, kept.unit_price)
    if asked.extended_desc.strip():
        yield from _text(f"{name}: text", asked.extended_desc, kept.extended_desc)


def _price(name: str, asked: Decimal, kept: Decimal | None) -> Iterator[str]:
    if kept is None or stored(asked) != stored(kept):
        yield f"{name}: price {plain(asked)} asked, {'none' if kept is None else plain(kept)} in P21"


def _text(what: str, asked: str, kept: str, *, exact: bool = True) -> Iterator[str]:
    one, other = one_line(asked), one_line(kept)
    if one != other and (exact or one.casefold() != other.casefold()):
        yield f"{what}: {one} asked, {other or 'none'} in P21"


def _number(what: str, asked: int, kept: int | None) -> Iterator[str]:
    if asked != kept:
        yield f"{what}: {asked} asked, {'none' if kept is None else kept} in P21"


def _date(what: str, asked: date, kept: date | None) -> Iterator[str]:
    if asked != kept:
        yield f"{what}: {asked.isoformat()} asked, {kept.isoformat() if kept else 'none'} in P21"


def _name(user_line_no: str, item_id: str) -> str:
    return f"line {user_line_no.strip()} ({item_id.strip() or 'no item'})"
