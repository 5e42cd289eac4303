"""What was proven of P21, each result good for one build of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from p21d.clock import to_millis
from p21d.store.statements import Table


class ProofRows(Table):
    """The table `proof`."""

    async def result(self, name: str, build: str) -> str | None:
        """Return what was proven under this name for this build, None where nothing was."""
        sql = "SELECT result FROM proof WHERE connection = ? AND name = ? AND build = ?"
        row = await self._one(sql, (self._connection, name, build))
        return row["result"] if row else None

    async def keep(self, results: Mapping[str, str], build: str, at: datetime) -> None:
        """Record results by name, in place of those of another build."""
        sql = (
            "INSERT INTO proof (connection, name, build, result, at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (connection, name) DO UPDATE SET build = excluded.build, result = excluded.result, "
            "at = excluded.at"
        )
        rows = [(self._connection, name, build, result, to_millis(at)) for name, result in results.items()]
        await self._change_many(sql, rows)
