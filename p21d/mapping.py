"""Mapping without code: `entities.NAME.columns` and `fields`, checked against the plug-in and laid over its records.

`columns` are selected beside those of the entity's Row and decoded as they come: text, number or null. `fields` name
members of the record's body, whatever the plug-in put there: a column, a constant, or null to leave the member out.

Why a subclass of the Row: pages decode straight into it, as fast as without, and the plug-in sees what it declared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import msgspec

from p21d.blocks import joined, nearest
from p21d.config import EntityConfig
from p21d.errors import ConfigError
from p21d.plugin import Entity, Row, clean, number

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Fields:
    """The checked `fields` of an entity: `columns` maps a member to an attribute of the row."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str | int | Decimal | bool] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()

    def laid_over(self, body: Mapping[str, Any], row: Row) -> Mapping[str, Any]:
        """Return the body with these members; a column that is null leaves its member out, as a plug-in does."""
        if not (self.columns or self.constants or self.removed):
            return body
        mapped = {member: plain(getattr(row, attribute)) for member, attribute in self.columns.items()}
        members = {**body, **mapped, **self.constants}
        left_out = self.removed | {member for member, value in mapped.items() if value is None}
        return {member: value for member, value in members.items() if member not in left_out}


def plain(value: object) -> object:
    """Return a column's value in its one form: text without P21's padding, an amount without its trailing zeros."""
    if isinstance(value, str):
        return clean(value)
    return number(value) if isinstance(value, Decimal) else value


def with_columns(entity: Entity[Any], settings: EntityConfig) -> Entity[Any]:
    """Return the entity with the configured columns in its Row; raises ConfigError naming the wrong one."""
    if not settings.columns:
        return entity
    known = set(columns_by_name(entity.row))
    fields: list[tuple[str, Any, Any]] = []
    for index, column in enumerate(settings.columns):
        path = f"entities.{entity.name}.columns[{index}]"
        if not _COLUMN.fullmatch(column):
            raise ConfigError(f"{column!r} is not the name of a column", path=path)
        if column in known:
            raise ConfigError(f"{column} is read already", path=path, hint="remove it; `fields` may name it as it is")
        known.add(column)
        fields.append((column, Any, None))
    row = msgspec.defstruct(entity.row.__name__, fields, bases=(entity.row,), frozen=True, kw_only=True)
    return replace(entity, row=row)


def fields_of(entity: Entity[Any], settings: EntityConfig) -> Fields:
    """Return the `fields` of an entity that has its columns already; raises ConfigError naming the wrong member."""
    known = columns_by_name(entity.row)
    columns: dict[str, str] = {}
    constants: dict[str, str | int | Decimal | bool] = {}
    removed: set[str] = set()
    for member, rule in settings.fields.items():
        path = joined(f"entities.{entity.name}.fields", member)
        if not member:
            raise ConfigError("expected the name of a member", path=path)
        if member in entity.route.children:
            raise ConfigError("holds children, which only the plug-in can give", path=path)
        match rule:
            case None:
                removed.add(member)
            case str() if rule in known:
                columns[member] = known[rule]
            case str():
                hint = f"{nearest(rule, known)}; more columns are selected by entities.{entity.name}.columns"
                raise ConfigError(f"{rule!r} is not a column that {entity.name} reads", path=path, hint=hint)
            case _:
                constants[member] = _constant(rule, path)
    return Fields(columns=columns, constants=constants, removed=frozenset(removed))


def columns_by_name(row: type[Row]) -> dict[str, str]:
    """Return the attribute of each column of a Row."""
    return {field.encode_name: field.name for field in msgspec.structs.fields(row)}


def _constant(rule: object, path: str) -> str | int | Decimal | bool:
    if not isinstance(rule, Mapping) or set(rule) != {"const"}:
        raise ConfigError("expected a column, {const: VALUE}, or null to leave the member out", path=path)
    value = rule["const"]
    if isinstance(value, float):
        value = number(Decimal(str(value)))
    if not isinstance(value, str | int | Decimal) or (isinstance(value, Decimal) and not value.is_finite()):
        hint = "write a date in quotes; a ${...} reference is a secret and has no place in a record"
        raise ConfigError("expected text, a number, true or false", path=f"{path}.const", hint=hint)
    return value
