"""Backfills: the one an entity has open, what it has met, and the mapping under which its records were last compared.

A key counts as met once its row has a fate; that and the key reached are one commit. What was delivered before the
backfill began and is not met at its end has vanished from P21 or left the filter.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from p21d.clock import from_millis, to_millis
from p21d.store.statements import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillState:
    """What is known about an entity's backfills.

    `opened_at` is None where none is open; an empty `signature` says that it has not begun to read. `asks` is the
    number of records it would make inactive and asks about, `confirmed` that a person has said yes. `last_at` is the
    end of the last one, or the entity's first start; `mapping` is the mapping under which every record was compared.
    """

    opened_at: datetime | None
    signature: str
    force: bool
    asks: int
    confirmed: bool
    last_at: datetime
    mapping: str


class Backfills(Table):
    """The table `backfill`, a row an entity."""

    async def state(self, entity: str) -> BackfillState | None:
        """Return what is known, None before the entity's first start."""
        sql = "SELECT * FROM backfill WHERE connection = ? AND entity = ?"
        row = await self._one(sql, (self._connection, entity))
        return _state(row) if row else None

    async def introduce(self, entity: str, mapping: str, at: datetime) -> None:
        """Record an entity's first start; later, while nothing is delivered, only the mapping it starts under."""
        sql = (
            "INSERT INTO backfill (connection, entity, signature, force, asks, confirmed, last_at, mapping) "
            "VALUES (?, ?, '', 0, 0, 0, ?, ?) ON CONFLICT (connection, entity) DO UPDATE SET mapping = excluded.mapping"
        )
        await self._change(sql, (self._connection, entity, to_millis(at), mapping))

    async def want(self, entity: str, at: datetime, *, force: bool, confirmed: bool) -> None:
        """Open a backfill that begins at the next chance, in place of one that is open."""
        sql = (
            "UPDATE backfill SET opened_at = ?, signature = '', force = ?, asks = 0, confirmed = ? "
            "WHERE connection = ? AND entity = ?"
        )
        await self._change(sql, (to_millis(at), force, confirmed, self._connection, entity))

    async def begin(self, entity: str, at: datetime, signature: str, *, confirmed: bool) -> None:
        """Record that the open backfill begins to read, and what its keys reached depend on."""
        sql = (
            "UPDATE backfill SET opened_at = ?, signature = ?, asks = 0, confirmed = ? "
            "WHERE connection = ? AND entity = ?"
        )
        await self._change(sql, (to_millis(at), signature, confirmed, self._connection, entity))

    async def confirm(self, entity: str) -> None:
        """Record that a person lets the open backfill make records inactive, however many they are."""
        await self._change(
            "UPDATE backfill SET confirmed = 1 WHERE connection = ? AND entity = ?", (self._connection, entity)
        )

    async def ask(self, entity: str, count: int, at: datetime, mapping: str) -> None:
        """Record that everything was read, and that so many records are to be made inactive if a person says so."""
        sql = "UPDATE backfill SET asks = ?, last_at = ?, mapping = ? WHERE connection = ? AND entity = ?"
        await self._change(sql, (count, to_millis(at), mapping, self._connection, entity))

    async def end(self, entity: str, at: datetime, mapping: str) -> None:
        """Record that the open backfill is completed."""
        sql = (
            "UPDATE backfill SET opened_at = NULL, signature = '', force = 0, asks = 0, confirmed = 0, "
            "last_at = ?, mapping = ? WHERE connection = ? AND entity = ?"
        )
        await self._change(sql, (to_millis(at), mapping, self._connection, entity))


class MetKeys(Table):
    """The table `met`: the keys that the open backfill of an entity has met."""

    async def add(self, entity: str, keys: Iterable[str]) -> None:
        """Record keys as met."""
        sql = "INSERT INTO met (connection, entity, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        await self._change_many(sql, [(self._connection, entity, key) for key in keys])

    async def forget(self, entity: str, limit: int) -> int:
        """Forget at most so many met keys and return how many they were; all at once would hold up every write."""
        sql = (
            "DELETE FROM met WHERE connection = ? AND entity = ? AND key IN "
            "(SELECT key FROM met WHERE connection = ? AND entity = ? LIMIT ?)"
        )
        return await self._change(sql, (self._connection, entity, self._connection, entity, limit))

    async def missed(self, entity: str, before: datetime, *, after: str, limit: int) -> list[str]:
        """Return keys, in text order after a key, of records delivered before an instant and not met.

        An inactive one counts while the sink has not acknowledged that: it may be active there.
        """
        sql = f"SELECT DISTINCT key {MISSED} AND delivered.key > ? ORDER BY delivered.key LIMIT ?"
        rows = await self._all(sql, (self._connection, entity, to_millis(before), after, limit))
        return [row["key"] for row in rows]

    async def count_missed(self, entity: str, before: datetime) -> int:
        """Return how many keys `missed` would return, by record."""
        sql = f"SELECT count(*) AS n {MISSED}"
        row = await self._one(sql, (self._connection, entity, to_millis(before)))
        return int(row["n"]) if row else 0


MISSED = (
    "FROM delivered WHERE connection = ? AND entity = ? AND (active = 1 OR fingerprint IS NULL) AND delivered_at < ? "
    "AND NOT EXISTS (SELECT 1 FROM met WHERE met.connection = delivered.connection "
    "AND met.entity = delivered.entity AND met.key = delivered.key)"
)


def _state(row: sqlite3.Row) -> BackfillState:
    return BackfillState(
        opened_at=from_millis(row["opened_at"]) if row["opened_at"] is not None else None,
        signature=row["signature"],
        force=bool(row["force"]),
        asks=row["asks"],
        confirmed=bool(row["confirmed"]),
        last_at=from_millis(row["last_at"]),
        mapping=row["mapping"],
    )
