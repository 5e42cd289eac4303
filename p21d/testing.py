"""What plug-in authors test with: rows, related rows, the contract every entity must pass, and a clock that stands.

`check_entity(ENTITY, row_of(Item, inv_mast_uid=12, item_id="VALVE-20"), related={UNIT: [row_of(Unit, ...)]})`
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar, get_args

import msgspec

from p21d.address import REQUIRED_MEMBERS as ADDRESS_MEMBERS
from p21d.contract import BrokenContract, expect
from p21d.declaration import external_id_fields, find_faults
from p21d.fake_clock import FakeClock
from p21d.keys import match_text, value_text
from p21d.order_contract import check_mapping, check_mark
from p21d.plugin import DeleteConvention, Entity, Parent, Record, Related, RelatedRows, Row, Skip, number

__all__ = [
    "REQUIRED",
    "BrokenContract",
    "FakeClock",
    "check_entity",
    "check_mapping",
    "check_mark",
    "related_rows",
    "row_of",
]

R = TypeVar("R", bound=Row)
Given = Mapping[Related[Any], Sequence[Row]]
NO_ROWS: Given = {}

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "location": ("name",),
    "company": ("name",),
    "customer": ("customer_number", "first_name", "last_name", "email_address"),
    "address": ADDRESS_MEMBERS,
    "company_address": ADDRESS_MEMBERS,
    "product": ("sku", "name", "type", "tracking_method", "status"),
    "unit": ("name",),
    "inventory": ("parent_id", "location_id"),
}
"""The members the hub wants filled, by resource (ipaas facts 3); `system_id` is the sink's own business."""


def row_of(row: type[R], **values: object) -> R:
    """Return a row with these values, checked as if read from P21; a column that may be null is null where not given.

    Raises TypeError for a value that is no field, msgspec.ValidationError for one that P21 could not have sent.
    """
    fields = msgspec.structs.fields(row)
    strangers = values.keys() - {field.name for field in fields}
    if strangers:
        raise TypeError(f"{row.__name__} has no field {', '.join(sorted(strangers))}")
    nulls = {field.name: None for field in fields if type(None) in get_args(field.type)}
    return msgspec.convert({**nulls, **values}, row)


def related_rows(rows: Given = NO_ROWS) -> RelatedRows:
    """Return related rows as the core would give them: matched by column, in key order, none for a table not given."""
    return _RelatedRowsDouble(rows)


class _RelatedRowsDouble:
    """Given an entity, it refuses to be asked for what the core would not have read."""

    def __init__(self, rows: Given, entity: Entity[Any] | None = None) -> None:
        self._rows = rows
        self._entity = entity

    def rows(self, related: Related[R], parent: Row) -> Sequence[R]:
        if self._entity:
            wanted = (related.of or self._entity).row
            expect(related in self._entity.related, f"{related.table} is asked for but not declared in `related`")
            expect(isinstance(parent, wanted), f"{related.table} belongs to {wanted.__name__}")
        found = [row for row in self._rows.get(related, ()) if isinstance(row, related.row)]
        matching = [row for row in found if _matches(related, row, parent)]
        return sorted(matching, key=lambda row: tuple(getattr(row, column) or "" for column in related.key))

    def first(self, related: Related[R], parent: Row) -> R | None:
        return next(iter(self.rows(related, parent)), None)


def _matches(related: Related[Any], row: Row, parent: Row) -> bool:
    pairs = [(getattr(row, column), getattr(parent, wanted)) for column, wanted in related.match.items()]
    return all(None not in pair and match_text(pair[0]) == match_text(pair[1]) for pair in pairs)


def check_entity(
    entity: Entity[Any], *rows: Row, related: Given = NO_ROWS, known: Sequence[Entity[Any]] = ()
) -> list[Record]:
    """Put the rows through the contract every entity must pass, and return their records; skipped rows give none.

    `known` are the entities that `parents` may name. Raises BrokenContract.
    """
    for message, hint in find_faults(entity):
        raise BrokenContract(f"{entity.name}: {message} ({hint})")
    declared = _RelatedRowsDouble(related, entity)
    records = [record for row in rows for record in _check_row(entity, row, declared, known)]
    twice = [values for values, times in Counter(_id_values(entity, records)).items() if times > 1]
    expect(not twice, f"two records have one external id: {twice}")
    return records


