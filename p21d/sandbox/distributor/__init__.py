"""A made-up distributor: the data the sandbox starts with (`seed_distributor`) and what happens to it (`tick`).

`advance` takes one order a step further; `cancel_line`, `cancel_order`, `correct_po` and `close_editor` are what sales
does to one by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from p21d.sandbox.distributor.change import Change
from p21d.sandbox.distributor.customers import seed_customers
from p21d.sandbox.distributor.fulfilment import advance
from p21d.sandbox.distributor.items import seed_items
from p21d.sandbox.distributor.life import tick
from p21d.sandbox.distributor.orders import seed_orders
from p21d.sandbox.distributor.papers import seed_papers
from p21d.sandbox.distributor.people import seed_people
from p21d.sandbox.distributor.places import seed_places
from p21d.sandbox.distributor.sales import cancel_line, cancel_order, close_editor, correct_po
from p21d.sandbox.distributor.seeding import Seeding

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database

__all__ = [
    "Change",
    "advance",
    "cancel_line",
    "cancel_order",
    "close_editor",
    "correct_po",
    "seed_distributor",
    "tick",
]


def seed_distributor(database: Database, rows: int, seed: int = 1) -> None:
    """Fill every table around `rows` items: rows/10 customers, rows/8 contacts, 2.5 stock rows an item, rows/5 orders.

    The same seed gives the same data, stamped within the three days before P21's now; every 97th item, customer and
    order was last changed 11 to 40 days ago, beyond the usual look-back.
    """
    seeding = Seeding(database, rows, seed)
    with database.bulk_load():
        seed_places(seeding)
        seed_items(seeding)
        seed_customers(seeding)
        seed_people(seeding)
        seed_papers(seeding, seed_orders(seeding))
