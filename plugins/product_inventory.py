"""Product inventory: the stock of one item at one location, under its product in the hub.

Available is on hand less allocated, and may be negative when more is allocated than there is (facts 4.2). A stock row
that is deleted becomes zero stock, for a shop must not sell from it. The stock of a deleted item is skipped: its
product is inactive, and waiting for it would be in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from p21d.plugin import (
    Decimal,
    Entity,
    P21Time,
    Parent,
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


class Stock(Row, frozen=True):
    """A row of `inv_loc`; quantities are in base units."""

    inv_mast_uid: int
    location_id: int
    company_id: str | None
    qty_on_hand: Decimal | None
    qty_allocated: Decimal | None
    moving_average_cost: Decimal | None
    delete_flag: str | None
    date_last_modified: P21Time | None


class StockedItem(Row, frozen=True):
    """What stock needs of a row of `inv_mast`."""

    inv_mast_uid: int
    item_id: str
    delete_flag: str | None


ITEM = Related(table="inv_mast", row=StockedItem, key=("inv_mast_uid",), match={"inv_mast_uid": "inv_mast_uid"})
STOCK = Related(
    table="inv_loc",
    row=Stock,
    key=("inv_mast_uid", "location_id"),
    match={"inv_mast_uid": "inv_mast_uid"},
)
"""The stock of an item: a rename, a deletion and its end change the records of all of it."""
NONE = Decimal(0)


def records(row: Stock, related: RelatedRows) -> Record | Skip:
    """Return the quantities and the cost of the item at the location."""
    item = related.first(ITEM, row)
    if item is None or not clean(item.item_id):
        return Skip("no item")
    if yes(item.delete_flag):
        return Skip("item deleted")
    on_hand = row.qty_on_hand or NONE
    return Record(
        external_id={
            "item_id": clean(item.item_id),
            "location_id": row.location_id,
            "inv_mast_uid": row.inv_mast_uid,
            "company_id": clean(row.company_id),
        },
        body=present(
            {
                "qty_on_hand": number(on_hand),
                "qty_available": number(on_hand - (row.qty_allocated or NONE)),
                "cost": number(row.moving_average_cost),
            }
        ),
    )


def parents(row: Stock, related: RelatedRows) -> Sequence[Parent]:
    """Return the product and the location; the hub takes stock only between two records it has."""
    item = related.first(ITEM, row)
    if item is None:
        return ()
    return (
        Parent(
            entity="product",
            key=(row.inv_mast_uid,),
            external_id={"item_id": clean(item.item_id), "inv_mast_uid": row.inv_mast_uid},
            member="parent_id",
        ),
        Parent(
            entity="location",
            key=(row.location_id,),
            external_id={"location_id": row.location_id, "company_id": clean(row.company_id)},
            member="location_id",
        ),
    )


ENTITY = Entity(
    name="product_inventory",
    row=Stock,
    table="inv_loc",
    key=("inv_mast_uid", "location_id"),
    company="company_id",
    external_id="{item_id}|{location_id}",
    external_id_values=("inv_mast_uid", "company_id"),
    unique_without_company=True,
    records=records,
    parents=parents,
    parent_entities=("product", "location"),
    route=Route(resource="inventory", under="parent_id", inactive={"qty_on_hand": 0, "qty_available": 0}),
    related=(ITEM,),
    triggers=(Trigger(table="inv_mast", key=("inv_mast_uid",), hops=(STOCK,)),),
    full_sweep_seconds=86_400.0,  # stock may move without a stamp
)


@hookimpl
def p21d_entities() -> Sequence[Entity[Any]]:
    """Return the entity of this file."""
    return [ENTITY]
