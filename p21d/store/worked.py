"""How long an entity and one of its parents have worked at the same time: the clock by which rows wait.

Why a counter beside the rows: a row keeps the counter's value at which it was parked, so that a minute passing for
100,000 waiting rows is one row written.
"""

from __future__ import annotations

from collections.abc import Iterable

from p21d.store.statements import Table


class WorkedTime(Table):
    """The table `worked`."""

    async def seconds(self, entity: str, parent_entity: str) -> float:
        """Return how long both have worked so far."""
        sql = "SELECT seconds FROM worked WHERE connection = ? AND entity = ? AND parent_entity = ?"
        row = await self._one(sql, (self._connection, entity, parent_entity))
        return float(row["seconds"]) if row else 0.0

    async def add(self, pairs: Iterable[tuple[str, str]], seconds: float) -> None:
        """Let time pass for these pairs of an entity and its parent."""
        sql = (
            "INSERT INTO worked (connection, entity, parent_entity, seconds) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (connection, entity, parent_entity) DO UPDATE SET seconds = worked.seconds + excluded.seconds"
        )
        await self._change_many(sql, [(self._connection, *pair, seconds) for pair in pairs])
