"""The waiting room's rows: which row waits, for which parent or until when.

`parent_entity` and `parent_key` name the parent; `due_at` null means that only its delivery releases the row. A row
that the sink failed to take while it took others waits here too, with `due_at` and the number of attempts so far; and
a row that a trigger wants read again, with `triggered_at`. `parked_after` is the reading of the `worked` counter at
which it began to wait for its parent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from p21d.clock import from_millis, to_millis
from p21d.store.statements import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
    """A row that waits; it is read again when it is released."""

    entity: str
    key: str
    parent_entity: str = ""
    parent_key: str = ""
    due_at: datetime | None = None
    attempts: int = 0
    first_failed_at: datetime | None = None
    error: str = ""
    triggered_at: datetime | None = None
    """When a trigger last asked for the row."""

    @property
    def only_triggered(self) -> bool:
        """Tell whether nothing but a trigger asks for the row."""
        return self.triggered_at is not None and not (self.parent_entity or self.attempts or self.error)


class WaitingRows(Table):
    """The table `waiting`."""

    async def park(self, rows: Sequence[WaitingRow], at: datetime) -> None:
        """Park rows; one that waits already waits for its new parent, or once more for the same after an attempt."""
        sql = (
            "INSERT INTO waiting (connection, entity, key, parent_entity, parent_key, asked, due_at, attempts, "
            "first_failed_at, error, parked_at, parked_after) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, coalesce("
            "(SELECT seconds FROM worked WHERE connection = ? AND entity = ? AND parent_entity = ?), 0)) "
            "ON CONFLICT (connection, entity, key) DO UPDATE SET asked = CASE WHEN "
            "waiting.parent_entity = excluded.parent_entity AND waiting.parent_key = excluded.parent_key "
            "AND excluded.attempts <= waiting.attempts THEN waiting.asked ELSE 0 END, "
            "parked_after = CASE WHEN "
            "waiting.parent_entity = excluded.parent_entity AND waiting.parent_key = excluded.parent_key "
            "THEN waiting.parked_after ELSE excluded.parked_after END, "
            "parent_entity = excluded.parent_entity, parent_key = excluded.parent_key, "
            "due_at = excluded.due_at, attempts = excluded.attempts, first_failed_at = excluded.first_failed_at, "
            "error = excluded.error"
        )
        await self._change_many(sql, [self._values(row, at) for row in rows])

    async def park_triggered(self, entity: str, keys: Sequence[str], at: datetime) -> None:
        """Park the keys of rows to be read again as due; a row that waits already keeps what it waits for."""
        sql = (
            "INSERT INTO waiting (connection, entity, key, parent_entity, parent_key, asked, due_at, attempts, "
            "first_failed_at, error, parked_at, triggered_at) VALUES (?, ?, ?, '', '', 0, ?, 0, NULL, '', ?, ?) "
            "ON CONFLICT (connection, entity, key) DO UPDATE SET triggered_at = excluded.triggered_at"
        )
        millis = to_millis(at)
        await self._change_many(sql, [(self._connection, entity, key, millis, millis, millis) for key in keys])

    def _values(self, row: WaitingRow, at: datetime) -> tuple[object, ...]:
        due = to_millis(row.due_at) if row.due_at else None
        failed = to_millis(row.first_failed_at) if row.first_failed_at else None
        parent = (row.parent_entity, row.parent_key)
        values = (self._connection, row.entity, row.key, *parent, due, row.attempts, failed, row.error, to_millis(at))
        return (*values, self._connection, row.entity, row.parent_entity)

    async def by_keys(self, entity: str, keys: Sequence[str]) -> dict[str, WaitingRow]:
        """Return those of the keys that wait."""
        sql = "SELECT * FROM waiting WHERE connection = ? AND entity = ? AND key IN"
        rows = await self._for_keys(sql, (self._connection, entity), keys)
        return {
            row["key"]: WaitingRow(
                entity=entity,
                key=row["key"],
                parent_entity=row["parent_entity"],
                parent_key=row["parent_key"],
                due_at=from_millis(row["due_at"]) if row["due_at"] is not None else None,
                attempts=row["attempts"],
                first_failed_at=from_millis(row["first_failed_at"]) if row["first_failed_at"] is not None else None,
                error=row["error"],
                triggered_at=from_millis(row["triggered_at"]) if row["triggered_at"] is not None else None,
            )
            for row in rows
        }

    async def leave(self, entity: str, keys: Sequence[str], *, read_at: datetime | None = None) -> None:
        """Let rows go that have another fate now.

        One that a trigger asked for at or after `read_at`, the instant before it was read, stays, due at once: what
        the trigger has seen change may have been read before its change.
        """
        values: tuple[object, ...] = (self._connection, entity)
        if read_at is not None:
            sql = (
                "UPDATE waiting SET parent_entity = '', parent_key = '', asked = 0, due_at = triggered_at, "
                "attempts = 0, first_failed_at = NULL, error = '' "
                "WHERE connection = ? AND entity = ? AND triggered_at >= ? AND key IN"
            )
            await self._change_for_keys(sql, (*values, to_millis(read_at)), keys)
            values = (*values, to_millis(read_at))
        since = "" if read_at is None else "AND (triggered_at IS NULL OR triggered_at < ?) "
        sql = f"DELETE FROM waiting WHERE connection = ? AND entity = ? {since}AND key IN"  # noqa: S608  # no outside text
        await self._change_for_keys(sql, values, keys)

    async def release_children(self, parent_entity: str, parent_keys: Sequence[str], at: datetime) -> int:
        """Make the rows that wait for these parents due; return how many."""
        sql = (
            "UPDATE waiting SET due_at = ?, asked = 1 WHERE connection = ? AND parent_entity = ? "
            "AND due_at IS NULL AND parent_key IN"
        )
        return await self._change_for_keys(sql, (to_millis(at), self._connection, parent_entity), parent_keys)

    async def children(self, parent_entity: str, parent_keys: Sequence[str]) -> list[tuple[str, str, str]]:
        """Return (entity, key, parent key) of the rows that wait for these parents."""
        sql = (
            "SELECT entity, key, parent_key FROM waiting "
            "WHERE connection = ? AND parent_entity = ? AND due_at IS NULL AND parent_key IN"
        )
        rows = await self._for_keys(sql, (self._connection, parent_entity), parent_keys)
        return [(row["entity"], row["key"], row["parent_key"]) for row in rows]

    async def due(self, entity: str, at: datetime, limit: int) -> list[str]:
        """Return keys of the entity that may be read again now, the longest due first."""
        sql = "SELECT key FROM waiting WHERE connection = ? AND entity = ? AND due_at <= ? ORDER BY due_at, key LIMIT ?"
        return [row["key"] for row in await self._all(sql, (self._connection, entity, to_millis(at), limit))]

    async def has_rows(self, entity: str, parent_entity: str) -> bool:
        """Tell whether any row of the entity waits for a parent of that entity."""
        sql = "SELECT 1 FROM waiting WHERE connection = ? AND entity = ? AND parent_entity = ? LIMIT 1"
        return await self._one(sql, (self._connection, entity, parent_entity)) is not None

    async def overdue(
        self, entity: str, parent_entity: str, parked_before: float, at: datetime, limit: int
    ) -> list[tuple[str, str]]:
        """Return (key, parent key) of rows parked at or before that reading of their `worked` counter.

        A row that is due now has been released, and waits for its turn only.
        """
        sql = (
            "SELECT key, parent_key FROM waiting WHERE connection = ? AND entity = ? AND parent_entity = ? "
            "AND parked_after <= ? AND (due_at IS NULL OR due_at > ?) LIMIT ?"
        )
        rows = await self._all(sql, (self._connection, entity, parent_entity, parked_before, to_millis(at), limit))
        return [(row["key"], row["parent_key"]) for row in rows]

    async def next_due(self, entity: str) -> datetime | None:
        """Return when the next row of the entity is due, None where none is."""
        sql = "SELECT min(due_at) AS due_at FROM waiting WHERE connection = ? AND entity = ? AND due_at IS NOT NULL"
        row = await self._one(sql, (self._connection, entity))
        return from_millis(row["due_at"]) if row and row["due_at"] is not None else None

    async def wanted(self, parent_entity: str, limit: int) -> list[str]:
        """Return keys of parents that rows wait for and that have not been read for them yet."""
        sql = (
            "SELECT DISTINCT parent_key FROM waiting WHERE connection = ? AND parent_entity = ? AND asked = 0 "
            "AND due_at IS NULL LIMIT ?"
        )
        return [row["parent_key"] for row in await self._all(sql, (self._connection, parent_entity, limit))]

    async def parents_of(self, entity: str, parent_entity: str) -> list[str]:
        """Return the keys of the parents of that kind which rows of the entity wait for."""
        sql = (
            "SELECT DISTINCT parent_key FROM waiting "
            "WHERE connection = ? AND entity = ? AND parent_entity = ? AND due_at IS NULL"
        )
        return [row["parent_key"] for row in await self._all(sql, (self._connection, entity, parent_entity))]

    async def mark_asked(self, parent_entity: str, parent_keys: Sequence[str]) -> None:
        """Record that these parents were read for the rows that wait for them."""
        sql = "UPDATE waiting SET asked = 1 WHERE connection = ? AND parent_entity = ? AND parent_key IN"
        await self._change_for_keys(sql, (self._connection, parent_entity), parent_keys)

    async def counts(self) -> dict[str, int]:
        """Return the number of rows that wait, by entity."""
        sql = "SELECT entity, count(*) AS n FROM waiting WHERE connection = ? GROUP BY entity"
        return {row["entity"]: row["n"] for row in await self._all(sql, (self._connection,))}

    async def triggered_counts(self) -> dict[str, int]:
        """Return the number of rows that nothing but a trigger asks for, by entity."""
        sql = (
            "SELECT entity, count(*) AS n FROM waiting WHERE connection = ? AND triggered_at IS NOT NULL "
            "AND parent_entity = '' AND attempts = 0 AND error = '' GROUP BY entity"
        )
        return {row["entity"]: row["n"] for row in await self._all(sql, (self._connection,))}
