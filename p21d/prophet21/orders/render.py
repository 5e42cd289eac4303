"""An order as the JSON that P21's Transaction API takes (facts 5.2); pure.

The edits run like typing into the Order Entry window, so their order matters: the customer and the ship-to first, as
they fill other fields; the unit of a line before its quantity and price, as changing it reprices. Every value is a
text. `company_id` is never sent: the window takes it from the location, and refuses it.

What P21 would refuse for its length alone is found here, before P21 is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from p21d.errors import OrderUnfit
from p21d.order import Order, OrderLine
from p21d.prophet21.orders.fields import HEADER_FIELDS, LINE_FIELDS, SHIP_TO_FIELDS, fitting

PLACES = Decimal("0.000000001")
"""Quantities and unit prices are decimal(19,9) in P21."""
MOST = Decimal(10) ** 10

Edit = tuple[str, str]


def render_order(order: Order, *, reference_text: str, reference_field: str) -> bytes:
    """Return the body that writes an order; raises OrderUnfit naming P21's field."""
    _check(order)
    header = list(_header(order, reference_text, reference_field))
    ship_to = list(_ship_to(order.ship_to))
    lines = [list(_line(line)) for line in order.lines]
    elements = [_element("TABPAGE_1.order", "Form", [], [header])]
    if ship_to:
        elements.append(_element("TP_SHIPTO.shipto", "Form", [], [ship_to]))
    # Without the key two lines of one item become one, and P21 calls that a success (facts 5.2).
    elements.append(_element("TP_ITEMS.items", "List", ["user_line_no"], lines))
    transaction = {"Status": "New", "DataElements": elements}
    return msgspec.json.encode(
        {"Name": "Order", "UseCodeValues": False, "IgnoreDisabled": False, "Transactions": [transaction]}
    )


def plain(number: Decimal) -> str:
    """Return a number as P21 reads it: no exponent, no zeros at the end, at most nine places."""
    rounded = stored(number)
    text = format(rounded, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def stored(number: Decimal) -> Decimal:
    """Return a number as P21 stores it; the hub's division leaves more places than P21 has."""
    return number.quantize(PLACES, ROUND_HALF_EVEN)


def _check(order: Order) -> None:
    if order.requested_date <= order.order_date:
        raise OrderUnfit(
            f"requested_date {order.requested_date} is not after order_date {order.order_date}, which P21 requires",
            field="requested_date",
        )
    if not order.lines:
        raise OrderUnfit("the order has no line", field="TP_ITEMS.items")
    seen: set[str] = set()
    for line in order.lines:
        number = line.user_line_no.strip().casefold()
        if number in seen:
            message = f"two lines have the user_line_no {line.user_line_no}: P21 would make one line of them"
            raise OrderUnfit(message, field="user_line_no")
        seen.add(number)


def _header(order: Order, reference_text: str, reference_field: str) -> Iterator[Edit]:
    text = _reference(reference_text, reference_field)
    po_no = text if reference_field == "po_no" else order.buyer_po.strip() or text
    fixed = [
        ("customer_id", _id(order.customer_id, "customer_id")),
        ("ship_to_id", _id(order.ship_to_id, "ship_to_id")),
        ("sales_loc_id", _id(order.sales_location_id, "sales_loc_id")),
        ("source_loc_id", _id(order.source_location_id, "source_loc_id")),
        ("order_date", order.order_date.isoformat()),
        ("requested_date", order.requested_date.isoformat()),
        ("po_no", fitting("po_no", po_no, HEADER_FIELDS, required=True)),
        ("contact_id", fitting("contact_id", order.contact_id, HEADER_FIELDS)),
        ("taker", fitting("taker", order.taker, HEADER_FIELDS, required=True)),
        ("oe_hdr_carrier_id", fitting("oe_hdr_carrier_id", order.carrier, HEADER_FIELDS)),
        ("delivery_instructions", fitting("delivery_instructions", order.delivery_instructions, HEADER_FIELDS)),
    ]
    if reference_field != "po_no":
        fixed.append((reference_field, text))
    yield from ((name, value) for name, value in fixed if value)
    yield from _further(order.header, {name for name, _ in fixed})


def _further(header: Mapping[str, str], taken: set[str]) -> Iterator[Edit]:
    for name, value in header.items():
        if name == "company_id":
            raise OrderUnfit("company_id is never sent: it follows from the sales location", field=name)
        if name in taken:
            raise OrderUnfit(f"{name} stands in the header twice: it has its own place in an order", field=name)
        if value.strip():
            yield name, fitting(name, value, HEADER_FIELDS)


def _ship_to(values: Mapping[str, str]) -> Iterator[Edit]:
    for name, value in values.items():
        if name not in SHIP_TO_FIELDS:
            known = ", ".join(SHIP_TO_FIELDS)
            raise OrderUnfit(f"the ship-to of an order has no field {name}", field=name, hint=f"it has {known}")
        yield name, fitting(name, value, SHIP_TO_FIELDS)  # a blank one clears what the ship-to itself has there


def _reference(text: str, field: str) -> str:
    # It is looked up by what P21 kept of it, in columns of one byte a character.
    if not text.isprintable() or text.encode("cp1252", "replace").decode("cp1252") != text:
        raise OrderUnfit(f"the reference {text!r} holds a character that P21 would change", field=field)
    return fitting(field, text, HEADER_FIELDS, required=True)


def _line(line: OrderLine) -> Iterator[Edit]:
    # an item id keeps the blanks in front of it that P21 has there
    yield "user_line_no", fitting("user_line_no", line.user_line_no, LINE_FIELDS, required=True)
    yield "oe_order_item_id", fitting("oe_order_item_id", line.item_id, LINE_FIELDS, required=True, raw=True)
    if line.unit_of_measure.strip():
        yield "unit_of_measure", fitting("unit_of_measure", line.unit_of_measure, LINE_FIELDS)
    yield "unit_quantity", _quantity(line)
    if line.unit_price is not None:
        yield "unit_price", _number(line.unit_price, "unit_price", line)
    if line.extended_desc.strip():
        yield "extended_desc", fitting("extended_desc", line.extended_desc, LINE_FIELDS)


def _quantity(line: OrderLine) -> str:
    text = _number(line.unit_quantity, "unit_quantity", line)
    if Decimal(text) <= 0:
        raise OrderUnfit(f"line {line.user_line_no}: unit_quantity is {text}, not above 0", field="unit_quantity")
    return text


def _number(number: Decimal, field: str, line: OrderLine) -> str:
    if not number.is_finite() or abs(number) >= MOST:
        raise OrderUnfit(f"line {line.user_line_no}: {field} {number} is no number P21 can keep", field=field)
    return plain(number)


def _id(number: int, field: str) -> str:
    if number <= 0:
        raise OrderUnfit(f"{field} is missing", field=field)
    return str(number)


def _element(name: str, kind: str, keys: Sequence[str], rows: Sequence[Sequence[Edit]]) -> dict[str, object]:
    edits = [[{"Name": name, "Value": value} for name, value in row] for row in rows]
    return {
        "Name": name,
        "Type": kind,
        "Keys": list(keys),
        "Rows": [{"Edits": row, "RelativeDateEdits": []} for row in edits],
    }
