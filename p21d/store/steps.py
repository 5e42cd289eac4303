"""The steps of intents that are done with: the one part of an order's history that is forgotten by age."""

from __future__ import annotations

from datetime import datetime

from p21d.clock import to_millis
from p21d.store.intent import OPEN_STATES
from p21d.store.statements import Table, placeholders


class FinishedSteps(Table):
    """The rows of `intent_event` whose intent is linked or dismissed."""

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget at most so many steps before that instant; return how many. Those of open intents stay."""
        old = (
            "SELECT step.id FROM intent_event AS step JOIN intent USING (connection, hub_id) "  # noqa: S608  # our own names
            f"WHERE step.connection = ? AND step.at < ? AND intent.state NOT IN ({placeholders(OPEN_STATES)}) LIMIT ?"
        )
        values = (self._connection, to_millis(before), *OPEN_STATES, limit)
        return await self._change(f"DELETE FROM intent_event WHERE id IN ({old})", values)  # noqa: S608  # our own names
