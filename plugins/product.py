"""Products: the items of P21 as the hub's products, with their units of measure.

Why the prices so: price 1 is the price; what prices 2 and 3 mean is each site's own, and they go where the hub has
room, as users of its integration know it. A zero there means "not set" in P21 and is left out, for a web shop might
sell at it. A text that the hub may know better (description, bar code) is left out while it is empty, so that what a
web team wrote there stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from p21d.plugin import (
    Child,
    Decimal,
    Entity,
    P21Time,
    Record,
    Related,
    RelatedRows,
    Route,
    Row,
    Skip,
    Trigger,
    clean,
    hookimpl,
    number,
    present,
    yes,
)


class Item(Row, frozen=True):
    """A row of `inv_mast`."""

    inv_mast_uid: int
    item_id: str
    item_desc: str | None
    extended_desc: str | None
    inactive: str | None
    price1: Decimal | None
    price2: Decimal | None
    price3: Decimal | None
    weight: Decimal | None
    length: Decimal | None
    width: Decimal | None
    height: Decimal | None
    upc_or_ean: str | None
    upc_or_ean_id: str | None
    item_sales_tax_class: str | None
    default_selling_unit: str | None
    base_unit: str | None
    delete_flag: str | None
    date_last_modified: P21Time | None


class Unit(Row, frozen=True):
    """A row of `item_uom`; `unit_size` is the number of base units in one."""

    item_uom_uid: int
    inv_mast_uid: int
    unit_of_measure: str | None
    unit_size: Decimal | None
    delete_flag: str | None


UNIT = Related(table="item_uom", row=Unit, key=("item_uom_uid",), match={"inv_mast_uid": "inv_mast_uid"})


def records(row: Item, related: RelatedRows) -> Record | Skip:
    """Return the product with its units; the item id is its sku."""
    sku = clean(row.item_id)
    if not sku:
        return Skip("no item id")
    return Record(
        external_id={"item_id": sku, "inv_mast_uid": row.inv_mast_uid},
        body=present(
            {
                "sku": sku,
                "name": clean(row.item_desc) or sku,
                "description": clean(row.extended_desc) or None,
                "type": "Physical",
                "tracking_method": "Product",
                "status": "Inactive" if yes(row.inactive) or yes(row.delete_flag) else "Active",
                "default_price": number(row.price1),
                "msrp": number(row.price2 or None),
                "sale_price": number(row.price3 or None),
                "tax_class": clean(row.item_sales_tax_class) or None,
                "barcode": barcode(row) or None,
                "unit": clean(row.default_selling_unit) or clean(row.base_unit) or None,
                "weight": number(row.weight),
                "width": number(row.width),
                "height": number(row.height),
                "depth": number(row.length),
            }
        ),
        children={"units": list(units(row, related))},
    )


def barcode(row: Item) -> str:
    """Return the bar code; some sites keep it in the column that elsewhere tells only UPC from EAN."""
    code = clean(row.upc_or_ean)
    return clean(row.upc_or_ean_id) or (code if code.isdigit() else "")


def units(row: Item, related: RelatedRows) -> Iterator[Child]:
    """Yield each unit in use once, by name: two rows of one name would make the hub refuse the product."""
    rows = [unit for unit in related.rows(UNIT, row) if clean(unit.unit_of_measure) and not yes(unit.delete_flag)]
    for name, unit in {clean(unit.unit_of_measure): unit for unit in rows}.items():
        yield Child(id=name, body=present({"name": name, "conversion": number(unit.unit_size)}))


ENTITY = Entity(
    name="product",
    row=Item,
    table="inv_mast",
    key=("inv_mast_uid",),
    external_id="{item_id}",
    external_id_values=("inv_mast_uid",),
    records=records,
    route=Route(resource="product", natural_key="sku", children={"units": "unit"}, inactive={"status": "Inactive"}),
    related=(UNIT,),
    triggers=(Trigger(table="item_uom", key=("item_uom_uid",)),),
)


@hookimpl
def p21d_entities() -> Sequence[Entity[Any]]:
    """Return the entity of this file."""
    return [ENTITY]
