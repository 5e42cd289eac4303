"""Writes one order: prepared, looked up, kept as `sending`, sent once, and its outcome kept.

The look-up stands before every send, the first too: a store restored from a backup does not know what was sent. Between
the look-up and the send stands only the move into `sending`, which another hand's move makes impossible.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import anyio
import msgspec
import structlog

from p21d.engine.backoff import backoff_seconds
from p21d.engine.orders.context import OrderContext
from p21d.engine.orders.finding import before_sending, numbers_of
from p21d.engine.orders.ledger import (
    CREATED,
    DISMISSED,
    HELD,
    NO_TROUBLE,
    PREPARED,
    REFUSED,
    SENDING,
    UNKNOWN,
    WRITER,
    settled,
    unresolved,
)
from p21d.engine.orders.preparing import Dismissed, Prepared, Ready, prepare
from p21d.errors import ConfigError, Forbidden, P21dError, RecordError, Unauthorized
from p21d.http import describe
from p21d.order import Held, Order
from p21d.prophet21.orders.port import FoundOrder, Outcome, Verdict
from p21d.store.intent import Intent

log = structlog.get_logger("p21d.orders")

WRITE_SECONDS = 600.0
"""When an attempt is given up as unknown that P21's client has not ended by itself."""
BUSY_FIRST_SECONDS = 4.0
BUSY_MOST_SECONDS = 300.0


