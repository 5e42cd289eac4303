"""The external-id table: our ids and the hub's, unique by (table, system, external id) and one per record and system.

Table names are compared without case. A table belongs to one family, so its name alone finds it.
"""

from __future__ import annotations

from typing import Any

from p21d.sandbox.hub.database import Database, Stored
from p21d.sandbox.hub.ids import Ids
from p21d.sandbox.hub.record_types import FAMILY_OF_TABLE, TYPES_OF_TABLE
from p21d.sandbox.hub.refusal import RefusedError
from p21d.sandbox.hub.settings import HubSettings


class Links:
    """Find, save and remove links."""

    def __init__(self, database: Database, settings: HubSettings) -> None:
        self._database = database
        self._settings = settings
        self._ids = Ids(settings)

    def check_table(self, family: str, name: Any) -> str:
        """Return the table's key; raises VALD-1007 for none, NFND-1003 for an unknown one or another family's."""
        if not isinstance(name, str) or not name.strip():
            raise RefusedError("VALD-1007", "The table name is empty")
        key = name.strip().lower()
        owner = FAMILY_OF_TABLE.get(key)
        if owner is None or key in {table.lower() for table in self._settings.unknown_tables}:
            raise RefusedError("NFND-1003", f"Table '{name}' does not exist")
        if owner != family:
            raise RefusedError("NFND-1003", f"Table '{name}' belongs to the {owner.capitalize()} API")
        return key

    def check_system(self, value: Any) -> int:
        """Return the system id; raises VALD-1017 when the company does not own it."""
        system = self._settings.require_system(value)
        if system is None:
            raise RefusedError("VALD-1017", f"System id {value} is not a subscription of this company")
        return system

    def find(self, table: str, system: int, external_id: str) -> Stored | None:
        """Return the record linked to an external id, inactive ones too, or None."""
        return self._database.at(self._holder(table, system, external_id))

    def external_id(self, table: str, system: int, record: Stored) -> str | None:
        """Return a record's external id, or None."""
        found: str | None = self._database.scalar(
            "SELECT external_id FROM link WHERE row = ? AND table_name = ? AND system_id = ?",
            (record.row, table, system),
        )
        return found

    def record_of(self, table: str, record_id: int) -> Stored | None:
        """Return the record of this table with the hub's id; where types share the table, the first that has it."""
        found = (self._database.get(name, record_id) for name in TYPES_OF_TABLE.get(table, ()))
        return next((record for record in found if record), None)

    def save(self, table: str, system: int, external_id: str, record: Stored) -> None:
        """Link a record, changing its link for that system; raises BIZL-1003 when another record has the id."""
        holder = self._holder(table, system, external_id)
        if holder == record.row:
            return
        if holder is not None:
            raise RefusedError("BIZL-1003", f"External id {external_id} is already used in table {table}")
        changed = self._database.connection.execute(
            "UPDATE link SET external_id = ? WHERE row = ? AND table_name = ? AND system_id = ?",
            (external_id, record.row, table, system),
        )
        if not changed.rowcount:
            self._database.connection.execute(
                "INSERT INTO link (table_name, system_id, external_id, row) VALUES (?, ?, ?, ?)",
                (table, system, external_id, record.row),
            )

    def remove(self, table: str, system: int, external_id: str) -> bool:
        """Remove a link; False when there was none."""
        statement = "DELETE FROM link WHERE table_name = ? AND system_id = ? AND external_id = ?"
        return bool(self._database.connection.execute(statement, (table, system, external_id)).rowcount)

    def keep_only(self, record: Stored, systems: set[int]) -> None:
        """Remove a record's links of all other systems."""
        for (system,) in self._database.rows("SELECT system_id FROM link WHERE row = ?", (record.row,)):
            if system not in systems:
                self._database.connection.execute(
                    "DELETE FROM link WHERE row = ? AND system_id = ?", (record.row, system)
                )

    def missing(self, table: str, system: int) -> list[int]:
        """Return the rows of a table's active records without a link for the system, by id."""
        types = TYPES_OF_TABLE.get(table, ())
        marks = ",".join("?" * len(types))
        found = self._database.rows(
            f"SELECT row FROM record WHERE type IN ({marks}) AND active = 1 AND NOT EXISTS "  # noqa: S608  # marks only
            "(SELECT 1 FROM link WHERE link.row = record.row AND system_id = ?) ORDER BY id",
            (*types, system),
        )
        return [row for (row,) in found]

    def shown(self, record: Stored) -> list[dict[str, Any]]:
        """Return a record's `external_ids` as an answer shows them."""
        internal = self._ids.show_text(record.id)
        rows = self._database.rows(
            "SELECT id, system_id, external_id FROM link WHERE row = ? ORDER BY id", (record.row,)
        )
        return [
            {
                "id": link_id,
                "system_id": system,
                "system_name": self._settings.systems.get(system, ""),
                "external_id": external_id,
                "internal_id": internal,
                "message": None,
            }
            for link_id, system, external_id in rows
        ]

    def _holder(self, table: str, system: int, external_id: str) -> int | None:
        found: int | None = self._database.scalar(
            "SELECT row FROM link WHERE table_name = ? AND system_id = ? AND external_id = ?",
            (table, system, external_id),
        )
        return found