def _check_row(entity: Entity[Any], row: Row, related: RelatedRows, known: Sequence[Entity[Any]]) -> list[Record]:
    answer, parents = entity.records(row, related), list(entity.parents(row, related))
    again = entity.records(row, related), list(entity.parents(row, related))
    expect((answer, parents) == again, "two calls with one row differ: its fingerprint would change each time")
    if isinstance(answer, Skip):
        expect(bool(answer.reason.strip()), "a Skip has no reason")
        return []
    records = _as_records(answer)
    expect(bool(records), "no record and no Skip: the row would have no fate")
    for parent in parents:
        _check_parent(entity, parent, known)
    for record in records:
        _check_record(entity, record, parents)
    _check_deleted(entity, row, related, records)
    return records


def _as_records(answer: Record | Sequence[Record] | Skip) -> list[Record]:
    if isinstance(answer, Record):
        return [answer]
    return [] if isinstance(answer, Skip) else list(answer)


def _check_parent(entity: Entity[Any], parent: Parent, known: Sequence[Entity[Any]]) -> None:
    name = parent.entity
    expect(name in entity.parent_entities, f"parent {name} is not in parent_entities")
    expect(not (parent.required and name in entity.optional_parents), f"parent {name} is optional, yet required")
    target = next((other for other in known if other.name == name), None)
    expect(not known or target is not None, f"parent {name} does not exist")
    if target:
        expect(len(parent.key) == len(target.key), f"the key of parent {name} has not the parts of {target.key}")
        _check_template(target, parent.external_id, f"parent {name}")


def _check_template(entity: Entity[Any], values: Mapping[str, object], where: str) -> None:
    missing = [name for name in entity.external_id_values if name not in values]
    expect(not missing, f"{where}: external id has no {', '.join(missing)}, which external_id_values names")
    for field in external_id_fields(entity.external_id):
        value = values.get(field)
        text = "" if value is None else value_text(value)
        expect(bool(text) and text == text.strip(), f"{where}: external id value {field} is {value!r}")


def _check_record(entity: Entity[Any], record: Record, parents: Sequence[Parent]) -> None:
    _check_template(entity, record.external_id, "record")
    linked = {parent.member: "linked" for parent in parents if parent.required and parent.member}
    _check_body(entity.route.resource, {**record.body, **linked})
    for member, children in record.children.items():
        expect(member in entity.route.children, f"children {member} are not in the route")
        ids = [child.id for child in children]
        expect(len(set(ids)) == len(ids) and all(map(str.strip, ids)), f"ids of {member} are empty or repeat: {ids}")
        for child in children:
            _check_body(entity.route.children[member], child.body)


def _check_body(resource: str, body: Mapping[str, Any]) -> None:
    for fault in _unsafe(body, resource):
        raise BrokenContract(fault)
    empty = [member for member in REQUIRED.get(resource, ()) if body.get(member) in (None, "")]
    expect(not empty, f"{resource} needs {', '.join(empty)} filled")


def _unsafe(value: object, path: str) -> Iterator[str]:
    """Yield what JSON cannot carry, or what would not have one form only."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _unsafe(member, f"{path}.{name}")
            if not isinstance(name, str):
                yield f"{path} has the key {name!r}, which is no text"
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _unsafe(member, path)
    elif value is None:
        yield f"{path} is null: leave it out, see p21d.plugin.present"
    elif isinstance(value, Decimal):
        if not value.is_finite() or str(number(value)) != str(value):
            yield f"{path} is {value}: an amount needs one form, see p21d.plugin.number"
    elif not _plain(value):
        yield f"{path} is {value!r}, which JSON cannot carry"


def _plain(value: object) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _check_deleted(entity: Entity[Any], row: Row, related: RelatedRows, records: Sequence[Record]) -> None:
    if entity.deleted is DeleteConvention.NONE:
        return
    value = "Y" if entity.deleted is DeleteConvention.DELETE_FLAG else 700
    deleted = _as_records(entity.records(msgspec.structs.replace(row, **{entity.deleted.value: value}), related))
    same = not deleted or _id_values(entity, deleted) == _id_values(entity, records)
    expect(same, "a deleted row gives other external ids: its record in the sink would stay active")


def _id_values(entity: Entity[Any], records: Sequence[Record]) -> list[tuple[str, ...]]:
    fields = external_id_fields(entity.external_id)
    return [tuple(value_text(record.external_id.get(field, "")) for field in fields) for record in records]
