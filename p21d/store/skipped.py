"""Skipped rows with their reasons, so that no row is left out without saying so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from p21d.clock import to_millis
from p21d.store.statements import Table


class SkippedRows(Table):
    """The table `skipped`."""

    async def by_keys(self, entity: str, keys: Sequence[str]) -> dict[str, str]:
        """Return the recorded reasons of those keys, by key."""
        sql = "SELECT key, reason FROM skipped WHERE connection = ? AND entity = ? AND key IN"
        rows = await self._for_keys(sql, (self._connection, entity), keys)
        return {row["key"]: row["reason"] for row in rows}

    async def record(self, entity: str, reasons: Mapping[str, str], at: datetime) -> None:
        """Record why rows are skipped, by key; a reason that stands already is not written again."""
        sql = (
            "INSERT INTO skipped (connection, entity, key, reason, skipped_at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (connection, entity, key) DO UPDATE SET reason = excluded.reason, "
            "skipped_at = excluded.skipped_at WHERE skipped.reason <> excluded.reason"
        )
        now = to_millis(at)
        await self._change_many(sql, [(self._connection, entity, key, why, now) for key, why in reasons.items()])

    async def forget(self, entity: str, keys: Sequence[str]) -> None:
        """Forget rows that are skipped no more."""
        sql = "DELETE FROM skipped WHERE connection = ? AND entity = ? AND key IN"
        await self._change_for_keys(sql, (self._connection, entity), keys)

    async def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of skipped rows by entity and reason."""
        sql = "SELECT entity, reason, count(*) AS n FROM skipped WHERE connection = ? GROUP BY entity, reason"
        found: dict[str, dict[str, int]] = {}
        for row in await self._all(sql, (self._connection,)):
            found.setdefault(row["entity"], {})[row["reason"]] = row["n"]
        return found
