"""Checkpoints: the watermark of each entity, and its open windows with the key reached."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from p21d.clock import from_millis, to_millis
from p21d.store.statements import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWindow:
    """A window that has begun and not ended. `reached` is the text of the last key passed, empty before the first.

    `last` is the text of the highest key it reads, empty where it reads to the end.
    """

    entity: str
    kind: str
    low_at: datetime
    low_text: str
    high_at: datetime
    high_text: str
    reached: str
    last: str = ""
    signature: str
    opened_at: datetime


class Checkpoints(Table):
    """The tables `checkpoint` and `open_window`."""

    async def watermark(self, entity: str) -> datetime | None:
        """Return the instant before which every row of the entity has a fate, None before the first window's end."""
        sql = "SELECT watermark_at FROM checkpoint WHERE connection = ? AND entity = ?"
        row = await self._one(sql, (self._connection, entity))
        return from_millis(row["watermark_at"]) if row else None

    async def move_watermark(self, entity: str, at: datetime, text: str) -> None:
        """Move the watermark forward; one that lies behind the present one changes nothing."""
        sql = (
            "INSERT INTO checkpoint (connection, entity, watermark_at, watermark_text) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (connection, entity) DO UPDATE SET watermark_at = excluded.watermark_at, "
            "watermark_text = excluded.watermark_text WHERE excluded.watermark_at > checkpoint.watermark_at"
        )
        await self._change(sql, (self._connection, entity, to_millis(at), text))

    async def open_window(self, entity: str, kind: str) -> OpenWindow | None:
        """Return the window of that kind that a restart has to resume, None where there is none."""
        sql = "SELECT * FROM open_window WHERE connection = ? AND entity = ? AND kind = ?"
        row = await self._one(sql, (self._connection, entity, kind))
        return _window(row) if row else None

    async def open_ranges(self, entity: str, kind: str) -> list[OpenWindow]:
        """Return the open windows of one kind that reads several ranges: `kind 1/4`, `kind 2/4` and so on."""
        sql = "SELECT * FROM open_window WHERE connection = ? AND entity = ? AND kind LIKE ? ORDER BY kind"
        return [_window(row) for row in await self._all(sql, (self._connection, entity, f"{kind} %"))]

    async def begin(self, window: OpenWindow) -> None:
        """Record that a window has begun; it takes the place of an earlier one of its kind."""
        sql = (
            "INSERT INTO open_window (connection, entity, kind, low_at, low_text, high_at, high_text, reached, "
            "last, signature, opened_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (connection, entity, kind) DO UPDATE SET low_at = excluded.low_at, "
            "low_text = excluded.low_text, high_at = excluded.high_at, high_text = excluded.high_text, "
            "reached = excluded.reached, last = excluded.last, signature = excluded.signature, "
            "opened_at = excluded.opened_at"
        )
        low, high, opened = to_millis(window.low_at), to_millis(window.high_at), to_millis(window.opened_at)
        values = (window.entity, window.kind, low, window.low_text, high, window.high_text)
        await self._change(sql, (self._connection, *values, window.reached, window.last, window.signature, opened))

    async def reach(self, entity: str, kind: str, reached: str) -> None:
        """Move the key reached of an open window."""
        sql = "UPDATE open_window SET reached = ? WHERE connection = ? AND entity = ? AND kind = ?"
        await self._change(sql, (reached, self._connection, entity, kind))

    async def end(self, entity: str, kind: str) -> None:
        """Forget an open window: it is completed, or no longer fits."""
        sql = "DELETE FROM open_window WHERE connection = ? AND entity = ? AND kind = ?"
        await self._change(sql, (self._connection, entity, kind))

    async def end_ranges(self, entity: str, kind: str) -> None:
        """Forget all open windows of a kind that reads several ranges."""
        sql = "DELETE FROM open_window WHERE connection = ? AND entity = ? AND kind LIKE ?"
        await self._change(sql, (self._connection, entity, f"{kind} %"))


def _window(row: sqlite3.Row) -> OpenWindow:
    return OpenWindow(
        entity=row["entity"],
        kind=row["kind"],
        low_at=from_millis(row["low_at"]),
        low_text=row["low_text"],
        high_at=from_millis(row["high_at"]),
        high_text=row["high_text"],
        reached=row["reached"],
        last=row["last"],
        signature=row["signature"],
        opened_at=from_millis(row["opened_at"]),
    )
