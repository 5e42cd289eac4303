"""Creates and updates a record with its children and links; the caller holds the transaction.

What a PUT does to members and children that it does not name is not published; `put_mode` chooses: `replace` sets
absent members back to their defaults and leaves absent children, `merge` leaves both, `delete_absent_children` replaces
and removes every child that a collection named in the request does not hold.
"""

from __future__ import annotations

from typing import Any

from p21d.clock import Clock
from p21d.sandbox.hub.database import Database, Stored
from p21d.sandbox.hub.declaration import RecordType
from p21d.sandbox.hub.ids import Ids
from p21d.sandbox.hub.links import Links
from p21d.sandbox.hub.members import MemberReader
from p21d.sandbox.hub.record_types import RECORD_TYPES
from p21d.sandbox.hub.refusal import RefusedError
from p21d.sandbox.hub.rules import Rules
from p21d.sandbox.hub.settings import HubSettings


class _Tools:
    """What every write uses."""

    def __init__(self, database: Database, links: Links, settings: HubSettings, clock: Clock) -> None:
        self.database = database
        self.links = links
        self.settings = settings
        self.clock = clock
        self.ids = Ids(settings)
        self.members = MemberReader(settings)
        self.rules = Rules(database, settings, clock)


class Writer:
    """Write records by their declarations."""

    def __init__(self, database: Database, links: Links, settings: HubSettings, clock: Clock) -> None:
        self._tools = _Tools(database, links, settings, clock)

    def create(self, kind: RecordType, body: dict[str, Any], *, parent_id: Any = None) -> Stored:
        """Create a record from a request's body, a child under `parent_id` (or the body's own `parent_id`)."""
        parent = self._parent(kind, body, parent_id) if kind.parent else None
        return _Write(self._tools, lose_links=self._lose_links()).create(kind, body, parent)

    def update(self, record: Stored, body: dict[str, Any]) -> None:
        """Change a record by a request's body; an inactive one comes back."""
        _Write(self._tools, lose_links=False).update(record, body, self._tools.database.at(record.parent))

    def _parent(self, kind: RecordType, body: dict[str, Any], parent_id: Any) -> Stored:
        wanted = self._tools.ids.read_text(parent_id or body.get("parent_id"), "Parent id")
        if body.get("parent_id") is not None and self._tools.ids.read_member(body["parent_id"], "parent_id") != wanted:
            raise RefusedError("VALD-1008", "parent_id differs from the id in the address")
        return self._tools.rules.check_parent(kind.parent, self._tools.database.get(kind.parent, wanted), wanted)

    def _lose_links(self) -> bool:
        lost = self._tools.settings.link_lost_next > 0
        self._tools.settings.link_lost_next -= lost
        return lost


