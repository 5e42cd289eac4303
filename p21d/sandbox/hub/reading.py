"""Renders stored records as the hub's answers.

A member the vendor's client cannot read as null holds a value or is left out, whatever switch is on.
"""

from __future__ import annotations

from typing import Any

from p21d.sandbox.hub.database import Database, Stored
from p21d.sandbox.hub.declaration import RecordType
from p21d.sandbox.hub.ids import Ids
from p21d.sandbox.hub.links import Links
from p21d.sandbox.hub.settings import HubSettings

_EMPTY: tuple[Any, ...] = (None, "", [], {})


class Reader:
    """Show records with their children, custom fields and external ids."""

    def __init__(self, database: Database, links: Links, settings: HubSettings) -> None:
        self._database = database
        self._links = links
        self._settings = settings
        self._ids = Ids(settings)

    def show(self, record: Stored) -> dict[str, Any]:
        """Return a record as an answer holds it, active children only, in the form the switches ask for."""
        answer = self._members(record)
        if record.kind.children:
            answer.update(self._children(record))
        answer["custom_fields"] = record.body.get("custom_fields", [])
        answer["external_ids"] = self._links.shown(record)
        if not record.parent:
            answer.update(extension_fields=[], tracking_guid=None)
        return self._disguise(record.kind, answer)

    def inspect(self, record: Stored) -> dict[str, Any]:
        """Return a record for a test: as shown, with `active`, `writes` and all children, inactive ones too."""
        answer = self._members(record)
        for name in record.kind.children:
            answer[name] = []
        names = {child: name for name, child in record.kind.children.items()}
        for child in self._database.children(record) if names else ():
            answer[names[child.kind.name]].append(self.inspect(child))
        if record.parent:
            answer["parent_id"] = record.body.get("parent_id")
        links = self._links.shown(record)
        return {**answer, "external_ids": links, "active": record.active, "writes": record.writes}

    def _members(self, record: Stored) -> dict[str, Any]:
        answer: dict[str, Any] = {"id": self._ids.show(record.id)}
        body, ids = record.body, self._ids
        for name, member in record.kind.members.items():
            value = body.get(name)
            if value is not None and member.kind == "id":
                value = ids.show_number(value)
            elif value is not None and member.kind == "id_text":
                value = ids.show(value)
            answer[name] = value
        return answer

    def _children(self, record: Stored) -> dict[str, list[dict[str, Any]]]:
        collections: dict[str, list[dict[str, Any]]] = {name: [] for name in record.kind.children}
        names = {child: name for name, child in record.kind.children.items()}
        for child in self._database.children(record):
            if child.active:
                collections[names[child.kind.name]].append(self.show(child))
        return collections

    def _disguise(self, kind: RecordType, answer: dict[str, Any]) -> dict[str, Any]:
        settings = self._settings
        fixed = {"id", *kind.never_null, *kind.instants}
        if settings.null_members:
            answer = {k: None if k not in fixed and v in _EMPTY else v for k, v in answer.items()}
        if settings.missing_members:
            answer = {k: v for k, v in answer.items() if k in fixed or v not in _EMPTY}
        if settings.unknown_members:
            answer = {"$schema_version": 3, **answer, "new_member": {"nested": [1, None, {"deep": "x"}]}}
        return answer
