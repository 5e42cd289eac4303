"""To which P21 and which sink this store belongs, and how it forgets what belonged to others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from p21d.clock import from_millis, to_millis
from p21d.store.intent import OPEN_STATES
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
    "left_alone",
)
"""What means nothing beside another P21 or sink."""
KEPT = ("dead_letter", "cycle", "paused", "binding", "intent", "intent_event", "writer", "last_stop")
"""What is a person's word or a history; open dead letters are closed, open intents dismissed."""
_OPEN = f"connection = ? AND state IN ({', '.join('?' * len(OPEN_STATES))})"


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
        for table in (*FORGOTTEN, "dead_letter", "intent"):
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

    async def forget_all(self, because: str, at: datetime, *, other_p21: bool) -> dict[str, int]:
        """Forget everything but history and pauses; return how many rows of each table were touched.

        Open dead letters are closed, and open intents dismissed: no order may be sent into a P21 for which it was not
        taken in.
        """
        counts = {}
        for table in FORGOTTEN:
            sql = f"DELETE FROM {table} WHERE connection = ?"  # noqa: S608  # our own names
            counts[table] = await self._change(sql, (self._connection,))
        sql = "UPDATE dead_letter SET closed_at = ?, closed_because = ? WHERE connection = ? AND closed_at IS NULL"
        counts["dead_letter"] = await self._change(sql, (to_millis(at), because, self._connection))
        if other_p21:
            await self._forget_order_numbers(because, at)
        counts["intent"] = await self._dismiss_orders(because, at)
        return counts

    async def _dismiss_orders(self, because: str, at: datetime) -> int:
        open_ones = (self._connection, *OPEN_STATES)
        event = (
            "INSERT INTO intent_event (connection, hub_id, at, before, after, by, note) "  # noqa: S608  # our own names
            f"SELECT connection, hub_id, ?, state, 'dismissed', 'rebind', ? FROM intent WHERE {_OPEN}"
        )
        await self._change(event, (to_millis(at), because, *open_ones))
        sql = (
            "UPDATE intent SET state = 'dismissed', reason = ?, due_at = NULL, changed_at = ?, "  # noqa: S608  # our own names
            "hint = 'p21d orders ' || CASE order_no WHEN '' THEN 'sync ' || hub_id || ' writes it into this P21' "
            f"ELSE 'adopt ' || hub_id || ' ' || order_no || ' links it in this hub' END WHERE {_OPEN}"
        )
        return await self._change(sql, (because, to_millis(at), *open_ones))

    async def _forget_order_numbers(self, because: str, at: datetime) -> int:
        """Forget which P21 orders the intents became, but for their history: in another P21 others have the numbers."""
        numbered = "connection = ? AND order_no <> ''"
        event = (
            "INSERT INTO intent_event (connection, hub_id, at, before, after, by, note) "  # noqa: S608  # our own names
            "SELECT connection, hub_id, ?, state, state, 'rebind', ? || '; there it is order ' || order_no "
            f"FROM intent WHERE {numbered}"
        )
        await self._change(event, (to_millis(at), because, self._connection))
        sql = f"UPDATE intent SET order_no = '', changed_at = ? WHERE {numbered}"  # noqa: S608  # our own names
        return await self._change(sql, (to_millis(at), self._connection))
