"""What becomes of records that keep failing: parked while it may pass, dead-lettered when it is theirs, or an outage.

A record that fails while others of its route succeed is a bad record: it waits in the store, so that it holds up
nothing, and is dead-lettered after five attempts over ten minutes (P6). While none succeeds, the sink is asked
whether it is there at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

from p21d.engine.connection import Connection
from p21d.engine.plan import Plan
from p21d.engine.sending import Sending
from p21d.engine.work import Work
from p21d.errors import ParentMissing, RecordFailed, Unavailable
from p21d.keys import key_text
from p21d.store.waiting import WaitingRow

MIN_ATTEMPTS = 5
MIN_TROUBLE = timedelta(minutes=10)
RETRY_AFTER = timedelta(minutes=2)


class Failures:
    """Decides about the failing records of one cycle."""

    def __init__(self, plan: Plan, connection: Connection, sending: Sending, kind: str) -> None:
        self._plan = plan
        self._connection = connection
        self._sending = sending
        self._kind = kind
        self._health = connection.health[plan.name]

    async def give_up(self, works: Sequence[Work]) -> None:
        """Park or dead-letter works that failed in every attempt; raises Unavailable if it is an outage."""
        before = await self._connection.store.read.waiting.by_keys(self._plan.name, [work.key for work in works])
        for work in works:
            await self._give_up(work, before.get(work.key))

    async def _give_up(self, work: Work, before: WaitingRow | None) -> None:
        now = self._connection.clock.now()
        first_failed_at = work.first_failed_at or now
        named = isinstance(work.last_error, ParentMissing)  # it has answered: the sink is there
        if not named and not self._health.succeeded_since(first_failed_at):
            await self._exclude_outage(work)
        attempts = work.attempts + (before.attempts if before else 0)
        began_at = (before.first_failed_at if before else None) or first_failed_at
        if self._is_lost(attempts, began_at, now):
            work.attempts = attempts
            self._dead_letter(work)
        else:
            words = str(work.last_error) if work.last_error else "failed"
            place = WaitingRow(
                entity=self._plan.name,
                key=work.key,
                due_at=now + RETRY_AFTER,
                attempts=attempts,
                first_failed_at=began_at,
                error=words,
                parent_entity=work.lost_parents[0].entity if work.lost_parents else "",
                parent_key=key_text(work.lost_parents[0].key) if work.lost_parents else "",
            )
            work.park(place)

    async def _exclude_outage(self, work: Work) -> None:
        """Return if the sink is there and only this record fails; raises Unavailable if not."""
        async with AsyncExitStack() as turn:
            with self._connection.watch.waiting():
                await turn.enter_async_context(self._connection.slots.hold(self._kind))
            await self._connection.sink.probe(self._plan.entity.route)
        if not self._health.may_park_alone(work.key):
            words = str(work.last_error) if work.last_error else "no answer"
            raise Unavailable(f"no {self._plan.name} gets through any more: {words}", system="the sink")

    def _is_lost(self, attempts: int, began_at: datetime, now: datetime) -> bool:
        """Tell whether the record had its five attempts over ten minutes while others of its route succeeded."""
        tried = attempts >= MIN_ATTEMPTS and now - began_at >= MIN_TROUBLE
        return tried and self._health.succeeded_since(began_at)

    def _dead_letter(self, work: Work) -> None:
        error = work.last_error or RecordFailed("failed", code="failed")
        for record in work.unsent():
            work.dead_letter(self._sending.letter(work, record, error))
