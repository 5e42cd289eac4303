"""Items for the benchmark, as a third party would declare them: mapped, as they are, and mapped with their units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict

from p21d.plugin import (
    Decimal,
    Entity,
    P21Time,
    Record,
    Related,
    RelatedRows,
    Route,
    Row,
    Skip,
    clean,
    hookimpl,
    number,
    present,
    yes,
)


class BenchItem(Row, frozen=True):
    """A row of `bench_item`: 20 of its 60 columns."""

    item_uid: int
    item_code: str
    item_desc: str | None
    extended_note: str | None
    brand: str | None
    category_id: int | None
    supplier_no: int | None
    list_price: Decimal | None
    net_price: Decimal | None
    weight: Decimal | None
    volume: Decimal | None
    barcode: str | None
    uom: str | None
    tax_class: str | None
    origin_country: str | None
    shelf: str | None
    lead_days: int | None
    discontinued: str | None
    delete_flag: str | None
    date_last_modified: P21Time | None


class BenchUnit(Row, frozen=True):
    """A row of `bench_unit`."""

    unit_uid: int
    item_uid: int
    uom: str | None
    size: Decimal | None


UNIT = Related(table="bench_unit", row=BenchUnit, key=("unit_uid",), match={"item_uid": "item_uid"})


def records(row: BenchItem, _related: RelatedRows) -> Record | Skip:
    """Return the item; its code is its sku."""
    sku = clean(row.item_code)
    if not sku:
        return Skip("no item code")
    return Record(external_id={"item_code": sku}, body=body_of(row, sku))


def rows_as_they_are(row: BenchItem, _related: RelatedRows) -> Record | Skip:
    """Return the row under its own names, which is all that the floor and the peers write: no mapping."""
    return Record(external_id={"item_code": row.item_code.strip()}, body=asdict(row))


def records_with_units(row: BenchItem, related: RelatedRows) -> Record | Skip:
    """Return the item with its units as a list of its own member."""
    record = records(row, related)
    if isinstance(record, Skip):
        return record
    units = [{"unit": clean(unit.uom), "size": number(unit.size)} for unit in related.rows(UNIT, row)]
    return Record(external_id=record.external_id, body={**record.body, "units": units})


def body_of(row: BenchItem, sku: str) -> dict[str, Any]:
    """Return what is sent of a row: all that is read, under the receiver's names."""
    return present(
        {
            "uid": row.item_uid,
            "sku": sku,
            "name": clean(row.item_desc) or sku,
            "description": clean(row.extended_note) or None,
            "brand": clean(row.brand) or None,
            "category": row.category_id,
            "supplier": row.supplier_no,
            "price": number(row.list_price),
            "net_price": number(row.net_price),
            "weight": number(row.weight),
            "volume": number(row.volume),
            "barcode": clean(row.barcode) or None,
            "unit": clean(row.uom),
            "tax_class": clean(row.tax_class) or None,
            "origin": clean(row.origin_country) or None,
            "shelf": clean(row.shelf) or None,
            "lead_days": row.lead_days,
            "status": "Inactive" if yes(row.discontinued) or yes(row.delete_flag) else "Active",
            "modified_at": row.date_last_modified,
        }
    )


ITEM = Entity(
    name="bench_item",
    row=BenchItem,
    table="bench_item",
    key=("item_uid",),
    external_id="{item_code}",
    records=records,
    route=Route(resource="bench_item", family="bench", path="/items", link_table="bench item"),
)
AS_IT_IS = Entity(
    name="bench_row",
    row=BenchItem,
    table="bench_item",
    key=("item_uid",),
    external_id="{item_code}",
    records=rows_as_they_are,
    route=Route(resource="bench_row", family="bench", path="/rows", link_table="bench row"),
)
KIT = Entity(
    name="bench_kit",
    row=BenchItem,
    table="bench_item",
    key=("item_uid",),
    external_id="{item_code}",
    records=records_with_units,
    route=Route(resource="bench_kit", family="bench", path="/kits", link_table="bench kit"),
    related=[UNIT],
)


@hookimpl
def p21d_entities() -> Sequence[Entity[Any]]:
    """Return the entities of this file."""
    return [ITEM, AS_IT_IS, KIT]
