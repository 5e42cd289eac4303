"""Looks up orders whose attempt ended unknown, until P21 shows the order or has proven that it has none.

Absent means: three empty look-ups in a row, the last at least `orders.settle` after the attempt ended, P21 answering
throughout, and no candidate. An outage of P21 begins the count anew: what it did meanwhile nobody saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from p21d.engine.orders.context import OrderContext
from p21d.engine.orders.finding import Traces, after_attempt, external_id_of, numbers_of
from p21d.engine.orders.ledger import (
    CREATED,
    HELD,
    NO_TROUBLE,
    PREPARED,
    UNKNOWN,
    WRITER,
    MoveRefused,
    settled,
)
from p21d.prophet21.orders.port import FoundOrder
from p21d.store.intent import Intent

log = structlog.get_logger("p21d.orders")

EMPTY_LOOK_UPS = 3
BETWEEN_SECONDS = 60.0


class Unknowns:
    """Resolves unknown intents, one look-up at a time."""

    def __init__(self, context: OrderContext) -> None:
        self._context = context
        self._ledger = context.ledger

    async def look_up(self, intent: Intent) -> Intent:
        """Look an unknown intent up once, and return it as it is then; an outage is raised."""
        traces = await after_attempt(self._context, intent)
        if len(traces.ours) == 1:
            return await self._created(intent, traces.ours[0], "found in P21 by its reference")
        if traces.ours:
            return await self._hold(intent, "several P21 orders carry its reference", traces.ours)
        if traces.candidates:
            return await self._judge(intent, traces)
        return await self._empty(intent)

    async def restart_counts(self) -> None:
        """Begin every count anew, because P21 did not answer."""
        for intent in await self._context.store.read.intents.in_states([UNKNOWN], limit=10_000):
            if intent.look_ups:
                try:
                    await self._ledger.amend(intent, by=WRITER, look_ups=0)
                except MoveRefused:
                    continue  # resolved meanwhile

    async def _judge(self, intent: Intent, traces: Traces) -> Intent:
        """Adopt the candidate that the hub has linked already, else let a person judge."""
        async with self._context.slot(intent):
            linked = await self._context.inbox.external_id(self._context.route, intent.hub_id)
        for order in traces.candidates:
            if linked and linked == external_id_of(self._context, order):
                return await self._created(intent, order, "linked in the hub already")
        return await self._hold(intent, "P21 has what may be this order under another reference", traces.candidates)

    async def _created(self, intent: Intent, order: FoundOrder, how: str) -> Intent:
        log.info("order found", order=intent.hub_number or intent.hub_id, order_no=order.order_no, how=how)
        return await self._ledger.move(
            intent,
            CREATED,
            by=WRITER,
            note=f"{how}: {order.order_no}",
            order_no=order.order_no,
            sent=settled(intent.sent, "created"),
            due_at=self._context.clock.now(),
            **NO_TROUBLE,
        )

    async def _hold(self, intent: Intent, why: str, found: Sequence[FoundOrder]) -> Intent:
        reason = f"{why}: {numbers_of(found)}"
        hint = (
            f"p21d orders adopt {intent.hub_id} ORDER_NO where one of them is it; else p21d orders retry "
            f"{intent.hub_id} sends it again"
        )
        log.warning("order held", order=intent.hub_number or intent.hub_id, reason=reason, hint=hint)
        return await self._ledger.move(intent, HELD, by=WRITER, note=reason, reason=reason, hint=hint, due_at=None)

    async def _empty(self, intent: Intent) -> Intent:
        """Count an empty look-up; enough of them prove that the order is not there."""
        now, count = self._context.clock.now(), intent.look_ups + 1
        settles_at = (intent.attempt_ended_at or now) + timedelta(seconds=self._context.config.settle)
        if count >= EMPTY_LOOK_UPS and now >= settles_at:
            log.info("order proven absent", order=intent.hub_number or intent.hub_id, look_ups=count)
            sent = settled(intent.sent, "absent")
            note = f"proven absent by {count} look-ups"
            return await self._ledger.move(
                intent, PREPARED, by=WRITER, note=note, look_ups=count, sent=sent, due_at=now, **NO_TROUBLE
            )
        return await self._ledger.amend(
            intent,
            by=WRITER,
            note=f"look-up {count}: not in P21",
            look_ups=count,
            due_at=next_at(count, now, settles_at, self._context.config.settle),
        )


def next_at(count: int, now: datetime, settles_at: datetime, settle_seconds: float) -> datetime:
    """Return when to look again after that many empty look-ups: the last one stands behind the settle time."""
    soon = now + timedelta(seconds=min(BETWEEN_SECONDS, settle_seconds / EMPTY_LOOK_UPS))
    return soon if count < EMPTY_LOOK_UPS - 1 else max(soon, settles_at)
