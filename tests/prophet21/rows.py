"""Rows and readings the tests of this room share."""

from __future__ import annotations

from decimal import Decimal

from p21d.plugin import Entity, P21Time, Related, Route, Row, Skip
from p21d.prophet21.reading import Reading


class Order(Row, frozen=True):
    oe_hdr_uid: int
    order_no: str
    customer_id: int | None
    po_no: str | None
    date_last_modified: P21Time | None


class Line(Row, frozen=True):
    oe_line_uid: int
    order_no: str
    line_no: int
    inv_mast_uid: int
    unit_price: Decimal | None


class Item(Row, frozen=True):
    inv_mast_uid: int
    item_id: str


class Contact(Row, frozen=True):
    id: str
    first_name: str | None


LINES = Related(table="oe_line", row=Line, key=("oe_line_uid",), match={"order_no": "order_no"})
ITEMS = Related(table="inv_mast", row=Item, key=("inv_mast_uid",), match={"inv_mast_uid": "inv_mast_uid"}, of=LINES)
ENTITY = Entity(
    name="transaction",
    row=Order,
    table="oe_hdr",
    key=("order_no",),
    page_by=("oe_hdr_uid",),
    company="company_id",
    filter="rma_flag eq 'N'",
    external_id="{order_no}",
    records=lambda _row, _related: Skip("not sent"),
    route=Route(resource="transaction"),
    related=(LINES, ITEMS),
)
ORDERS = Reading(table="oe_hdr", row=Order, key=("order_no",), page_by=("oe_hdr_uid",), modified="date_last_modified")
CONTACTS = Reading(table="contacts", row=Contact, key=("id",), page_by=("id",))


def order(uid: object, **changes: object) -> dict[str, object]:
    """Return an order as P21 prints it."""
    return {
        "oe_hdr_uid": uid,
        "order_no": str(uid),
        "customer_id": 204410,
        "po_no": None,
        "date_last_modified": "2026-11-02T06:59:11.507-05:00",
        **changes,
    }