class Writing:
    """Carries prepared intents to P21."""

    def __init__(self, context: OrderContext) -> None:
        self._context = context
        self._ledger = context.ledger
        self._asked = False

    async def carry_out(self, intent: Intent) -> Intent:
        """Write one prepared intent and return it as it is then; an outage leaves it prepared and is raised."""
        if (settles_at := self._settles_at(intent)) is not None:
            note = "sent again only when the attempt before it has settled"
            return await self._ledger.amend(intent, by=WRITER, note=note, due_at=settles_at)
        await self._ask_once()
        prepared = await prepare(self._context, intent)
        self._context.moved(intent)
        match prepared.answer:
            case Dismissed(reason, order_no):
                log.info("order dismissed", order=intent.hub_number or intent.hub_id, reason=reason)
                return await self._ledger.move(
                    intent, DISMISSED, by=WRITER, note=reason, reason=reason, hint="", order_no=order_no, due_at=None
                )
            case Held() as held:
                return await self._hold(intent, held, prepared)
            case Ready() as ready:
                return await self._look_up_and_send(intent, prepared, ready)

    async def _ask_once(self) -> None:
        """Ask P21 before the first order of a start whether orders can be written: no order need find out.

        A hold asks the same before it lets the next order through.
        """
        if not self._asked:
            await self._context.desk.check(reference_field=self._context.config.reference_field)
            self._asked = True

    def _settles_at(self, intent: Intent) -> datetime | None:
        """Return when an attempt may be repeated that a person wants repeated although its outcome is not known."""
        if intent.attempt_ended_at is None or not unresolved(intent):
            return None
        settles_at = intent.attempt_ended_at + timedelta(seconds=self._context.config.settle)
        return settles_at if settles_at > self._context.clock.now() else None

    async def _hold(self, intent: Intent, why: Held, prepared: Prepared) -> Intent:
        """Hold the order as the hub has it now: when it is edited there, it is prepared anew."""
        log.warning("order held", order=intent.hub_number or intent.hub_id, reason=why.reason, hint=why.hint)
        digest = prepared.hub.digest if prepared.hub else intent.digest
        return await self._ledger.move(
            intent, HELD, by=WRITER, note=why.reason, reason=why.reason, hint=why.hint, digest=digest, due_at=None
        )

    async def _look_up_and_send(self, intent: Intent, prepared: Prepared, ready: Ready) -> Intent:
        found = await before_sending(self._context, intent, ready)
        if len(found) > 1:
            hint = f"p21d orders adopt {intent.hub_id} ORDER_NO names the one; cancel the others in P21"
            several = Held(f"several P21 orders carry its reference: {numbers_of(found)}", hint)
            return await self._hold(intent, several, prepared)
        if found:
            return await self._found(intent, ready, found[0])
        try:
            body = self._context.desk.render(
                ready.order, reference_text=ready.mark.text, reference_field=ready.mark.field
            )
        except RecordError as error:
            return await self._hold(intent, Held(error.message, error.hint), prepared)
        self._context.drain.check()
        await self._context.may_send()
        await self._context.still_ours()
        return await self._send(await self._freeze(intent, ready, body))

    async def _found(self, intent: Intent, ready: Ready, found: FoundOrder) -> Intent:
        """Go on with the order that P21 has already."""
        log.info("order found", order=intent.hub_number or intent.hub_id, order_no=found.order_no)
        known = msgspec.json.decode(intent.order, type=Order) if intent.order else ready.order
        digest = ready.hub.digest if same_but_dates(known, ready.order) else EDITED
        return await self._ledger.move(
            intent,
            CREATED,
            by=WRITER,
            note=f"found in P21 by its reference: {found.order_no}",
            order_no=found.order_no,
            sent=settled(intent.sent, "created"),
            due_at=self._context.clock.now(),
            order=msgspec.json.encode(known),  # what was sent, by which its lines are known
            reference=intent.reference or ready.mark.text,
            digest=digest,
            **NO_TROUBLE,
        )

    async def _freeze(self, intent: Intent, ready: Ready, body: bytes) -> Intent:
        """Keep what is sent before it is sent."""
        edited = intent.digest not in ("", ready.hub.digest)
        return await self._ledger.move(
            intent,
            SENDING,
            by=WRITER,
            note="as it was edited in the hub" if edited else "",
            reference=ready.mark.text,
            sent=(*settled(intent.sent, "absent"), ready.mark),  # the look-up has just found none of them
            body=body,
            order=msgspec.json.encode(ready.order),
            digest=ready.hub.digest,
            customer=ready.customer,
            differences=(),
            acknowledged=False,
            attempts=intent.attempts + 1,
            look_ups=0,
            attempt_began_at=self._context.clock.now(),
            attempt_ended_at=None,
            due_at=None,
            **NO_TROUBLE,
        )

    async def _send(self, intent: Intent) -> Intent:
        steps = self._context.connection.passed
        steps("before order sent")
        try:
            outcome = await self._post(intent.body)
        except anyio.get_cancelled_exc_class():
            # the drain's deadline: no time is left to keep anything, and the next start calls `sending` unknown
            words = {"order": intent.hub_number or intent.hub_id, "reference": intent.reference}
            log.warning("order cut off", **words, next="looked up in P21 after the next start")
            raise
        except (Forbidden, Unauthorized, ConfigError) as error:
            # nothing was written: it waits for the permission, and so do all others
            await self._keep(intent, Outcome(verdict=Verdict.BUSY, words=error.message, hint=error.hint))
            raise
        steps("order sent")
        return await self._keep(intent, outcome)

    async def _post(self, body: bytes) -> Outcome:
        """Send once; whatever happens that P21 has not said leaves the outcome unknown."""
        try:
            with anyio.move_on_after(WRITE_SECONDS):
                return await self._context.desk.write(body)
        except (Forbidden, Unauthorized, ConfigError):
            raise
        except P21dError as error:
            return Outcome(verdict=Verdict.UNKNOWN, words=error.message, hint=error.hint)
        except Exception as error:  # a bug of ours after P21 may have saved: the order must not be sent again
            log.exception("bug in the write")
            return Outcome(verdict=Verdict.UNKNOWN, words=describe(error))
        return Outcome(verdict=Verdict.UNKNOWN, words=f"no answer within {WRITE_SECONDS:.0f} s")

    async def _keep(self, intent: Intent, outcome: Outcome) -> Intent:
        """Keep what became of an attempt."""
        now = self._context.clock.now()
        said: dict[str, Any] = {"attempt_ended_at": now, "reason": outcome.words, "hint": outcome.hint}
        words = {"order": intent.hub_number or intent.hub_id, "words": outcome.words}
        match outcome.verdict:
            case Verdict.CREATED:
                after, said = CREATED, {**said, **NO_TROUBLE, "order_no": outcome.order_no, "due_at": now}
                log.info("order created", order=words["order"], order_no=outcome.order_no)
            case Verdict.REFUSED:
                after, said = REFUSED, {**said, "due_at": None}
                log.warning("order refused", **words, hint=outcome.hint)
            case Verdict.UNKNOWN:
                after, said = UNKNOWN, {**said, "due_at": now}
                log.warning("order unknown", **words)
            case Verdict.BUSY:
                wait = backoff_seconds(intent.attempts, first=BUSY_FIRST_SECONDS, most=BUSY_MOST_SECONDS)
                after, said = PREPARED, {**said, "due_at": now + timedelta(seconds=wait)}
                log.info("order not taken yet", **words)
        said["sent"] = settled(intent.sent, OUTCOMES[outcome.verdict])
        note = outcome.order_no or outcome.words
        return await self._ledger.move(intent, after, by=WRITER, note=note, **said)


EDITED = "edited"
"""The digest of no hub order: P21 has one that the hub has otherwise by now."""
OUTCOMES = {
    Verdict.CREATED: "created",
    Verdict.REFUSED: "refused",
    Verdict.UNKNOWN: "",
    Verdict.BUSY: "busy",
}
"""What `Sent.outcome` becomes."""


def same_but_dates(one: Order, other: Order) -> bool:
    """Tell whether two mappings of a hub order are of the same content; their dates are those of the day."""
    return replace(one, order_date=other.order_date, requested_date=other.requested_date) == other