class _Write:
    """One request's write: knows what the request has named so far."""

    def __init__(self, tools: _Tools, *, lose_links: bool) -> None:
        self._tools = tools
        self._now = tools.clock.now()
        self._lose_links = lose_links
        self._named_links: set[tuple[str, int, str]] = set()

    def create(self, kind: RecordType, body: dict[str, Any], parent: Stored | None) -> Stored:
        whole = self._checked(kind, self._tools.members.read(kind, body), parent)
        self._take_custom_fields(kind, body, whole)
        record = self._tools.database.insert(kind, whole, parent=parent, created_at=self._now.timestamp())
        self._tools.rules.claim(kind, record)
        self._save_links(record, body)
        self._save_children(record, body)
        return record

    def update(self, record: Stored, body: dict[str, Any], parent: Stored | None) -> None:
        kind = record.kind
        found = self._tools.members.read(kind, body)
        kept = record.body if self._tools.settings.put_mode == "merge" else self._kept_by_replace(record)
        record.body = self._checked(kind, {**kept, **found}, parent)
        record.body["custom_fields"] = kept.get("custom_fields", [])
        self._take_custom_fields(kind, body, record.body)
        if "updated_datetime" in kind.members:
            record.body["updated_datetime"] = self._now.isoformat()
        self._tools.rules.release(record)
        self._tools.rules.claim(kind, record)
        self._tools.database.save(record)
        self._save_links(record, body)
        self._save_children(record, body)

    def _kept_by_replace(self, record: Stored) -> dict[str, Any]:
        names = (*record.kind.instants, "custom_fields")
        return {name: record.body[name] for name in names if name in record.body}

    def _checked(self, kind: RecordType, found: dict[str, Any], parent: Stored | None) -> dict[str, Any]:
        whole = self._tools.members.complete(kind, found, self._now)
        if parent is not None:
            # Kept for every child, so that rules within one parent can be told by members alone.
            whole["parent_id"] = parent.id
        self._tools.members.check(kind, whole)
        self._tools.rules.check_references(kind, whole)
        return whole

    def _take_custom_fields(self, kind: RecordType, body: dict[str, Any], whole: dict[str, Any]) -> None:
        kept = {item["custom_field_name"]: item for item in whole.get("custom_fields", [])}
        for item in _objects(body, "custom_fields"):
            name, value = item.get("custom_field_name"), item.get("value")
            if not name:
                raise RefusedError("VALD-1014", "A custom field has no name")
            if not isinstance(value, str) or not value:
                raise RefusedError("VALD-1015", f"Custom field {name} has no value")
            if name not in self._tools.settings.custom_fields.get(kind.name, ()):
                raise RefusedError("VALD-1016", f"Custom field {name} is not defined for {kind.name}")
            kept[name] = {"id": len(kept) + 1, "custom_field_name": name, "value": value}
        whole["custom_fields"] = list(kept.values())

    def _save_links(self, record: Stored, body: dict[str, Any]) -> None:
        table, items = record.kind.table, _objects(body, "external_ids")
        if not table:
            return
        for item in items:
            system = self._tools.links.check_system(item.get("system_id"))
            external_id = item.get("external_id")
            if not isinstance(external_id, str) or not external_id:
                raise RefusedError("VALD-1002", "The external_id field is required")
            if (table, system, external_id) in self._named_links:
                raise RefusedError("BIZL-1005", f"External id {external_id} occurs twice in the request")
            self._named_links.add((table, system, external_id))
            if not self._lose_links:
                self._tools.links.save(table, system, external_id, record)
        if self._tools.settings.nested_links == "replace" and body.get("external_ids") is not None:
            self._tools.links.keep_only(record, {item["system_id"] for item in items})

    def _save_children(self, record: Stored, body: dict[str, Any]) -> None:
        for name, child_name in record.kind.children.items():
            if body.get(name) is not None and child_name not in self._tools.settings.nested_off:
                self._save_collection(record, RECORD_TYPES[child_name], _objects(body, name))

    def _save_collection(self, parent: Stored, kind: RecordType, items: list[dict[str, Any]]) -> None:
        named = [self._child(parent, kind, item["id"]) if item.get("id") else None for item in items]
        rows = [child.row for child in named if child]
        if len(rows) != len(set(rows)):
            raise RefusedError("BIZL-1001", f"The same {kind.name} occurs twice in the request")
        if self._tools.settings.put_mode == "delete_absent_children":
            # Before the new ones are created: a child sent without its id may bring the same external id again.
            self._remove_absent(parent, kind, set(rows))
        for child, item in zip(named, items, strict=True):
            if child is None:
                self.create(kind, item, parent)
            else:
                self.update(child, item, parent)

    def _remove_absent(self, parent: Stored, kind: RecordType, rows: set[int]) -> None:
        for child in self._tools.database.children(parent):
            if child.kind is kind and child.row not in rows:
                self._tools.database.remove(child)

    def _child(self, parent: Stored, kind: RecordType, value: Any) -> Stored:
        record_id = self._tools.ids.read_text(value)
        child = self._tools.database.get(kind.name, record_id)
        if child is None or child.parent != parent.row:
            raise RefusedError("NFND-1005", f"{kind.label} {record_id} does not exist in this record")
        return child


def _objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    items = body.get(name)
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RefusedError("VALD-1032", f"The JSON value could not be converted. Path: $.{name}")
    return items
