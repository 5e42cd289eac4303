"""What every part of the seeding shares: seeded random choices, time stamps around P21's now, and column-wise inserts.

Columns are made as whole lists and zipped once: 200,000 items with all their tables take well under a minute.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database

COMPANIES = ("01", "02")
LOCATIONS = {10: "01", 20: "01", 30: "01", 40: "02", 50: "02"}
CARRIERS = (100001, 100002, 100003, 100004)
FIRST_CUSTOMER = 200001
FIRST_EXTRA_SHIP_TO = 6000001
OLD_EVERY = 97  # of the items, customers and orders every 97th was last changed 11 to 40 days ago

_SPREAD_SECONDS = 3 * 86_400
_DISTINCT_STAMPS = 20_000
_BULK_SHARE = 10


class Seeding:
    """One run of the seeding: `rows` is the number of items, from which every other count follows."""

    def __init__(self, database: Database, rows: int, seed: int) -> None:
        self.database = database
        self.items = max(1, rows)
        self.customers = max(2, rows // 10)
        self.contacts = max(3, rows // 8)
        self.orders = max(3, rows // 5)
        self._seed = seed
        self._now = database.time.now()

    def random(self, name: str) -> random.Random:
        """Return random numbers of their own for one part, so that parts do not move each other."""
        return random.Random(f"{self._seed}:{name}")

    def stamps(self, name: str, count: int, *, with_old: bool = False) -> list[str]:
        """Return `date_last_modified` texts within the last three days.

        Rows share instants by chance, and one run of a tenth of them was changed in one bulk update.
        """
        rng = self.random(f"{name}:stamps")
        seconds = (rng.uniform(120, _SPREAD_SECONDS) for _ in range(max(1, min(_DISTINCT_STAMPS, count * 4 // 5))))
        pool = [self._ago(second) for second in seconds]
        stamps = rng.choices(pool, k=count)
        bulk = count // _BULK_SHARE
        start = rng.randrange(max(1, count - bulk))
        stamps[start : start + bulk] = repeat(self._ago(rng.uniform(3_600, 86_400)), bulk)
        if with_old:
            old = range(OLD_EVERY // 2, count, OLD_EVERY)
            for index in old:
                stamps[index] = self._ago(rng.uniform(11 * 86_400, 40 * 86_400))
        return stamps

    def past(self, name: str, count: int, *, days: int = 2_000, whole_days: bool = False) -> list[str]:
        """Return times between 41 and `days` days ago, before every stamp."""
        rng = self.random(f"{name}:past")
        pool = [self._ago(rng.uniform(41 * 86_400, days * 86_400)) for _ in range(min(count, 500) or 1)]
        return rng.choices([f"{text[:10]}T00:00:00" for text in pool] if whole_days else pool, k=count)

    def made(self, name: str, count: int, *, with_old: bool = False) -> dict[str, Any]:
        """Return the columns that tell who made a row and when it was made and changed."""
        return {
            "date_created": self.past(name, count),
            "date_last_modified": self.stamps(name, count, with_old=with_old),
            "last_maintained_by": "admin",
        }

    def insert(self, table: str, count: int, **columns: Any) -> None:
        """Insert `count` rows; a list or tuple is a column, anything else the same value in every row."""
        values: Iterable[Sequence[Any]] = zip(
            *(value if isinstance(value, list | tuple) else repeat(value, count) for value in columns.values()),
            strict=False,  # constants repeat just as often as there are rows
        )
        self.database.insert_many(table, tuple(columns), values)

    def _ago(self, seconds: float) -> str:
        return self.database.time.text(self._now - timedelta(seconds=seconds))


def flags(rng: random.Random, count: int, *, one_in: int) -> list[str]:
    """Return `Y` in one of so many rows, else `N`."""
    return ["Y" if value < 1 / one_in else "N" for value in (rng.random() for _ in range(count))]


def money(cents: int) -> str:
    """Return a decimal(19,4) as P21 prints it."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}00"


def quantity(whole: int) -> str:
    """Return a decimal(19,9) as P21 prints it."""
    return f"{whole}.000000000"


def unit_price(cents: int) -> str:
    """Return a unit price, decimal(19,9)."""
    return f"{cents // 100}.{cents % 100:02d}0000000"
