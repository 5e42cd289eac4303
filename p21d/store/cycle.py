"""The history of cycles, for status; and which entities a person has paused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from p21d.clock import from_millis, to_millis
from p21d.store.statements import Table


class CycleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One finished cycle; the counts of fates and `unfinished` add up to `read`."""

    entity: str
    kind: str
    status: str
    note: str
    started_at: datetime
    ended_at: datetime
    read: int
    delivered: int
    unchanged: int
    skipped: int
    waiting: int
    dead_lettered: int
    unfinished: int


COLUMNS = tuple(CycleRow.__struct_fields__)


class Cycles(Table):
    """The table `cycle`."""

    async def record(self, cycle: CycleRow) -> None:
        """Record a finished cycle."""
        marks = ", ".join("?" * (len(COLUMNS) + 1))
        sql = f"INSERT INTO cycle (connection, {', '.join(COLUMNS)}) VALUES ({marks})"  # noqa: S608  # our own names
        values = msgspec.structs.asdict(cycle)
        values["started_at"], values["ended_at"] = to_millis(cycle.started_at), to_millis(cycle.ended_at)
        await self._change(sql, [self._connection, *values.values()])

    async def latest(self, *, entity: str = "", limit: int = 100) -> list[CycleRow]:
        """Return finished cycles, the newest first."""
        where = "AND entity = ?" if entity else ""
        sql = f"SELECT * FROM cycle WHERE connection = ? {where} ORDER BY id DESC LIMIT ?"  # noqa: S608  # fixed text
        values = [self._connection, entity, limit] if entity else [self._connection, limit]
        return [_cycle(dict(row)) for row in await self._all(sql, values)]

    async def totals(self, since: datetime) -> dict[str, dict[str, int]]:
        """Return the sums of each fate since that instant, by entity."""
        fates = ("read", "delivered", "unchanged", "skipped", "waiting", "dead_lettered")
        sums = ", ".join(f"sum({fate}) AS {fate}" for fate in fates)
        where = "WHERE connection = ? AND ended_at >= ? GROUP BY entity"
        sql = f"SELECT entity, {sums} FROM cycle {where}"  # noqa: S608  # our own names
        rows = await self._all(sql, (self._connection, to_millis(since)))
        return {row["entity"]: {fate: row[fate] for fate in fates} for row in rows}

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget at most so many cycles that ended before that instant; return how many."""
        old = "SELECT id FROM cycle WHERE connection = ? AND ended_at < ? LIMIT ?"
        values = (self._connection, to_millis(before), limit)
        return await self._change(f"DELETE FROM cycle WHERE id IN ({old})", values)  # noqa: S608  # fixed text


class PausedEntities(Table):
    """The table `paused`: a pause outlives a restart, because a person asked for it."""

    async def all(self) -> dict[str, str]:
        """Return the paused entities with the reason given."""
        rows = await self._all("SELECT entity, because FROM paused WHERE connection = ?", (self._connection,))
        return {row["entity"]: row["because"] for row in rows}

    async def pause(self, entity: str, because: str, at: datetime) -> None:
        """Record that a person paused the entity."""
        sql = (
            "INSERT INTO paused (connection, entity, paused_at, because) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (connection, entity) DO UPDATE SET because = excluded.because"
        )
        await self._change(sql, (self._connection, entity, to_millis(at), because))

    async def resume(self, entity: str) -> None:
        """Record that the entity runs again."""
        await self._change("DELETE FROM paused WHERE connection = ? AND entity = ?", (self._connection, entity))


def _cycle(row: dict[str, Any]) -> CycleRow:
    row["started_at"], row["ended_at"] = from_millis(row["started_at"]), from_millis(row["ended_at"])
    return CycleRow(**{column: row[column] for column in COLUMNS})
