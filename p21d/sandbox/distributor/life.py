"""The life of the seeded distributor: each tick something changes, as it would on a working day.

What a tick does follows from its number alone (the count of orders so far), so a run can be repeated.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from p21d.sandbox.distributor.customers import company_of, customer_name
from p21d.sandbox.distributor.orders import Line, make_line
from p21d.sandbox.distributor.seeding import CARRIERS, FIRST_CUSTOMER, money, quantity, unit_price
from p21d.sandbox.distributor.words import STREETS, TAKERS

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database

_DELETE_EVERY = 20


class Change(msgspec.Struct, frozen=True):
    """Say what a tick did to one row."""

    table: str
    key: dict[str, Any]
    what: str


def tick(database: Database, now: datetime) -> list[Change]:
    """Live one step: an order comes in, stock moves, an address, a contact and a price change; return the changes.

    `now` is an aware instant, P21's present; every changed row is stamped with its local time.
    """
    number = database.count("oe_hdr")
    rng = Random(number)
    stamp = database.time.text(now)
    with database.transaction():
        changes = _take_order(database, rng, stamp)
        for step in (_move_stock, _move_address, _rename_contact, _raise_price):
            changes += step(database, rng, stamp)
        if number % _DELETE_EVERY == 0:
            changes += _delete_something(database, rng, stamp)
    return changes


def _take_order(database: Database, rng: Random, stamp: str) -> list[Change]:
    customer = rng.randrange(database.count("address", {"customer": "Y"}))
    order_no = str(_next(database, "oe_hdr", "CAST(order_no AS INTEGER)"))
    uid = _next(database, "oe_hdr", "oe_hdr_uid")
    line_count = rng.randint(1, 3)
    items = database.count("inv_mast")
    lines = [make_line(rng, line_no, items) for line_no in range(1, line_count + 1)]
    location = 40 if company_of(customer) == "02" else 10
    header = _header(customer, location, stamp, rng)
    database.insert("oe_hdr", order_no=order_no, oe_hdr_uid=uid, **header)
    for line in lines:
        line_uid = _next(database, "oe_line", "oe_line_uid")
        columns = _line(line, company_of(customer), location, stamp)
        database.insert("oe_line", order_no=order_no, oe_hdr_uid=uid, oe_line_uid=line_uid, **columns)
    keys = [{"order_no": order_no, "line_no": line.number} for line in lines]
    return [Change("oe_hdr", {"order_no": order_no}, "new"), *(Change("oe_line", key, "new") for key in keys)]


def _header(customer: int, location: int, stamp: str, rng: Random) -> dict[str, Any]:
    customer_id = FIRST_CUSTOMER + customer
    midnight = f"{stamp[:10]}T00:00:00"
    return {
        "company_id": company_of(customer),
        "customer_id": customer_id,
        "address_id": customer_id,
        "corp_address_id": customer_id,
        "order_date": midnight,
        "requested_date": f"{(datetime.fromisoformat(midnight) + timedelta(days=2)).isoformat()}",
        "po_no": f"PO-{rng.randrange(100_000)}",
        "taker": rng.choice(TAKERS),
        "location_id": location,
        "source_location_id": location,
        "carrier_id": rng.choice(CARRIERS),
        "ship2_name": customer_name(customer),
        "delete_flag": "N",
        "completed": "N",
        "cancel_flag": "N",
        "approved": "Y",
        "projected_order": "N",
        "rma_flag": "N",
        "validation_status": "OK",
        **_made(stamp),
    }


def _line(line: Line, company: str, location: int, stamp: str) -> dict[str, Any]:
    zero = quantity(0)
    return {
        "line_no": line.number,
        "company_no": company,
        "inv_mast_uid": line.item,
        "user_line_no": f"{line.number:03d}",
        "qty_ordered": quantity(line.units * line.unit_size),
        "unit_quantity": quantity(line.units),
        "unit_of_measure": line.unit,
        "unit_size": quantity(line.unit_size),
        "qty_allocated": zero,
        "qty_on_pick_tickets": zero,
        "qty_invoiced": zero,
        "qty_canceled": zero,
        "unit_price": unit_price(line.cents),
        "extended_price": money(line.units * line.cents),
        "manual_price_overide": "N",
        "complete": "N",
        "cancel_flag": "N",
        "delete_flag": "N",
        "source_loc_id": location,
        "ship_loc_id": location,
        **_made(stamp),
    }


def _made(stamp: str) -> dict[str, str]:
    return {
        "date_created": stamp,
        "date_last_modified": stamp,
        "created_by": "admin",
        "last_maintained_by": "admin",
    }


def _move_stock(database: Database, rng: Random, stamp: str) -> list[Change]:
    key = _some_key(database, rng, "inv_loc")
    on_hand = quantity(rng.randrange(400))
    return _changed(database, "inv_loc", key, stamp, "stock moved", qty_on_hand=on_hand, inv_last_changed_date=stamp)


def _move_address(database: Database, rng: Random, stamp: str) -> list[Change]:
    key = _some_key(database, rng, "address")
    street = f"{rng.randrange(1, 9000)} {rng.choice(STREETS)}"
    return _changed(database, "address", key, stamp, "moved", phys_address1=street, mail_address1=street)


def _rename_contact(database: Database, rng: Random, stamp: str) -> list[Change]:
    key = _some_key(database, rng, "contacts")
    return _changed(database, "contacts", key, stamp, "new title", title=f"Buyer {rng.randrange(1000)}")


def _raise_price(database: Database, rng: Random, stamp: str) -> list[Change]:
    key = _some_key(database, rng, "inv_mast")
    return _changed(database, "inv_mast", key, stamp, "new price", price1=unit_price(rng.randrange(99, 50_000)))


def _delete_something(database: Database, rng: Random, stamp: str) -> list[Change]:
    table = rng.choice(["inv_mast", "contacts"])
    key = _some_key(database, rng, table)
    return _changed(database, table, key, stamp, "deleted", delete_flag="Y")


def _changed(
    database: Database, table: str, key: dict[str, Any], stamp: str, what: str, **columns: Any
) -> list[Change]:
    database.change(table, key, date_last_modified=stamp, **columns)
    return [Change(table, key, what)]


_KEYS: dict[str, tuple[str, ...]] = {
    "inv_loc": ("inv_mast_uid", "location_id"),
    "address": ("id",),
    "contacts": ("id",),
    "inv_mast": ("inv_mast_uid",),
}


def _some_key(database: Database, rng: Random, table: str) -> dict[str, Any]:
    names = _KEYS[table]
    offset = rng.randrange(database.count(table))
    sql = f"SELECT {', '.join(names)} FROM {table} ORDER BY rowid LIMIT 1 OFFSET ?"  # noqa: S608  # our own names
    return dict(zip(names, database.connection.execute(sql, (offset,)).fetchone(), strict=True))


def _next(database: Database, table: str, expression: str) -> int:
    return int(database.connection.execute(f"SELECT max({expression}) FROM {table}").fetchone()[0]) + 1  # noqa: S608
