"""What the sink has acknowledged: one row per record, with the fingerprint of what was sent.

A null fingerprint means that an attempt is under way or was lost: whatever the sink has now, it is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from p21d.clock import from_millis, to_millis
from p21d.store.statements import Table


class DeliveredRecord(Struct, frozen=True):
    """A record the sink has; `read_at` is the version: the instant before the row was read from P21."""

    key: str
    external_id: str
    fingerprint: bytes | None
    active: bool
    read_at: datetime


class DeliveredRecords(Table):
    """The table `delivered`."""

    async def by_keys(self, entity: str, keys: Sequence[str]) -> dict[str, list[DeliveredRecord]]:
        """Return the delivered records of those keys, by key; keys without any are absent."""
        sql = (
            "SELECT key, external_id, fingerprint, active, read_at FROM delivered "
            "WHERE connection = ? AND entity = ? AND key IN"
        )
        found: dict[str, list[DeliveredRecord]] = {}
        for key, external_id, fingerprint, active, read_at in await self._for_keys(
            sql, (self._connection, entity), keys
        ):
            record = DeliveredRecord(key, external_id, fingerprint, bool(active), from_millis(read_at))
            found.setdefault(key, []).append(record)
        return found

    async def known(self, entity: str, keys: Sequence[str]) -> set[str]:
        """Return those of the keys that have an active delivered record."""
        where = "WHERE connection = ? AND entity = ? AND active = 1 AND delivered_at > 0 AND key IN"
        sql = f"SELECT DISTINCT key FROM delivered {where}"  # noqa: S608  # fixed text
        return {row["key"] for row in await self._for_keys(sql, (self._connection, entity), keys)}

    async def acknowledge(self, entity: str, records: Sequence[DeliveredRecord], at: datetime) -> None:
        """Record what the sink has just acknowledged."""
        sql = (
            "INSERT INTO delivered (connection, entity, key, external_id, fingerprint, active, read_at, delivered_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (connection, entity, key, external_id) DO UPDATE SET "
            "fingerprint = excluded.fingerprint, active = excluded.active, read_at = excluded.read_at, "
            "delivered_at = excluded.delivered_at"
        )
        now = to_millis(at)
        await self._change_many(
            sql,
            [
                (self._connection, entity, r.key, r.external_id, r.fingerprint, r.active, to_millis(r.read_at), now)
                for r in records
            ],
        )

    async def note_attempts(self, entity: str, records: Sequence[tuple[str, str]]) -> None:
        """Say, before an attempt, that the sink's content of these (key, external id) is not known.

        A record never acknowledged gets a row too: when its answer is lost and P21 deletes it, the sink may have it.
        """
        sql = (
            "INSERT INTO delivered (connection, entity, key, external_id, fingerprint, active, read_at, delivered_at) "
            "VALUES (?, ?, ?, ?, NULL, 1, 0, 0) ON CONFLICT (connection, entity, key, external_id) DO UPDATE SET "
            "fingerprint = NULL WHERE delivered.fingerprint IS NOT NULL"
        )
        await self._change_many(sql, [(self._connection, entity, *record) for record in records])

    async def expect_inactive(self, entity: str, records: Sequence[tuple[str, str]]) -> None:
        """Say, before the attempt, that p21d may have made these (key, external id) inactive: so it may revive them."""
        sql = (
            "UPDATE delivered SET fingerprint = NULL, active = 0 "
            "WHERE connection = ? AND entity = ? AND key = ? AND external_id = ?"
        )
        await self._change_many(sql, [(self._connection, entity, *record) for record in records])

    async def clear_keys(self, entity: str, keys: Sequence[str]) -> None:
        """Say that the sink's content of these keys is no longer known: it seems to have lost their records."""
        sql = (
            "UPDATE delivered SET fingerprint = NULL "
            "WHERE connection = ? AND entity = ? AND fingerprint IS NOT NULL AND key IN"
        )
        await self._change_for_keys(sql, (self._connection, entity), keys)

    async def forget(self, entity: str, records: Sequence[tuple[str, str]]) -> None:
        """Forget (key, external id) pairs under which the sink has nothing any more: the records were renamed."""
        sql = "DELETE FROM delivered WHERE connection = ? AND entity = ? AND key = ? AND external_id = ?"
        await self._change_many(sql, [(self._connection, entity, *record) for record in records])

    async def entities(self) -> dict[str, int]:
        """Return the number of records that the sink has, by entity."""
        sql = "SELECT entity, count(*) AS n FROM delivered WHERE connection = ? AND delivered_at > 0 GROUP BY entity"
        return {row["entity"]: row["n"] for row in await self._all(sql, (self._connection,))}

    async def count_active(self, entity: str) -> int:
        """Return the number of active records of the entity that the sink has."""
        sql = "SELECT count(*) AS n FROM delivered WHERE connection = ? AND entity = ? AND active = 1"
        row = await self._one(sql, (self._connection, entity))
        return int(row["n"]) if row else 0

    async def count(self, entity: str) -> int:
        """Return the number of records of the entity that the sink has."""
        sql = "SELECT count(*) AS n FROM delivered WHERE connection = ? AND entity = ? AND delivered_at > 0"
        row = await self._one(sql, (self._connection, entity))
        return int(row["n"]) if row else 0
