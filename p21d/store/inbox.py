"""What the inbox of orders has looked at and left alone, and why; and this store's name among the hub's writers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from p21d.clock import from_millis, to_millis
from p21d.store.statements import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftAlone:
    """A hub order that is not written, by the guard that says so; `again_at` is when it is looked at again, if ever."""

    hub_id: str
    hub_number: str = ""
    reason: str
    seen_at: datetime
    again_at: datetime | None = None


class Inboxes(Table):
    """The tables `left_alone` and `writer`."""

    async def settled(self, hub_ids: Sequence[str], at: datetime) -> set[str]:
        """Return those of the hub orders that need not be looked at now."""
        sql = "SELECT hub_id FROM left_alone WHERE connection = ? AND (again_at IS NULL OR again_at > ?) AND hub_id IN"
        return {row["hub_id"] for row in await self._for_keys(sql, (self._connection, to_millis(at)), hub_ids)}

    async def is_left_alone(self, hub_id: str) -> bool:
        """Tell whether a hub order was looked at and left alone, for whatever reason."""
        sql = "SELECT 1 FROM left_alone WHERE connection = ? AND hub_id = ?"
        return await self._one(sql, (self._connection, hub_id)) is not None

    async def find(self, number: str) -> list[str]:
        """Return the hub's ids of those left alone that have this number."""
        sql = "SELECT hub_id FROM left_alone WHERE connection = ? AND hub_number = ?"
        return [row["hub_id"] for row in await self._all(sql, (self._connection, number))]

    async def leave(self, orders: Sequence[LeftAlone]) -> None:
        """Record hub orders as left alone, in place of what was recorded before."""
        sql = (
            "INSERT INTO left_alone (connection, hub_id, hub_number, reason, seen_at, again_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (connection, hub_id) DO UPDATE SET "
            "hub_number = excluded.hub_number, reason = excluded.reason, "
            "seen_at = excluded.seen_at, again_at = excluded.again_at"
        )
        rows = [
            (
                *(self._connection, one.hub_id, one.hub_number, one.reason, to_millis(one.seen_at)),
                None if one.again_at is None else to_millis(one.again_at),
            )
            for one in orders
        ]
        await self._change_many(sql, rows)

    async def take_up(self, hub_ids: Sequence[str]) -> None:
        """Forget that these were left alone."""
        await self._change_for_keys(
            "DELETE FROM left_alone WHERE connection = ? AND hub_id IN", (self._connection,), hub_ids
        )

    async def take_up_reasons(self, reasons: Sequence[str]) -> None:
        """Forget what was left alone for these reasons."""
        await self._change_for_keys(
            "DELETE FROM left_alone WHERE connection = ? AND reason IN", (self._connection,), reasons
        )

    async def reasons(self) -> Mapping[str, int]:
        """Return how many hub orders are left alone, by reason."""
        sql = "SELECT reason, count(*) AS n FROM left_alone WHERE connection = ? GROUP BY reason"
        return {row["reason"]: row["n"] for row in await self._all(sql, (self._connection,))}

    async def listed(self, limit: int) -> list[LeftAlone]:
        """Return the last ones left alone, the newest first."""
        sql = "SELECT * FROM left_alone WHERE connection = ? ORDER BY seen_at DESC, hub_id LIMIT ?"
        return [
            LeftAlone(
                hub_id=row["hub_id"],
                hub_number=row["hub_number"],
                reason=row["reason"],
                seen_at=from_millis(row["seen_at"]),
                again_at=None if row["again_at"] is None else from_millis(row["again_at"]),
            )
            for row in await self._all(sql, (self._connection, limit))
        ]

    async def store_id(self) -> str:
        """Return the name of this store, empty before it was given one."""
        row = await self._one("SELECT store_id FROM writer WHERE connection = ?", (self._connection,))
        return row["store_id"] if row else ""

    async def name_store(self, store_id: str) -> None:
        """Give this store its name, once."""
        sql = "INSERT INTO writer (connection, store_id) VALUES (?, ?) ON CONFLICT (connection) DO NOTHING"
        await self._change(sql, (self._connection, store_id))
