"""Two entities of the model: makers with notes, and their parts, which stand on shelves.

A maker's notes and a part's shelf are read with it, and change alone: each is a trigger, the shelf's over one hop.
"""

from __future__ import annotations

from p21d.config import EntityConfig
from p21d.engine.plan import Plan
from p21d.plugin import (
    DeleteConvention,
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
)
from p21d.prophet21.reading import Reading


class Maker(Row, frozen=True):
    maker_id: int
    name: str
    delete_flag: str
    date_last_modified: P21Time


class Note(Row, frozen=True):
    note_id: int
    maker_id: int
    text: str


class Part(Row, frozen=True):
    part_id: int
    maker_id: int
    shelf_id: int
    name: str
    row_status: int
    date_last_modified: P21Time


class Shelf(Row, frozen=True):
    shelf_id: int
    label: str


NOTES = Related(table="note", row=Note, key=("note_id",), match={"maker_id": "maker_id"})
SHELF = Related(table="shelf", row=Shelf, key=("shelf_id",), match={"shelf_id": "shelf_id"})
PARTS_OF_SHELF = Related(table="part", row=Part, key=("part_id",), match={"shelf_id": "shelf_id"})


def maker_entity(edition: int) -> Entity[Maker]:
    def records(row: Maker, related: RelatedRows) -> Record | Skip:
        if not row.name:
            return Skip("no name")
        notes = {str(note.note_id): note.text for note in related.rows(NOTES, row)}
        body = {"name": row.name, "notes": notes, "edition": edition}
        return Record(external_id={"maker_id": row.maker_id}, body=body)

    return Entity(
        name="maker",
        row=Maker,
        table="maker",
        key=("maker_id",),
        external_id="{maker_id}",
        records=records,
        route=Route(resource="maker"),
        related=[NOTES],
        triggers=[Trigger(table="note", key=("note_id",))],
    )


def part_entity(edition: int) -> Entity[Part]:
    def records(row: Part, related: RelatedRows) -> Record | Skip:
        if not row.name:
            return Skip("no name")
        shelf = related.first(SHELF, row)
        body = {"name": row.name, "shelf": shelf.label if shelf else "", "edition": edition}
        return Record(external_id={"part_id": row.part_id}, body=body)

    def parents(row: Part, _related: RelatedRows) -> list[Parent]:
        external_id = {"maker_id": row.maker_id}
        return [Parent(entity="maker", key=(row.maker_id,), external_id=external_id, member="maker")]

    return Entity(
        name="part",
        row=Part,
        table="part",
        key=("part_id",),
        external_id="{part_id}",
        records=records,
        parents=parents,
        parent_entities=("maker",),
        route=Route(resource="part"),
        deleted=DeleteConvention.ROW_STATUS,
        related=[SHELF],
        triggers=[Trigger(table="shelf", key=("shelf_id",), hops=[PARTS_OF_SHELF])],
    )


def plans_of(edition: int) -> dict[str, Plan]:
    """Return the plans of both entities, parents first; another edition is another mapping.

    Without an overlap: what only a second look would find must not hide behind it.
    """
    entities = {"maker": maker_entity(edition), "part": part_entity(edition)}
    return {
        name: Plan(
            entity=entity,
            settings=EntityConfig(max_wait=3600, overlap=0),
            reading=Reading.of_entity(entity),
            plugin="model.py",
            content=f"edition {edition}",
            has_children=name == "maker",
        )
        for name, entity in entities.items()
    }
