"""The orders of one connection as a person sees and moves them, and the tasks that work on them.

What a person does is kept in the history of the intent, as `person NAME`; what needs no intent is in the log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import anyio
import structlog

from p21d.engine.loops import until_drained
from p21d.engine.orders.adoption import Adoption, OrderRefused
from p21d.engine.orders.brake import NOT_YET, Brake
from p21d.engine.orders.context import OrderContext
from p21d.engine.orders.guards import Left, Rules
from p21d.engine.orders.inbox import Passed
from p21d.engine.orders.intake import Intake, taken_up
from p21d.engine.orders.ledger import CREATED, DISMISSED, HELD, LINKED, PERSON, PREPARED, REFUSED, STATES, MoveRefused
from p21d.order import HubOrder
from p21d.store.intent import Intent, IntentEvent

log = structlog.get_logger("p21d.orders")

LOOK_SECONDS = 15.0
"""How often the rows that wait for orders are looked at when no intent has moved."""
LOOKS = 3
"""How often an order is looked at that moves while a person asks for it; then the person is told that it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersState:
    """Whether orders are written, and if not, why and what to do.

    `state`: `on`, `asks` (too many at once, a person must say yes) or `held`. `running` tells that the inbox is read
    now.
    """

    state: str
    held_reason: str = ""
    held_hint: str = ""
    next_poll_at: datetime | None = None
    running: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What a sync did: which orders are on their way now, and why each other one that was named is not, by its id.

    `note` says in words what the reading of the inbox came to.
    """

    prepared: Sequence[str] = ()
    left_alone: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


class OrdersDesk:
    """The orders of one connection; `run` works on them until drained."""

    def __init__(self, context: OrderContext, rules: Rules, write: Callable[[], Awaitable[None]]) -> None:
        """`write` carries intents to P21 until drained."""
        self.context = context
        self.brake = Brake(context)
        context.may_send = self.brake.may_send
        self.intake = Intake(context, rules, self.brake)
        context.still_ours = self.intake.still_ours
        self._write = write
        self._adoption = Adoption(context)

    async def run(self) -> None:
        """Read the inbox and write what it gives, until drained; what is being written is ended first."""
        async with anyio.create_task_group() as tasks:
            for loop in (self.intake.run, self._tell_polls, self._write):
                tasks.start_soon(until_drained, loop, self.context.hold, self.context.drain)

    async def _tell_polls(self) -> None:
        """Wake the release loop of the rows that wait for orders, whenever an intent has moved."""
        while True:
            await self.context.drain.wait_for(self.context.news, LOOK_SECONDS)
            self.context.connection.announce(self.context.mapping.entity)

    def state(self) -> OrdersState:
        """Return whether orders are written now."""
        reason, hint = self._why_held()
        state = "asks" if self.brake.asks else "held" if reason else "on"
        return OrdersState(
            state=state,
            held_reason=reason,
            held_hint=hint,
            next_poll_at=self.intake.next_poll_at,
            running=self.intake.running,
        )

    def _why_held(self) -> tuple[str, str]:
        """Return why no order is sent, and what to do; both empty where orders are."""
        stopped = self.context.stopped
        outage = self.intake.hold.state or self.context.held
        if outage is not None and stopped in (None, NOT_YET):  # it says more than that nobody was asked yet
            return outage.reason, outage.hint
        return (stopped.message, stopped.hint) if stopped is not None else ("", "")

    async def sync(self, hub_ids: Sequence[str] = (), by: str = "") -> SyncResult:
        """Read the inbox now; with ids send these, past the settings but never what is ours or linked already.

        An id is the hub's or the hub's number. Without ids it is also the answer to the brake's question. Raises
        SendingStopped where another writes the orders, and what an outage raises.
        """
        if not hub_ids:
            return await self._sync_inbox()
        await self.intake.claim()
        prepared: list[str] = []
        left_alone: dict[str, str] = {}
        for hub_id in dict.fromkeys(hub_ids):
            if why := await self._send(hub_id, by):
                left_alone[hub_id] = why
            else:
                prepared.append(hub_id)
        self.context.announce()
        return SyncResult(prepared=prepared, left_alone=left_alone)

    async def _sync_inbox(self) -> SyncResult:
        self.context.hold.hurry()
        self.context.follow_hold.hurry()
        passed = await self.intake.sync()
        return SyncResult(prepared=tuple(passed.prepared), note=self._note(passed))

    def _note(self, passed: Passed) -> str:
        """Say in words what a pass left alone, and whether there is more."""
        left = [f"{count} left alone: {reason}" for reason, count in passed.left.most_common()]
        if passed.stopped and self.context.stopped is not None:
            left.append(f"stopped: {self.context.stopped.message}")
        return "; ".join([*left, "the list is long and read on"] if passed.more else left)

    async def _send(self, text: str, by: str) -> str:
        """Send one order that a person names; return why not, empty where done."""
        why = ""
        for _ in range(LOOKS):
            try:
                found = await self._find(text)
                return await (self._take_up(found, by) if found else self.intake.take_up(text, by))
            except MoveRefused as error:  # the inbox or the writer was quicker: it is asked for as it is now
                why = error.message
        return why

    async def _take_up(self, intent: Intent, by: str) -> str:
        """Send an order on its way again that has an intent; return why not, empty where done."""
        if intent.state == LINKED:
            return f"linked already, to {f'P21 order {intent.order_no}' if intent.order_no else 'another P21'}"
        if intent.state not in (PREPARED, DISMISSED, HELD, REFUSED):
            return f"it is {intent.state}: its order in P21 is looked for"
        await self._again(intent, by, "asked for")
        return ""

    async def retry(self, hub_id: str, by: str) -> None:
        """Send a held or refused order again, or link again what P21 has; raises OrderRefused and MoveRefused."""
        intent = await self._intent(hub_id)
        await self._again(intent, by, "retried")
        self.context.announce()

    async def _again(self, intent: Intent, by: str, note: str) -> None:
        """Let an order go on now, past the settings; one that P21 has goes on with its link and is never sent."""
        ledger, now, person = self.context.ledger, self.context.clock.now(), f"{PERSON} {by}"
        if intent.state == PREPARED:
            await ledger.amend(intent, by=person, note=note, due_at=now, forced=True)
            return
        after = CREATED if intent.state == HELD and intent.order_no else PREPARED
        await ledger.move(intent, after, by=person, note=note, due_at=now, forced=True, reason="", hint="")

    async def adopt(self, hub_id: str, order_no: str, by: str) -> None:
        """Take an order that P21 has for the hub order, and link them; raises OrderRefused and MoveRefused.

        The hub order may be one that was left alone, because somebody typed it into P21 by hand: then it also raises
        SendingStopped where another writes the orders, and what an outage raises.
        """
        intent, also = await self._find(hub_id), None
        if intent is None:
            order = await self._left_alone(hub_id)
            intent, also = self.context.ledger.unwritten(order, forced=True), taken_up(order)
        await self._adoption.adopt(intent, order_no.strip(), f"{PERSON} {by}", also)
        self.context.announce()

    async def _left_alone(self, text: str) -> HubOrder:
        """Return an order without an intent that a person means."""
        await self.intake.claim()
        order = await self.intake.named(text.strip())
        if isinstance(order, Left):
            raise OrderRefused(f"order {text!r} cannot be linked with an order of P21: {order.reason}")
        return order

    async def dismiss(self, hub_id: str, because: str, by: str) -> None:
        """Let an order go: it is not written any more; raises OrderRefused and MoveRefused."""
        intent, person = await self._intent(hub_id), f"{PERSON} {by}"
        reason = because or "dismissed"
        await self.context.ledger.move(intent, DISMISSED, by=person, note=reason, reason=reason, hint="", due_at=None)
        self.context.announce()

    async def acknowledge(self, hub_id: str, by: str) -> None:
        """Take note of the differences between the order in P21 and what it was asked to write; raises OrderRefused."""
        intent = await self._intent(hub_id)
        if not intent.differences or intent.acknowledged:
            raise OrderRefused(f"order {intent.hub_number or intent.hub_id} has no difference to acknowledge")
        note = "differences acknowledged"
        await self.context.ledger.amend(intent, by=f"{PERSON} {by}", note=note, acknowledged=True)

    async def take_over(self, by: str) -> None:
        """Name this p21d as the one that writes the hub's orders; raises what the hub's refusal or outage raises."""
        before = await self.intake.take_over()
        log.warning("orders taken over", by=f"{PERSON} {by}", before=before or "nobody")
        self.context.announce()

    async def intents(self, states: Sequence[str] = (), limit: int = 200) -> list[Intent]:
        """Return intents in these states (all where none is named), the oldest first."""
        return await self.context.store.read.intents.in_states(states or STATES, limit)

    async def show(self, hub_id: str) -> tuple[Intent, list[IntentEvent]]:
        """Return one intent and its history; raises OrderRefused."""
        intent = await self._intent(hub_id)
        return intent, await self.context.store.read.intents.history(intent.hub_id)

    async def _intent(self, text: str) -> Intent:
        if found := await self._find(text):
            return found
        hint = "see p21d orders list; p21d orders sync takes an order up that was left alone"
        raise OrderRefused(f"no order {text!r} is on its way", hint=hint)

    async def _find(self, text: str) -> Intent | None:
        """Return the intent that a person means by the hub's id, the hub's number, or P21's number; in this order."""
        found = await self.context.store.read.intents.find(text.strip())
        for name in ("hub_id", "hub_number", "order_no"):
            named = [intent for intent in found if getattr(intent, name) == text.strip()]
            if len(named) > 1:
                ids = ", ".join(intent.hub_id for intent in named)
                raise OrderRefused(f"{text!r} may be several orders", hint=f"name one by the hub's id: {ids}")
            if named:
                return named[0]
        return None
