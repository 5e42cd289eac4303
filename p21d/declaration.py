"""What is wrong with a declaration by itself: names, columns, templates, the way up of triggers, defaults of a mapping.

Found at registration, so that a reload can refuse it and keep the old set; the contract for plug-in authors asks here
too.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from p21d.order import OrderMapping
from p21d.plugin import DeleteConvention, Entity, Options, Row, Trigger

_WORD = "[a-z][a-z0-9_]*"


def find_faults(entity: Entity[Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a declaration by itself, each with what to change."""
    if not re.fullmatch(_WORD, entity.name):
        yield "its name is not a word", "begin with a lower-case letter; go on with these, digits and underscores"
    functions: tuple[object, ...] = (entity.records, entity.parents)
    if not all(map(callable, functions)):
        yield "records or parents is not a function", "give functions of (row, related)"
    for where, row, columns in _used_columns(entity):
        if not (isinstance(row, type) and issubclass(row, Row)):
            yield f"{where}: its row is not a Row", "derive it from p21d.plugin.Row"
        msgspec.json.Decoder(list[row])  # type: ignore[valid-type]  # raises for a field of an unknown type
        missing = [column for column in columns if column not in row.__struct_fields__]
        if missing:
            yield f"{where}: {', '.join(missing)} is not a field of {row.__name__}", "add the field or correct the name"
    fields = external_id_fields(entity.external_id)
    if not fields or not all(field.isidentifier() for field in fields):
        yield f"external_id {entity.external_id!r} is not a template", "name at least one value, such as {item_id}"
    if not all(value.isidentifier() for value in entity.external_id_values):
        yield f"external_id_values {entity.external_id_values!r} are not names", "name values of Record.external_id"
    if not set(entity.optional_parents) <= set(entity.parent_entities):
        yield "optional_parents has a name that parent_entities has not", "name it in both"
    yield from _find_related_faults(entity)
    yield from _find_trigger_faults(entity)
    yield from _find_option_faults(entity)


def find_mapping_faults(mapping: OrderMapping[Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the declaration of how orders are mapped, each with what to change."""
    if not re.fullmatch(_WORD, mapping.name):
        yield "its name is not a word", "begin with a lower-case letter; go on with these, digits and underscores"
    functions = {"order": mapping.order, "mark": mapping.mark, "skus": mapping.skus}
    for name, function in functions.items():
        if not callable(function):
            yield f"{name} is not a function", "see OrderMapping for what each is called with"
    defaults: object = mapping.defaults
    if not (isinstance(defaults, type) and issubclass(defaults, msgspec.Struct)):
        yield "defaults is not a Struct", "derive it from p21d.plugin.Options"
        return
    msgspec.json.Decoder(defaults)  # raises for a field of an unknown type
    required = [field.name for field in msgspec.structs.fields(defaults) if field.required]
    if required:
        hint = "give each key a default, and answer Held where an order cannot be mapped without it"
        yield f"{', '.join(required)} of its defaults has no default", hint


def external_id_fields(template: str) -> list[str]:
    """Return the names of the values an external-id template is filled from; raise ValueError for a stray brace."""
    return [field for _, field, _, _ in string.Formatter().parse(template) if field is not None]


def _used_columns(entity: Entity[Any]) -> Iterator[tuple[str, Any, list[str]]]:
    optional = [entity.company] if entity.company else []
    if entity.deleted is not DeleteConvention.NONE:
        optional.append(entity.deleted.value)
    yield f"table {entity.table}", entity.row, [*entity.key, *entity.page_by, entity.modified, *optional]
    for related in entity.related:
        where = f"related table {related.table}"
        yield where, related.row, [*related.key, *related.match]
        yield f"{where}, match", (related.of or entity).row, list(related.match.values())


def trigger_name(entity: Entity[Any], trigger: Trigger) -> str:
    """Return what a trigger is called in status, log and store: the entity and the way down from it, as in `a<b<c`."""
    way = [hop.table for hop in trigger.hops] if not trigger.name else []
    if way and way[-1] == entity.table:
        way.pop()
    return "<".join([entity.name, *reversed(way), trigger.name or trigger.table])


def _find_related_faults(entity: Entity[Any]) -> Iterator[tuple[str, str]]:
    if not entity.key or not all(related.key and related.match for related in entity.related):
        yield "a key or a match is empty", "name the columns"
    if any(related.of and related.of not in entity.related for related in entity.related):
        yield "a related table is `of` one that is not in `related`", "add that one too"


def _find_option_faults(entity: Entity[Any]) -> Iterator[tuple[str, str]]:
    options, with_options = entity.options, entity.with_options
    if options is None and with_options is None:
        return
    if not (isinstance(options, type) and issubclass(options, Options)) or not callable(with_options):
        yield "options and with_options do not go together", "give a class derived from Options, and a function of it"
        return
    msgspec.json.Decoder(options)  # raises for a field of an unknown type
    required = [field.name for field in msgspec.structs.fields(options) if field.required]
    if required:
        yield f"{', '.join(required)} of its options has no default", "give one: an entity may be named without options"


def _find_trigger_faults(entity: Entity[Any]) -> Iterator[tuple[str, str]]:
    names = Counter(trigger_name(entity, trigger) for trigger in entity.triggers)
    for name, times in names.items():
        if times > 1:
            yield f"two triggers are called {name}", "give one of them a `name`: each has a watermark of its own"
    for trigger in entity.triggers:
        where = f"trigger {trigger_name(entity, trigger)}"
        if not (trigger.key and trigger.modified and all(hop.key and hop.match for hop in trigger.hops)):
            yield f"{where}: a key, a match or modified is empty", "name the columns"
        if any(hop.of for hop in trigger.hops):
            yield f"{where}: a hop is `of` another table", "leave `of` out: each hop builds on the one before it"
        yield from _find_way_faults(entity, trigger, where)


def _find_way_faults(entity: Entity[Any], trigger: Trigger, where: str) -> Iterator[tuple[str, str]]:
    """Yield the columns that the way up lacks; the changed row itself is read with whatever is asked of it."""
    asked = [list(hop.match.values()) for hop in trigger.hops[1:]] + [list(entity.key)]
    for hop, above in zip(trigger.hops, asked, strict=False):
        needed = [*hop.key, *hop.match, *above]
        missing = [column for column in dict.fromkeys(needed) if column not in hop.row.__struct_fields__]
        if missing and hop is trigger.hops[-1] and set(missing) & set(entity.key):
            hint = f"its rows must name the parent: add the key {', '.join(entity.key)}, or one more hop"
            yield f"{where}: the last hop, {hop.table}, has no {', '.join(missing)}", hint
        elif missing:
            yield f"{where}: {', '.join(missing)} is not a field of {hop.row.__name__}", "add it or correct the name"
