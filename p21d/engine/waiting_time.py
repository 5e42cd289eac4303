"""Ends the waiting for a parent that does not come: after `max_wait` the row is a dead letter that names the parent.

Only time counts in which the row's entity and its parent's both work: neither held nor paused, the daemon running. So
an outage of a weekend gives up nothing. A parent whose entity is off comes to the sink from elsewhere, and then only
the row's own entity must work.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from p21d.engine.children import Children
from p21d.engine.connection import Connection
from p21d.errors import PermissionRefused, StoreError
from p21d.store.dead_letter import DeadLetter

log = structlog.get_logger("p21d.engine")

TICK_SECONDS = 60.0
ROWS_AT_ONCE = 500

Pair = tuple[str, str]
"""An entity and one of its parents'."""


class WaitingTime:
    """Lets the time of the waiting room pass; `works` tells whether an enabled entity is neither held nor paused."""

    def __init__(self, connection: Connection, works: Callable[[str], bool]) -> None:
        self._connection = connection
        self._works = works
        self._worked = self._working()

    async def run(self) -> None:
        """Run until cancelled."""
        clock = self._connection.clock
        while True:
            began = clock.monotonic()
            await clock.sleep(TICK_SECONDS)
            try:
                # no more than was slept for: an event loop that stood still is no time in which anything worked
                with self._connection.watch.over("waiting time"):
                    await self.tick(min(clock.monotonic() - began, 2 * TICK_SECONDS))
            except (StoreError, PermissionRefused) as error:  # cycles meet it too, and hold their entities
                log.debug("waiting time not kept", error=error.message)

    async def tick(self, seconds: float) -> None:
        """Let that much time pass for what worked at its beginning and works at its end; give up what is overdue."""
        worked, self._worked = self._worked, self._working()
        tables = self._connection.store.read
        pairs = [pair for pair in worked if pair in self._worked and await tables.waiting.has_rows(*pair)]
        if not pairs:
            return
        async with self._connection.store.transaction() as writing:
            await writing.worked.add(pairs, seconds)
        for pair in pairs:
            while await self._give_up(*pair):
                pass

    def _working(self) -> set[Pair]:
        plans = self._connection.plans
        return {
            (name, parent)
            for name, plan in plans.items()
            for parent in plan.entity.parent_entities
            if self._is_working(name) and (not plans[parent].settings.enabled or self._is_working(parent))
        }

    def _is_working(self, entity: str) -> bool:
        return self._connection.plans[entity].settings.enabled and self._works(entity)

    async def _give_up(self, entity: str, parent_entity: str) -> bool:
        """Dead-letter some of the rows that have waited too long; tell whether there may be more."""
        max_wait = self._connection.plans[entity].settings.max_wait
        now = self._connection.clock.now()
        if not max_wait:
            return False
        async with self._connection.store.transaction() as tables:
            parked_before = await tables.worked.seconds(entity, parent_entity) - max_wait
            rows = await tables.waiting.overdue(entity, parent_entity, parked_before, now, ROWS_AT_ONCE)
            letters = [self._letter(entity, parent_entity, *row) for row in rows]
            await tables.dead_letters.add(letters, now)
            await tables.waiting.leave(entity, [key for key, _ in rows])
            children = Children(self._connection.plans[entity], self._connection, releases=False)
            await children.fail(tables, {letter.key: letter.error for letter in letters})
        if rows:
            log.warning("gave up waiting", entity=entity, parent=parent_entity, rows=len(rows))
        return len(rows) == ROWS_AT_ONCE

    def _letter(self, entity: str, parent_entity: str, key: str, parent_key: str) -> DeadLetter:
        plan, parent = self._connection.plans[entity], self._connection.plans[parent_entity]
        off = "" if parent.settings.enabled else f"; the entity {parent_entity} is off"
        return DeadLetter(
            entity=entity,
            key=key,
            code="parent",
            error=f"its parent {parent_entity} {parent_key} did not come within {span(plan.settings.max_wait)}{off}",
            hint=f"see p21d dead-letters list {parent_entity}; this row follows by itself once that is delivered",
            parent_entity=parent_entity,
            parent_key=parent_key,
            plugin=plan.plugin,
        )


def span(seconds: float) -> str:
    """Return how long a row has waited, in words."""
    for size, name in ((3600.0, "hours"), (60.0, "minutes")):
        if seconds >= size:
            return f"{seconds / size:g} {name}"
    return f"{seconds:g} seconds"
