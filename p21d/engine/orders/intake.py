"""Takes orders in: reads the inbox at its interval, and at once when told to, while the orders are ours to write."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial

import anyio
import structlog

from p21d.engine.backoff import jittered
from p21d.engine.hold import Hold
from p21d.engine.orders.brake import Brake
from p21d.engine.orders.context import NAME, OrderContext
from p21d.engine.orders.guards import Left, Rules
from p21d.engine.orders.inbox import WATCHED, InboxReader, Passed
from p21d.engine.orders.ledger import PERSON, Also
from p21d.engine.orders.sole_writer import SoleWriter
from p21d.engine.restart import BEGUN_ANEW
from p21d.errors import P21dError
from p21d.order import HubOrder
from p21d.store.database import Tables

log = structlog.get_logger("p21d.orders")

MORE_SECONDS = 1.0
"""The pause before a pass goes on in a list that was longer than one pass reads."""


class Intake:
    """The inbox of one connection at work; `hold` says which outage of the hub keeps it from being read."""

    def __init__(self, context: OrderContext, rules: Rules, brake: Brake) -> None:
        self.brake = brake
        self.reader = InboxReader(context, rules, brake)
        watched = partial(context.connection.watch.over, WATCHED, owner=NAME)
        self.hold = Hold(WATCHED, context.clock, self._probe, watched=watched)
        self.next_poll_at: datetime | None = None
        self._context = context
        self._sole_writer = SoleWriter(context)
        self._turn = anyio.Lock()
        self._looked_through = False

    @property
    def running(self) -> bool:
        """Tell whether the inbox is read now."""
        return self._turn.locked()

    async def run(self) -> None:
        """Read the inbox until drained."""
        drain, clock = self._context.drain, self._context.clock
        while True:
            await self.hold.wait(drain)
            passed = await self.hold.attempt(self.read_inbox)
            if passed is not None:
                seconds = MORE_SECONDS if passed.more else jittered(self._context.config.poll_interval)
                self.next_poll_at = clock.now() + timedelta(seconds=seconds)
                await drain.sleep(seconds)

    def begin_anew(self, because: str) -> None:
        """Go on after all work on orders was cut off: one that was on its way then is unknown, and is looked up."""
        self.hold.failed(P21dError(because, hint=BEGUN_ANEW))
        self._context.announce()

    async def read_inbox(self) -> Passed:
        """Read the inbox once, if its orders are ours to write; raises Drained, and what an outage raises."""
        async with AsyncExitStack() as turn:
            with self._context.connection.watch.resting():  # a person may read it as well, a whole pass long
                await turn.enter_async_context(self._turn)
            return await self._context.drain.unless(self._read)

    async def _read(self) -> Passed:
        await self._ask_who_writes()
        if self.brake.writes_elsewhere:
            return Passed()
        if not self._looked_through:
            await self.reader.forget_other_rules()
            self._looked_through = True
        passed = await self.reader.run_pass()
        self._context.announce()
        return passed

    async def sync(self) -> Passed:
        """Read the inbox now, and let through what the brake asks about; raises SendingStopped, or an outage."""
        self.brake.allow()
        self.hold.hurry()
        passed = await self.read_inbox()
        self.hold.succeeded()
        self._refuse_elsewhere()
        return passed

    async def take_up(self, text: str, by: str) -> str:
        """Take in one order that a person asks for, past the settings; return why not, empty where done."""
        order = await self.named(text)
        if isinstance(order, Left):
            return order.reason
        await self._context.ledger.begin(order, by=f"{PERSON} {by}", forced=True, also=taken_up(order))
        self._context.announce()
        return ""

    async def named(self, text: str) -> HubOrder | Left:
        """Return the order without an intent that a person names by the hub's id or number, or why there is none."""
        left_alone = await self._context.store.read.inbox.find(text)
        return await self.reader.named(left_alone[0] if len(left_alone) == 1 else text)

    async def take_over(self) -> str:
        """Name this store as the one that writes; return whose place it took, empty where nobody's."""
        async with self._turn:
            before = await self._sole_writer.take_over()
            self.brake.writer_is(None)
        return before

    async def still_ours(self) -> None:
        """Ask the hub who writes, just before an order is sent; raises SendingStopped, or an outage.

        At each poll is not often enough: whoever has taken the orders over sends the same ones until then.
        """
        await self._ask_who_writes()
        await self.brake.may_send()

    async def claim(self) -> None:
        """Raise SendingStopped where the orders are not ours to write; the hub is asked where that is not known."""
        if self.brake.writes_elsewhere:
            async with self._turn:
                await self._ask_who_writes()
        self._refuse_elsewhere()

    async def _ask_who_writes(self) -> None:
        before, elsewhere = self._context.stopped, await self._sole_writer.check()
        self.brake.writer_is(elsewhere)
        if elsewhere is not None and (before is None or before.message != elsewhere.message):
            log.warning("orders held", reason=elsewhere.message, hint=elsewhere.hint)

    def _refuse_elsewhere(self) -> None:
        if self.brake.writes_elsewhere and self._context.stopped is not None:
            raise self._context.stopped

    async def _probe(self, system: str) -> None:
        if system:
            async with self._context.connection.slots.hold(NAME):
                await self._context.connection.sink.probe(self._context.route)


def taken_up(order: HubOrder) -> Also:
    """Return what keeps, in the transaction that makes its intent, that the order is not left alone any more."""

    async def also(tables: Tables) -> None:
        await tables.inbox.take_up([order.id])

    return also
