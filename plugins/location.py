"""Locations: the warehouses and branches of P21 as the hub's locations.

Inventory points at them, so they are read first. A location without a name is skipped: the hub needs a unique one, and
an invented one would be shown to buyers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from p21d.plugin import Entity, P21Time, Record, RelatedRows, Route, Row, Skip, clean, hookimpl


class Location(Row, frozen=True):
    """A row of `location`."""

    location_id: int
    company_id: str | None
    location_name: str | None
    delete_flag: str | None
    date_last_modified: P21Time | None


def records(row: Location, _related: RelatedRows) -> Record | Skip:
    """Return the location under its name."""
    name = clean(row.location_name)
    if not name:
        return Skip("no location name")
    return Record(
        external_id={"location_id": row.location_id, "company_id": clean(row.company_id)},
        body={"name": name},
    )


ENTITY = Entity(
    name="location",
    row=Location,
    table="location",
    key=("location_id",),
    company="company_id",
    external_id="{location_id}",
    external_id_values=("company_id",),
    unique_without_company=True,
    records=records,
    route=Route(resource="location", natural_key="name"),
)


@hookimpl
def p21d_entities() -> Sequence[Entity[Any]]:
    """Return the entity of this file."""
    return [ENTITY]
