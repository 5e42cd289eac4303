"""The inbox: reads the hub's list of unlinked records and makes an intent of each that the guards admit.

What was left alone is remembered, so that a thousand old orders cost a thousand reads once and none at the next poll.
Only a reason that may pass by itself (the status) is looked at again, and an order that a person must decide on, in
case somebody edited it in the hub: each at most every LOOK_AGAIN. One pass reads at most READS_PER_PASS records; a list
longer than that goes on a moment later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar, cast

import structlog

from p21d.engine.orders.brake import Brake
from p21d.engine.orders.context import NAME, OrderContext
from p21d.engine.orders.guards import KNOWN_LINK, OWNED, Known, Left, Rules, is_ours, judge
from p21d.engine.orders.ledger import HELD, INBOX, LINKED, PREPARED, REFUSED, MoveRefused
from p21d.engine.orders.our_own import OurOwn
from p21d.errors import RecordError
from p21d.order import HubOrder
from p21d.store.inbox import LeftAlone
from p21d.store.intent import Intent
from p21d.store.link import StoredLink

log = structlog.get_logger("p21d.orders")

LOOK_AGAIN = timedelta(minutes=15)
READS_PER_PASS = 200
WATCHED = "orders inbox"
GONE = "it is gone from the hub"

T = TypeVar("T")


@dataclass(slots=True)
class Passed:
    """What one pass came to: the hub's ids of new intents, and how many were left alone for which reason.

    `more` tells that the list goes on, `stopped` that the brake ended the pass.
    """

    prepared: list[str] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    reads: int = 0
    more: bool = False
    stopped: bool = False


class InboxReader:
    """Reads the inbox of one connection, a pass at a time."""

    def __init__(self, context: OrderContext, rules: Rules, brake: Brake) -> None:
        self._context = context
        self._rules = rules
        self._brake = brake
        self._own = OurOwn(context, self.ask)
        self._looked_at: dict[str, datetime] = {}

    async def forget_other_rules(self) -> None:
        """Take up again what was left alone under other settings: they may admit it now."""
        store = self._context.store
        outdated = [reason for reason in await store.read.inbox.reasons() if not self._rules.made(reason)]
        if outdated:
            async with store.transaction() as tables:
                await tables.inbox.take_up_reasons(outdated)

    async def run_pass(self) -> Passed:
        """Read the list once, as far as a pass goes; raises what an outage raises, with what was read kept."""
        done = Passed()
        with self._context.connection.watch.over(WATCHED, "read", owner=NAME):
            pages = cast(AsyncGenerator[Sequence[str]], self._context.inbox.unlinked(self._context.route))
            async with aclosing(pages):
                while (page := await self.ask(lambda: anext(pages, None))) is not None:
                    await self._read_page(page, done)
                    if done.more or done.stopped:
                        break
        if done.prepared or done.left:
            log.info("inbox read", prepared=len(done.prepared), left_alone=dict(done.left), more=done.more)
        return done

    async def _read_page(self, page: Sequence[str], done: Passed) -> None:
        tables, now = self._context.store.read, self._context.clock.now()
        intents = await tables.intents.by_hub_ids(page)
        settled = await tables.inbox.settled(page, now)
        links = await self._own.linked(page)
        left: list[LeftAlone] = []
        owned: list[HubOrder] = []
        try:
            for hub_id in page:
                if hub_id in settled or not self._is_due(intents.get(hub_id), now):
                    continue
                if done.reads >= READS_PER_PASS:
                    done.more = True
                    break
                if hub_id in links:  # a record of ours: its link is known here, and nothing of it need be read
                    left.append(self._left(hub_id, "", await self._relink(links[hub_id], KNOWN_LINK, done)))
                elif intent := intents.get(hub_id):
                    await self._look_again(intent, done)
                elif not await self._take(hub_id, left, owned, done):
                    break
            left += await self._link_owned(owned, done)
        finally:
            await self._keep(left, done)

    def _is_due(self, intent: Intent | None, now: datetime) -> bool:
        """Tell whether an unlinked record is to be looked at: it is new, or somebody may have edited it in the hub."""
        if intent is None or intent.state == LINKED:
            return True
        if not may_be_prepared_again(intent):
            return False
        looked_at = self._looked_at.get(intent.hub_id, intent.changed_at)
        return max(looked_at, intent.changed_at) + LOOK_AGAIN <= now

    async def _take(self, hub_id: str, left: list[LeftAlone], owned: list[HubOrder], done: Passed) -> bool:
        """Read a record that is new here and make its intent or leave it; tell whether the pass may go on."""
        order, why = await self.read(hub_id, done)
        if order is None:
            left.append(self._left(hub_id, "", why))
        elif kept_out := judge(order, await self.known(order), self._rules):
            if kept_out.reason == OWNED:
                owned.append(order)
            else:
                left.append(self._left(hub_id, order.number, kept_out))
        elif not await self._brake.admits():
            done.stopped = True
        else:
            await self._begin(order, done)
        return not done.stopped

    async def _begin(self, order: HubOrder, done: Passed) -> None:
        try:
            await self._context.ledger.begin(order, by=INBOX)
        except MoveRefused as error:  # a person has asked for it meanwhile
            log.debug("taken in already", order=order.id, why=error.message)
            return
        done.prepared.append(order.id)
        self._context.announce()

    async def read(self, hub_id: str, done: Passed) -> tuple[HubOrder | None, Left]:
        """Return a record as the hub has it now; where there is none, why it is left alone."""
        done.reads += 1
        try:
            order = await self.ask(lambda: self._context.inbox.order(self._context.route, hub_id))
        except RecordError as error:
            log.warning("unreadable", order=hub_id, error=error.message, hint=error.hint)
            return None, Left(reason=f"the hub does not give it ({error.code})", may_pass=True)
        return order, Left(reason=GONE, may_pass=True)

    async def known(self, order: HubOrder) -> Known:
        """Return what is known here of a record that was read."""
        return Known(
            system_id=self._context.inbox.system_id,
            linked=bool(await self._own.linked([order.id])),
            numbered=bool(await self._own.numbered(order.number)),
        )

    async def _look_again(self, intent: Intent, done: Passed) -> None:
        """Prepare an order anew that a person edited in the hub since it was held or refused."""
        if intent.state == LINKED:  # linked by hand: the intent knows the number, the store no link
            return
        self._looked_at[intent.hub_id] = self._context.clock.now()
        order, _ = await self.read(intent.hub_id, done)
        if order is None or order.digest == intent.digest:
            return
        try:
            await self._context.ledger.move(
                intent,
                PREPARED,
                by=INBOX,
                note="edited in the hub",
                digest=order.digest,
                due_at=self._context.clock.now(),
                reason="",
                hint="",
            )
        except MoveRefused as error:  # a person was quicker
            log.debug("not prepared again", order=intent.hub_id, why=error.message)
            return
        self._context.announce()

    async def _link_owned(self, owned: Sequence[HubOrder], done: Passed) -> list[LeftAlone]:
        """Link records again that our own subscription owns; those that nothing proves are left to their delivery."""
        links = await self._own.to_link(owned) if owned else {}
        left: list[LeftAlone] = []
        for order in owned:
            why = Left(reason=OWNED, ours=True)
            if order.id in links:
                why = await self._relink(links[order.id], OWNED, done)
            left.append(self._left(order.id, order.number, why))
        return left

    async def _relink(self, link: StoredLink, reason: str, done: Passed) -> Left:
        done.reads += 1
        return await self._own.link_again(link, reason)

    def _left(self, hub_id: str, number: str, why: Left) -> LeftAlone:
        now = self._context.clock.now()
        again = now + LOOK_AGAIN if why.may_pass else None
        return LeftAlone(hub_id=hub_id, hub_number=number, reason=why.reason, seen_at=now, again_at=again)

    async def _keep(self, left: Sequence[LeftAlone], done: Passed) -> None:
        if left:
            done.left.update(one.reason for one in left)
            async with self._context.store.transaction() as tables:
                await tables.inbox.leave(left)

    async def named(self, hub_id: str) -> HubOrder | Left:
        """Return an order that a person names, past the settings, or why it cannot be one of P21."""
        with self._context.connection.watch.over(WATCHED, "read", owner=NAME):
            order, why = await self.read(hub_id, Passed())
        if order is None:
            return why
        left = is_ours(order, await self.known(order))
        return left if left is not None and left.ours else order

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make one call of the hub in a slot of its own, as the calls of the sink do."""
        watch = self._context.connection.watch
        async with AsyncExitStack() as turn:
            with watch.waiting(WATCHED):
                await turn.enter_async_context(self._context.connection.slots.hold(NAME))
            answer = await call()
        watch.answered(WATCHED)
        return answer


def may_be_prepared_again(intent: Intent) -> bool:
    """Tell whether an edit in the hub alone may send the order on its way again.

    Not where anything was sent that no answer has cleared up: there a person decides what P21 has.
    """
    if intent.order_no or any(not sent.outcome for sent in intent.sent):
        return False
    return intent.state in (HELD, REFUSED)
