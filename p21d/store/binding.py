"""To which P21 and which sink this store belongs, and how it forgets what belonged to others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from p21d.clock import from_millis, to_millis
from p21d.store.statements import Table

FORGOTTEN = (
    "checkpoint",
    "open_window",
    "backfill",
    "met",
    "delivered",
    "link",
    "waiting",
    "worked",
    "skipped",
    "proof",
)
"""What means nothing beside another P21 or sink."""
KEPT = ("dead_letter", "cycle", "paused", "binding")
"""What is a person's word or a history; open dead letters are closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A binding: the two identities as text, since when, and what made it (`first start`, or the command)."""

    prophet21: str
    sink: str
    at: datetime
    by: str


class StoredBinding(Table):
    """The table `binding`, of one row per connection."""

    async def present(self) -> Bound | None:
        """Return the binding, None before the first start."""
        row = await self._one("SELECT * FROM binding WHERE connection = ?", (self._connection,))
        if row is None:
            return None
        at = from_millis(row["bound_at"])
        return Bound(prophet21=row["prophet21"], sink=row["sink"], at=at, by=row["bound_by"])

    async def bind(self, bound: Bound) -> None:
        """Bind the store, in place of an earlier binding."""
        sql = (
            "INSERT INTO binding (connection, prophet21, sink, bound_at, bound_by) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (connection) DO UPDATE SET prophet21 = excluded.prophet21, sink = excluded.sink, "
            "bound_at = excluded.bound_at, bound_by = excluded.bound_by"
        )
        await self._change(sql, (self._connection, bound.prophet21, bound.sink, to_millis(bound.at), bound.by))

    async def holds_nothing(self) -> bool:
        """Tell whether nothing is remembered yet that another P21 or sink could contradict."""
        for table in (*FORGOTTEN, "dead_letter"):
            if table != "proof" and await self._one(
                f"SELECT 1 FROM {table} WHERE connection = ? LIMIT 1",  # noqa: S608  # our own names
                (self._connection,),
            ):
                return False
        return True

    async def forget_fingerprints(self) -> int:
        """Forget what the sink's records look like, and what was proven; return how many will be compared anew."""
        await self._change("DELETE FROM proof WHERE connection = ?", (self._connection,))
        sql = "UPDATE delivered SET fingerprint = NULL WHERE connection = ?"
        return await self._change(sql, (self._connection,))

    async def forget_all(self, because: str, at: datetime) -> dict[str, int]:
        """Forget everything but history and pauses, and close open dead letters; return how many rows of each table."""
        counts = {}
        for table in FORGOTTEN:
            sql = f"DELETE FROM {table} WHERE connection = ?"  # noqa: S608  # our own names
            counts[table] = await self._change(sql, (self._connection,))
        sql = "UPDATE dead_letter SET closed_at = ?, closed_because = ? WHERE connection = ? AND closed_at IS NULL"
        counts["dead_letter"] = await self._change(sql, (to_millis(at), because, self._connection))
        return counts
