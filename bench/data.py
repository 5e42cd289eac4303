"""The rows that are read: items of 60 columns, 20 of which are wanted, and the units of each item.

Nothing of it comes from the sandbox: other table, other widths, texts beyond ASCII, many nulls, decimals of four and
nine places, stamps of which some thousands are the same (a price change over many items has one). Everything follows
from the number of the row, so that every process knows what must have arrived.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

TABLE = "bench_item"
UNIT_TABLE = "bench_unit"
KEY = "item_uid"
MODIFIED = "date_last_modified"
FIRST_KEY = 70_001
UNITS_PER_ITEM = 2
DAYS = 3
"""The stamps lie within so many days before now: within p21d's default look-back of four."""
WANTED = (
    "item_uid", "item_code", "item_desc", "extended_note", "brand", "category_id", "supplier_no", "list_price",
    "net_price", "weight", "volume", "barcode", "uom", "tax_class", "origin_country", "shelf", "lead_days",
    "discontinued", "delete_flag", "date_last_modified",
)  # fmt: skip
"""The columns that p21d and every peer ask for."""
UNIT_COLUMNS = ("unit_uid", "item_uid", "uom", "size", "date_last_modified")

_WORDS = (
    "hex bolt", "Flansch DN50", "câble 3x2,5 mm²", "válvula de bola", "卡箍 25mm", 'bushing 3/4"', "O-ring",
    "coupling\t", "Schlüssel für Größe 8", "gasket (EPDM)", "lager 6204-2RS", "łącznik", "pump seal", "clevis pin",
    "шайба", "filter",
)  # fmt: skip
_ODD = 2_654_435_761
Fragment = Callable[[int], str]


def stamp(number: int, newest: datetime) -> datetime:
    """Return when row `number` was changed: of each 20,000 rows 4,000 at one instant, the rest whenever."""
    block, place = divmod(number, 20_000)
    spread = (block if place < 4_000 else number) * _ODD % (DAYS * 86_400_000)
    return newest - timedelta(milliseconds=spread)


def printed(at: datetime) -> str:
    """Return an instant as P21 prints it, in the zone of its server (here UTC)."""
    return at.isoformat(timespec="milliseconds")


def item_fragments(columns: Iterable[str], newest: datetime) -> list[Fragment]:
    """Return for each column what makes its JSON member of the number of a row."""
    known = {**_own(newest), **_pooled()}
    return [known[name] for name in columns]


def unit_row(number: int, newest: datetime) -> str:
    """Return unit `number`, two to an item, as JSON."""
    item, place = divmod(number, UNITS_PER_ITEM)
    name, size = ("EA", "1.0000") if place == 0 else ("BX", f"{item % 48 + 2}.0000")
    return (
        f'{{"unit_uid":{number + 1},"item_uid":{FIRST_KEY + item},"uom":"{name}","size":{size},'
        f'"date_last_modified":"{printed(stamp(item, newest))}"}}'
    )


def all_columns() -> list[str]:
    """Return the names of the 60 columns in the order of the table."""
    return [*WANTED, *(f"site_field_{number:02d}" for number in range(1, 41))]


def _own(newest: datetime) -> dict[str, Fragment]:
    """Return the columns that differ in each row."""
    words = [json.dumps(word, ensure_ascii=False)[1:-1] for word in _WORDS]
    return {
        "item_uid": lambda n: f'"item_uid":{FIRST_KEY + n}',
        "item_code": lambda n: f'"item_code":"{n * 7919 % 1_000_003:06d}-{n:X}    "',
        "item_desc": lambda n: f'"item_desc":"{words[n % 16]} {words[n // 16 % 16]} {n}"',
        "barcode": lambda n: f'"barcode":"{4_000_000_000_000 + n}"' if n % 3 else '"barcode":null',
        "date_last_modified": lambda n: f'"date_last_modified":"{printed(stamp(n, newest))}"',
    }


def _pooled() -> dict[str, Fragment]:
    """Return the columns whose values repeat: each has a pool of its own size, so that rows differ all the same."""
    note = "Lagerware, bitte trocken halten. " * 4
    pools: dict[str, Sequence[object]] = {
        "extended_note": [None, None, None, *(f"{note[: 20 + 3 * n]}§{n}" for n in range(34))],
        "brand": [None, *(f"Märke {n:02d}".ljust(24) for n in range(52))],
        "category_id": range(100, 211),
        "supplier_no": [None, *range(20_400, 20_470)],
        "list_price": [Number(f"{n * 37 % 9_973}.{n * 73 % 10_000:04d}") for n in range(1, 998)],
        "net_price": [Number(f"{n * 31 % 7_919}.{n * 91 % 10_000:04d}00000") for n in range(1, 992)],
        "weight": [None, Number("0.000000000"), *(Number(f"{n}.{n * 7 % 1_000:03d}000000") for n in range(101))],
        "volume": [None, None, *(Number(f"0.{n:04d}00000") for n in range(1, 90))],
        "uom": ["EA", "BX  ", "ROL", "MTR", "KG"],
        "tax_class": [None, "A", "B", "ZERO"],
        "origin_country": ["DE", "US", "CN", "PL", None, "CA", "MX"],
        "shelf": [f"{aisle}-{bin_:03d}".ljust(10) for aisle in "ABCDEFG" for bin_ in range(29)],
        "lead_days": [None, *range(43)],
        "discontinued": ["N"] * 12 + ["Y"],
        "delete_flag": ["N"],
    }
    for number in range(1, 41):
        pools[f"site_field_{number:02d}"] = _site_values(number)
    return {name: _member(name, place, values) for place, (name, values) in enumerate(pools.items())}


def _site_values(number: int) -> Sequence[object]:
    """Return the values of a column that nobody wants: padded texts, amounts, flags, mostly null ones."""
    kinds: tuple[Sequence[object], ...] = (
        [None, f"udf {number}".ljust(40)],
        [Number(f"{n}.000000000") for n in range(11)],
        ["Y", "N"],
        [None, None, None, "2019-04-01T00:00:00-05:00"],
    )
    return kinds[number % 4]


class Number(str):
    """A decimal in the digits in which P21 prints it."""

    __slots__ = ()


def _member(name: str, place: int, values: Sequence[object]) -> Fragment:
    texts = [f'"{name}":{_json(value)}' for value in values]
    size, step = len(texts), 2 * place + 1
    return lambda n: texts[(n * step + place) % size]


def _json(value: object) -> str:
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)
