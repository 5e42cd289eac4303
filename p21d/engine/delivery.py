"""Takes a batch from rows to fates: claimed, fresh, sent, settled, and tried again where that may help.

Promises kept here: two versions of one record are never in flight together, and each attempt sends a record at most
two minutes old and never older than the delivered one (P4); an outage ends the batch without a fate and without a
dead letter (P6).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

from p21d.engine.addressing import former_id
from p21d.engine.backoff import backoff_seconds
from p21d.engine.connection import Connection
from p21d.engine.drain import Drain
from p21d.engine.failures import Failures
from p21d.engine.plan import Plan
from p21d.engine.preparation import Preparation
from p21d.engine.sending import Outage, Sending
from p21d.engine.settlement import Settlement
from p21d.engine.work import Work
from p21d.errors import Unavailable
from p21d.store.delivered import DeliveredRecord

ATTEMPTS = 3
"""Attempts of a batch within one cycle; what still fails then is parked, or is an outage."""
MAX_AGE = timedelta(minutes=2)
LONGEST_WAIT_SECONDS = 30.0


class Delivery:
    """Delivers the batches of one cycle."""

    def __init__(
        self,
        plan: Plan,
        connection: Connection,
        preparation: Preparation,
        settlement: Settlement,
        drain: Drain,
        *,
        kind: str,
        watched: str,
    ) -> None:
        """`watched` is the name under which the cycle is watched."""
        self._plan = plan
        self._connection = connection
        self._preparation = preparation
        self._settlement = settlement
        self._drain = drain
        self._watched = watched
        self._sending = Sending(plan, connection, kind, watched)
        self._failures = Failures(plan, connection, self._sending, kind)

    async def deliver(self, works: list[Work], settle_last: Callable[[], Awaitable[None]]) -> None:
        """Give every work a fate; raises the outage that kept some from one, with the others settled.

        `works` is brought up to date in place: a row read again replaces its older copy. `settle_last` settles the last
        of them together with the checkpoint.
        """
        async with AsyncExitStack() as claimed:
            with self._connection.watch.waiting(self._watched, "wait for a claim"):
                await claimed.enter_async_context(self._connection.claims.hold(self._names(works)))
            self._connection.passed("batch claimed")
            await self._bring_to_fates(works)
            # under the claim: whoever holds one of these names next must find the links and fingerprints
            await settle_last()

    async def _bring_to_fates(self, works: list[Work]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            self._connection.watch.step(self._watched, "refresh")
            await self._refresh(works)
            outage = await self._attempt(works)
            if all(work.fate for work in works):
                return
            self._connection.watch.step(self._watched, "settle")
            await self._settlement.settle(works)
            if outage is not None and (attempt == ATTEMPTS or not may_pass_soon(outage)):
                raise outage
            if attempt < ATTEMPTS:
                self._connection.watch.step(self._watched, "back off")
                await self._drain.sleep(wait_seconds(attempt, outage))
        await self._failures.give_up([work for work in works if work.fate is None])

    def _names(self, works: Sequence[Work]) -> set[tuple[str, str]]:
        table = f"link {self._connection.sink.link_table(self._plan.entity.route)}"
        keys = {(self._plan.name, work.key) for work in works}
        records = [record for work in works for record in work.records]
        return keys | {(table, name) for record in records for name in (record.external_id, former_id(record))}

    async def _attempt(self, works: list[Work]) -> Outage | None:
        pending = [work for work in works if work.fate is None]
        for work in pending:
            work.attempts += 1
        outage = await self._sending.attempt(pending) if pending else None
        now = self._connection.clock.now()
        for work in pending:
            if work.fate is None:
                work.first_failed_at = work.first_failed_at or now
        return outage

    async def _refresh(self, works: list[Work]) -> None:
        """Read again what is older than the delivered version or two minutes, and drop what was delivered meanwhile."""
        pending = [work for work in works if work.fate is None]
        delivered = await self._connection.store.read.delivered.by_keys(self._plan.name, [work.key for work in pending])
        stale = self._stale(pending, delivered)
        for work in pending:
            if work.key not in stale:
                self._preparation.compare_again(work, delivered.get(work.key, ()))
        if not stale:
            return
        page = await self._connection.source.by_keys(self._plan.reading, list(stale))
        fresh = {work.key: work for work in await self._preparation.prepare(page)}
        for place, work in enumerate(works):
            if work.key in stale and work.fate is None:
                works[place] = renewed(work, fresh.get(work.key))

    def _stale(self, works: Sequence[Work], delivered: Mapping[str, Sequence[DeliveredRecord]]) -> set[str]:
        newest = {key: max(record.read_at for record in records) for key, records in delivered.items()}
        too_old = self._connection.clock.now() - MAX_AGE
        return {work.key for work in works if work.read_at < max(newest.get(work.key, too_old), too_old)}


def renewed(old: Work, fresh: Work | None) -> Work:
    """Return the newer copy of a row with the history of the older; one that has vanished meanwhile is skipped."""
    if fresh is None:
        old.skip("gone from P21 while it was on its way")
        return old
    fresh.page_key, fresh.attempts, fresh.first_failed_at = old.page_key, old.attempts, old.first_failed_at
    return fresh


def may_pass_soon(outage: Outage) -> bool:
    """Tell whether the batch itself waits for the sink; for minutes the entity is held, and status says why."""
    return isinstance(outage, Unavailable) and (outage.retry_after_seconds or 0.0) <= LONGEST_WAIT_SECONDS


def wait_seconds(attempt: int, outage: Outage | None) -> float:
    """Return how long a batch waits, without its slot, before its next attempt."""
    asked = outage.retry_after_seconds if isinstance(outage, Unavailable) else None
    return backoff_seconds(attempt, first=0.5, most=10, asked=asked)
