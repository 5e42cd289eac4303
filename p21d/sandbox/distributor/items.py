"""Seed the catalogue: inv_mast, its units and its stock per location.

Odd item ids come round regularly: a leading blank, `/ + # &`, quotes, accented letters, deleted and inactive items,
missing descriptions.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from p21d.sandbox.distributor.seeding import LOCATIONS, Seeding, flags, money, quantity, unit_price
from p21d.sandbox.distributor.words import (
    ITEM_MATERIALS,
    ITEM_NOUNS,
    ITEM_SIZES,
    LONG_DESCRIPTION,
    MANUFACTURERS,
    PRODUCT_GROUPS,
    UNITS,
)

_ODD_IDS: dict[int, Callable[[str, int], str]] = {
    4: lambda noun, n: f" {noun}-{n:06d}",
    9: lambda noun, n: f"{noun}/{n}-1/2",
    14: lambda noun, n: f"{noun}+{n}",
    19: lambda noun, n: f"{noun}#{n} A&B",
    24: lambda noun, n: f"O'{noun}-{n}",
    29: lambda noun, n: f'{noun} 3/4" {n}',
    34: lambda noun, n: f"\u00c9CROU-{noun}-{n}",
    39: lambda noun, n: f"{noun}-{n}%20",
}
_ODD_PERIOD = 40
_FEW, _MANY = 2, 3  # locations that hold an item, by turns


def item_id(number: int) -> str:
    """Return the id of the item with this number, counted from 1."""
    noun = ITEM_NOUNS[number % len(ITEM_NOUNS)][0]
    odd = _ODD_IDS.get(number % _ODD_PERIOD)
    return odd(noun, number) if odd else f"{noun}-{number:06d}"


def price_cents(number: int) -> int:
    """Return the list price of an item in cents, the same wherever it appears."""
    return 99 + (number * 7919) % 48_000


def seed_items(seeding: Seeding) -> None:
    """Fill inv_mast, item_uom and inv_loc."""
    numbers = list(range(1, seeding.items + 1))
    _seed_masters(seeding, numbers)
    _seed_units(seeding, numbers)
    _seed_stock(seeding, numbers)


def _seed_masters(seeding: Seeding, numbers: list[int]) -> None:
    rng, count = seeding.random("items"), len(numbers)
    weights = [quantity(weight) for weight in range(1, 60)]
    units = [UNITS[number % len(UNITS)][0] for number in numbers]
    prices = [unit_price(price_cents(number)) for number in numbers]
    seeding.insert(
        "inv_mast",
        count,
        inv_mast_uid=numbers,
        item_id=[item_id(number) for number in numbers],
        item_desc=_descriptions(rng, numbers),
        extended_desc=[LONG_DESCRIPTION if number % 50 == 1 else None for number in numbers],
        delete_flag=flags(rng, count, one_in=60),
        inactive=flags(rng, count, one_in=40),
        weight=rng.choices(weights, k=count),
        net_weight=rng.choices([*weights, None], k=count),
        length=rng.choices([quantity(12), None], k=count),
        class_id1=rng.choices(["A", "B", "C", None], k=count),
        upc_or_ean_id=[f"0{number:011d}" if number % 3 else None for number in numbers],
        serialized="N",
        track_lots="N",
        product_type="R",
        short_code=[f"S{number}" for number in numbers],
        keywords=rng.choices(["PIPE,WATER", "GAS", None], k=count),
        price1=prices,
        price2=prices,
        default_product_group=rng.choices([code for code, _ in PRODUCT_GROUPS], k=count),
        sales_pricing_unit=units,
        sales_pricing_unit_size=quantity(1),
        default_selling_unit=units,
        default_purchasing_unit=units,
        base_unit="EA",
        manufacturer_name=rng.choices([*MANUFACTURERS, None], k=count),
        suppress_from_web_flag=flags(rng, count, one_in=30),
        country_of_origin_code=rng.choices(["US", "DE", None], k=count),
        haz_mat_flag="N",
        created_by="admin",
        **seeding.made("items", count, with_old=True),
    )


def _descriptions(rng: Random, numbers: list[int]) -> list[str | None]:
    materials = rng.choices(ITEM_MATERIALS, k=len(numbers))
    sizes = rng.choices(ITEM_SIZES, k=len(numbers))
    return [
        None if number % 83 == 5 else f"{ITEM_NOUNS[number % len(ITEM_NOUNS)][1]} {material} {size}"
        for number, material, size in zip(numbers, materials, sizes, strict=True)
    ]


def _seed_units(seeding: Seeding, numbers: list[int]) -> None:
    """Give every item its own unit EA, and two of three items a bigger one beside it."""
    rows: list[tuple[Any, ...]] = []
    for number in numbers:
        unit, size = UNITS[number % len(UNITS)]
        rows.append((number, "EA", quantity(1), "Y"))
        if unit != "EA":
            rows.append((number, unit, quantity(size), "N"))
    count = len(rows)
    items, units, sizes, b2b = map(list, zip(*rows, strict=True))
    seeding.insert(
        "item_uom",
        count,
        item_uom_uid=list(range(1, count + 1)),
        inv_mast_uid=items,
        unit_of_measure=units,
        unit_size=sizes,
        selling_unit="Y",
        purchasing_unit="Y",
        b2b_unit_flag=b2b,
        delete_flag=flags(seeding.random("units"), count, one_in=80),
        **seeding.made("units", count),
    )


def _seed_stock(seeding: Seeding, numbers: list[int]) -> None:
    rng = seeding.random("stock")
    order = list(LOCATIONS)
    turned = [sorted((order + order)[start : start + width]) for start in range(5) for width in (_FEW, _MANY)]
    held = [turned[number % len(turned)] for number in numbers]
    items = [number for number, places in zip(numbers, held, strict=True) for _ in places]
    places = [place for chosen in held for place in chosen]
    count = len(items)
    made = seeding.made("stock", count)
    seeding.insert(
        "inv_loc",
        count,
        inv_mast_uid=items,
        location_id=places,
        company_id=[LOCATIONS[place] for place in places],
        sellable="Y",
        stockable="Y",
        discontinued="N",
        product_group_id=rng.choices([code for code, _ in PRODUCT_GROUPS], k=count),
        primary_supplier_id=rng.choices([70001, 70002, 70003], k=count),
        primary_bin=rng.choices(["A-01-1", "B-12-3", None], k=count),
        price1=[unit_price(price_cents(number)) for number in items],
        standard_cost=[unit_price(price_cents(number) * 6 // 10) for number in items],
        moving_average_cost=[money(price_cents(number) * 6 // 10) for number in items],
        last_sale_date=seeding.past("stock:sale", count, days=300, whole_days=True),
        inv_last_changed_date=made["date_last_modified"],
        default_selling_unit=[UNITS[number % len(UNITS)][0] for number in items],
        delete_flag=flags(rng, count, one_in=150),
        created_by="admin",
        **_quantities(rng, count),
        **made,
    )


def _quantities(rng: Random, count: int) -> dict[str, Any]:
    zero = quantity(0)
    on_hand = [quantity(units) for units in range(0, 400, 3)] + ["12.500000000", "0.333333333"]
    return {
        "qty_on_hand": rng.choices(on_hand, k=count),
        "qty_allocated": rng.choices([zero, zero, quantity(2)], k=count),
        "qty_backordered": rng.choices([zero, zero, quantity(5)], k=count),
        "qty_in_transit": zero,
        "qty_in_process": zero,
        "qty_reserved_due_in": zero,
        "order_quantity": rng.choices([zero, quantity(24)], k=count),
        "protected_stock_qty": zero,
        "safety_stock": zero,
        "inv_min": rng.choices([quantity(5), quantity(10)], k=count),
        "inv_max": rng.choices([quantity(50), quantity(200)], k=count),
    }
