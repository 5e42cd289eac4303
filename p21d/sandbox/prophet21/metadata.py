"""Write the two `$metadata` documents in JSON CSDL, as the v4 surfaces serve them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from p21d.sandbox.prophet21.schema import Column, Table, load_tables
from p21d.sandbox.prophet21.settings import Settings

_DECIMALS: dict[str, dict[str, Any]] = {
    "whole": {"$Precision": 19, "$Scale": 0},
    "decimal": {"$Precision": 19, "$Scale": 9},
}


def metadata_document(surface: str, settings: Settings) -> dict[str, Any]:
    """Return the document of `table` or `view` without what the settings say is missing."""
    tables = [table for table in load_tables().values() if table.name not in settings.missing_tables]
    types, sets = {}, {}
    for table in tables:
        name = table.name if surface == "table" else f"p21_view_{table.name}"
        offered = table.stored if surface == "table" else table.viewed
        hidden = settings.missing_columns.get(table.name, set())
        types[name] = _entity_type(table, (column for column in offered.values() if column.name not in hidden))
        sets[name] = {"$Collection": True, "$Type": f"dbo.{name}"}
    container = {"$Kind": "EntityContainer", **sets}
    return {"$Version": "4.0", "$EntityContainer": "ns.container", "dbo": types, "ns": {"container": container}}


def _entity_type(table: Table, columns: Iterable[Column]) -> dict[str, Any]:
    document: dict[str, Any] = {"$Kind": "EntityType", "$Key": list(table.key)}
    for column in columns:
        document[column.name] = _property(column, nullable=column.name not in table.key)
    return document


def _property(column: Column, *, nullable: bool) -> dict[str, Any]:
    """Describe one column; CSDL JSON leaves the type out for Edm.String."""
    described: dict[str, Any] = {} if column.kind == "text" else {"$Type": column.edm_type}
    if nullable:
        described["$Nullable"] = True
    return {**described, **_DECIMALS.get(column.kind, {})}
