"""The life of the seeded distributor: each tick something changes, as it would on a working day.

An order comes in, earlier ones go a step further through the house, masters change, and now and then sales lays hands
on an order. What a tick does follows from its number (the count of orders so far) and the data, so a run can be
repeated; it looks at the latest orders only and picks rows by position, so it costs as much at 400,000 items as at 40.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from p21d.sandbox.distributor import sales
from p21d.sandbox.distributor.change import Change, made
from p21d.sandbox.distributor.customers import company_of, customer_name
from p21d.sandbox.distributor.fulfilment import advance, living_lines
from p21d.sandbox.distributor.numbers import next_number, next_order_no
from p21d.sandbox.distributor.orders import Line, make_line
from p21d.sandbox.distributor.seeding import CARRIERS, FIRST_CUSTOMER, money, quantity, unit_price
from p21d.sandbox.distributor.words import STREETS, TAKERS

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database

_DELETE_EVERY = 20
_CANCEL_LINE_EVERY = 7
_CANCEL_ORDER_EVERY = 11
_CORRECT_PO_EVERY = 5
_LATEST = 300
_STEPS = 4  # orders that go a step further in one tick


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
        changes += _work_on_orders(database, rng, now, number)
    return changes


def _work_on_orders(database: Database, rng: Random, now: datetime, number: int) -> list[Change]:
    """Take some of the latest orders further, and let sales change one by turns."""
    open_orders = _latest(database, completed="N")
    changes: list[Change] = []
    for order_no in rng.sample(open_orders, min(_STEPS, len(open_orders))):
        changes += advance(database, now, order_no)
    for order_no in _latest(database, completed="T")[:1]:
        sales.close_editor(database, order_no)
    order_no = rng.choice(open_orders)
    if number % _CORRECT_PO_EVERY == 0:
        changes += sales.correct_po(database, now, order_no, f"PO-{rng.randrange(100_000)}-R")
    if number % _CANCEL_LINE_EVERY == 0:
        changes += _cancel_a_line(database, rng, now, order_no)
    if number % _CANCEL_ORDER_EVERY == 0:
        changes += sales.cancel_order(database, now, rng.choice(open_orders))
    return changes


def _latest(database: Database, *, completed: str) -> list[str]:
    """Return the numbers of the latest orders that are open, or in an editor; quotes and RMAs are none of them."""
    found = database.connection.execute(
        """SELECT order_no FROM oe_hdr WHERE oe_hdr_uid > (SELECT max(oe_hdr_uid) - ? FROM oe_hdr) AND completed = ?
           AND cancel_flag = 'N' AND delete_flag = 'N' AND projected_order = 'N' AND rma_flag = 'N'
           ORDER BY oe_hdr_uid""",
        (_LATEST, completed),
    )
    return [order_no for (order_no,) in found]


def _cancel_a_line(database: Database, rng: Random, now: datetime, order_no: str) -> list[Change]:
    """Cancel one line of an order that has more."""
    lines = [line["line_no"] for line in living_lines(database, order_no) if line["complete"] != "Y"]
    return sales.cancel_line(database, now, order_no, rng.choice(lines)) if len(lines) > 1 else []


def _take_order(database: Database, rng: Random, stamp: str) -> list[Change]:
    customer = _some_key(database, rng, "customer")["customer_id"] - FIRST_CUSTOMER
    order_no = next_order_no(database)
    uid = next_number(database, "oe_hdr", "oe_hdr_uid")
    line_count = rng.randint(1, 3)
    items = _last_row(database, "inv_mast")
    lines = [make_line(rng, line_no, items) for line_no in range(1, line_count + 1)]
    location = 40 if company_of(customer) == "02" else 10
    header = _header(customer, location, stamp, rng)
    database.insert("oe_hdr", order_no=order_no, oe_hdr_uid=uid, **header)
    for line in lines:
        line_uid = next_number(database, "oe_line", "oe_line_uid")
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
        **made(stamp),
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
        **made(stamp),
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
    "customer": ("customer_id",),
}


def _some_key(database: Database, rng: Random, table: str) -> dict[str, Any]:
    names = _KEYS[table]
    sql = f"SELECT {', '.join(names)} FROM {table} WHERE rowid >= ? ORDER BY rowid LIMIT 1"  # noqa: S608  # our own names
    return dict(
        zip(
            names,
            database.connection.execute(sql, (1 + rng.randrange(_last_row(database, table)),)).fetchone(),
            strict=True,
        )
    )


def _last_row(database: Database, table: str) -> int:
    """Return the number of the last row, which is the count where no row has vanished."""
    return int(database.connection.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0])  # noqa: S608  # our own names
