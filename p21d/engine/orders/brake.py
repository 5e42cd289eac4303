"""The brake: why no order is sent now, although everything works.

Two causes, either of which is enough: the hub names another writer, and more new orders in an hour than a person has
said to be usual. The writer asks before it takes up an order and again before it sends one; look-ups and links go on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from p21d.engine.orders.context import OrderContext, SendingStopped

log = structlog.get_logger("p21d.orders")

HOUR = timedelta(hours=1)
NOT_YET = SendingStopped("the hub was not asked yet who writes its orders")


class Brake:
    """Holds back what would be sent; released by a person, or by the hub naming us."""

    def __init__(self, context: OrderContext) -> None:
        self._context = context
        self._elsewhere: SendingStopped | None = NOT_YET
        self._too_many: SendingStopped | None = None
        self._allowed_at: datetime | None = None
        self._apply()

    async def may_send(self) -> None:
        """Raise SendingStopped while any cause stands."""
        if self._context.stopped is not None:
            raise self._context.stopped

    def writer_is(self, elsewhere: SendingStopped | None) -> None:
        """Note what the hub says about who writes: why not we, None where we do."""
        self._elsewhere = elsewhere
        self._apply()

    @property
    def writes_elsewhere(self) -> bool:
        """Tell whether the orders are not known to be ours to write."""
        return self._elsewhere is not None

    @property
    def asks(self) -> bool:
        """Tell whether a person must say that so many orders are meant."""
        return self._too_many is not None

    async def admits(self) -> bool:
        """Tell whether one more order may be admitted in this hour; where not, everything stops and asks."""
        if self._too_many is not None:
            return False
        config, now = self._context.config, self._context.clock.now()
        since = max(now - HOUR, self._allowed_at or now - HOUR)
        if await self._context.store.read.intents.begun_since(since) < config.max_per_hour:
            return True
        reason = f"more than {config.max_per_hour} new orders within an hour (orders.max_per_hour)"
        hint = "look at p21d orders list; then p21d orders sync goes on with as many again"
        self._too_many = SendingStopped(reason, hint=hint)
        log.warning("orders ask", reason=reason, hint=hint)
        self._apply()
        return False

    def allow(self) -> None:
        """Take a person's word that they are meant: go on with as many again, counted from now."""
        # a millisecond later than now: what is counted already must not be counted again
        self._allowed_at = self._context.clock.now() + timedelta(milliseconds=1) if self._too_many else self._allowed_at
        self._too_many = None
        self._apply()

    def _apply(self) -> None:
        self._context.stopped = self._elsewhere or self._too_many
