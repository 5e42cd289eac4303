"""The hub's rules between records: references must exist, unique values must be free.

Text is compared as SQL Server's default collation does, without case and without trailing blanks, except the names of
shipping and payment methods, which the vendor documents as case-sensitive. An inactive record keeps its unique values.
"""

from __future__ import annotations

import json
from typing import Any

from p21d.clock import Clock
from p21d.sandbox.hub.database import Database, Stored, comparable
from p21d.sandbox.hub.declaration import Named, RecordType, Unique
from p21d.sandbox.hub.ids import Ids
from p21d.sandbox.hub.record_types import RECORD_TYPES
from p21d.sandbox.hub.refusal import RefusedError
from p21d.sandbox.hub.settings import HubSettings


class Rules:
    """Check one record's references and claim its unique values."""

    def __init__(self, database: Database, settings: HubSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._ids = Ids(settings)

    def check_references(self, kind: RecordType, whole: dict[str, Any]) -> None:
        """Refuse with VALD-1038 when a record this one refers to does not exist (yet)."""
        for name, target in kind.references.items():
            if whole.get(name) is not None:
                self.check_parent(target, self._database.get(target, whole[name]), whole[name])
        for name, named in kind.named.items():
            if whole.get(name):
                self._check_named(named, whole[name])
        for name, nested in kind.objects.items():
            if whole.get(name):
                self.check_references(RECORD_TYPES[nested], whole[name])

    def check_parent(self, type_name: str, parent: Stored | None, wanted: Any) -> Stored:
        """Return a parent that exists long enough; raises VALD-1038."""
        late = self._settings.parent_late_seconds
        if parent is None or (late and self._clock.now().timestamp() - parent.created_at < late):
            label = RECORD_TYPES[type_name].label
            raise RefusedError("VALD-1038", f"{label} {wanted} does not exist, it must be created first")
        return parent

    def claim(self, kind: RecordType, record: Stored) -> None:
        """Take a record's unique values; raises BIZL-1004, 1006, 1007, 1008 or 1009 when another has them."""
        for rule in self._unique_rules(kind):
            name, value = self._unique_value(kind, rule, record.body)
            if value is None:
                continue
            holder = self._holder(kind.name, name, value)
            if holder is not None and holder.row != record.row and self._settings.check_unique:
                raise self._taken(kind, rule, holder)
            self._database.connection.execute(
                "INSERT OR IGNORE INTO unique_value (type, rule, value, row) VALUES (?, ?, ?, ?)",
                (kind.name, name, value, record.row),
            )

    def release(self, record: Stored) -> None:
        """Give a record's unique values back, before it claims its new ones."""
        self._database.connection.execute("DELETE FROM unique_value WHERE row = ?", (record.row,))

    def _check_named(self, named: Named, value: str) -> None:
        kind = RECORD_TYPES[named.type]
        rule = next(rule for rule in kind.unique if rule.members == (named.member,))
        name, key = self._unique_value(kind, rule, {named.member: value})
        holder = self._holder(named.type, name, key or "")
        self.check_parent(named.type, holder, f"'{value}'")

    def _unique_rules(self, kind: RecordType) -> tuple[Unique, ...]:
        more = self._settings.more_unique.get(kind.name)
        return (*kind.unique, *(Unique((name,)) for name in more)) if more else kind.unique

    def _unique_value(self, kind: RecordType, rule: Unique, whole: dict[str, Any]) -> tuple[str, str | None]:
        within = self._settings.unique_within.get(kind.name, ())
        names = (*rule.members, *(name for name in within if name in whole))
        values = [whole.get(name) for name in names]
        if values[0] in (None, ""):
            return "", None
        text = str(values[0]) if len(values) == 1 else json.dumps(values)
        return ",".join(names), text if rule.with_case else comparable(text)

    def _holder(self, type_name: str, rule: str, value: str) -> Stored | None:
        row = self._database.scalar(
            "SELECT row FROM unique_value WHERE type = ? AND rule = ? AND value = ?", (type_name, rule, value)
        )
        return None if row is None else self._database.at(row)

    def _taken(self, kind: RecordType, rule: Unique, holder: Stored) -> RefusedError:
        label = " and ".join(name.replace("_", " ").title() for name in rule.members)
        if not holder.active:
            return RefusedError("BIZL-1009", f"An inactive {kind.name} has this {label}, reactivate it")
        if not self._settings.names_holder:
            return RefusedError("BIZL-1006", f"{label} must be unique")
        shown = {**holder.body, "label": label, "id": self._ids.show_text(holder.id)}
        return RefusedError(rule.code, rule.says.format(**shown))
