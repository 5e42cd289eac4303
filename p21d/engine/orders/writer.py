"""The order writer: takes up what is prepared, looks up what is unknown, links what is created, until drained.

Each of `orders.concurrent_writes` writers carries one order at a time, the oldest first; one more task follows up what
was sent. So an unknown outcome never blocks the next order: its writer goes on, and the look-ups are the other task's.
An order that meets an error of ours waits a while and lets the others pass. An outage holds the writers, or the
follow-up, with growing back-off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import anyio
import structlog

from p21d.engine.drain import Drained
from p21d.engine.hold import Hold
from p21d.engine.orders.context import OrderContext, SendingStopped, work_name
from p21d.engine.orders.ledger import CREATED, PREPARED, SENDING, START, UNKNOWN, WRITER, MoveRefused
from p21d.engine.orders.linking import Linking
from p21d.engine.orders.unknowns import Unknowns
from p21d.engine.orders.writing import Writing
from p21d.engine.room import check_room
from p21d.errors import P21dError, RecordError, Unavailable
from p21d.prophet21.classify import SYSTEM
from p21d.store.intent import Intent

log = structlog.get_logger("p21d.orders")

LOOK_SECONDS = 15.0
"""How often the store is looked at when nothing announces itself."""
SHORTEST_SECONDS = 1.0
PUT_OFF_SECONDS = 300.0
"""How long an order waits that met an error of ours."""
TAKEN = 200
"""Due intents read at once, from which the oldest is taken."""

Work = Callable[[Intent], Awaitable[Intent]]


class OrderWriter:
    """The tasks that bring intents from `prepared` to `linked`."""

    def __init__(self, context: OrderContext) -> None:
        self._context = context
        self._writing = Writing(context)
        self._unknowns = Unknowns(context)
        self._linking = Linking(context)
        self._claimed: set[str] = set()
        self._met_outage: Counter[str] = Counter()

    async def run(self) -> None:
        """Run until drained."""
        async with anyio.create_task_group() as tasks:
            for _ in range(self._context.config.concurrent_writes):
                tasks.start_soon(self._until_drained, self.write_next, self._context.hold, (PREPARED,))
            states = (CREATED, UNKNOWN)
            tasks.start_soon(self._until_drained, self.follow_next, self._context.follow_hold, states)

    async def _until_drained(self, take: Callable[[], Awaitable[bool]], hold: Hold, states: Sequence[str]) -> None:
        """Take one intent after the other; a failure that is not an order's own holds the task."""
        try:
            while True:
                news = self._context.news  # before the store is read: what is announced meanwhile ends the wait
                await hold.wait(self._context.drain)
                if await hold.attempt(take) is False:
                    await self._context.drain.wait_for(news, await self._idle_seconds(states))
        except Drained:
            return

    async def write_next(self) -> bool:
        """Carry the oldest prepared intent that is due; tell whether there was one that may be sent."""
        check_room(self._context.connection)
        intent = await self._next((PREPARED,))
        if intent is None:
            return False
        try:
            await self._context.may_send()
            return await self._work(intent, self._writing.carry_out)
        except SendingStopped:
            return False

    async def follow_next(self) -> bool:
        """Link the oldest created intent, or look up the unknown one that is due; tell whether there was one."""
        await self.recover()
        if (intent := await self._next((CREATED,))) is not None:
            return await self._work(intent, self._linking.link)
        if (intent := await self._next((UNKNOWN,))) is not None:
            return await self._work(intent, self._unknowns.look_up)
        return False

    async def recover(self) -> None:
        """Call unknown what is `sending` in the store and in nobody's hands: a stop or a full disk cut it short."""
        now = self._context.clock.now()
        reason = "p21d was stopped before it knew what P21 made of it"
        for intent in await self._context.store.read.intents.in_states([SENDING]):
            if intent.hub_id in self._claimed:
                continue
            with suppress(MoveRefused):  # its writer was about to let it go
                await self._context.ledger.move(
                    intent, UNKNOWN, by=START, note=reason, reason=reason, hint="", attempt_ended_at=now, due_at=now
                )
                log.warning("order unknown", order=intent.hub_number or intent.hub_id, words=reason)

    async def _next(self, states: Sequence[str]) -> Intent | None:
        due = await self._context.store.read.intents.due(states, self._context.clock.now(), TAKEN)
        free = [intent for intent in due if intent.hub_id not in self._claimed]
        # what has met an outage stands behind the others: it may be the only one that meets it
        return min(free, key=lambda one: (self._met_outage[one.hub_id], one.created_at, one.hub_id), default=None)

    async def _work(self, intent: Intent, work: Work) -> bool:
        """Work on an intent that nobody else works on meanwhile; what is not its own failure is raised."""
        self._claimed.add(intent.hub_id)
        try:
            with self._context.connection.watch.over(work_name(intent), intent.state):
                await work(intent)
        except MoveRefused as error:  # a person was quicker
            log.info("order moved meanwhile", order=intent.hub_number or intent.hub_id, error=error.message)
        except RecordError as error:
            await self._put_off(intent, error.message)
        except Unavailable as error:
            self._met_outage[intent.hub_id] += 1
            if error.system == SYSTEM:
                await self._unknowns.restart_counts()
            raise
        except P21dError:
            raise
        except Exception as error:  # one order's bug must not stop the others; it is logged in full
            log.exception("bug", order=intent.hub_number or intent.hub_id)
            await self._put_off(intent, f"an error inside p21d: {error!r:.200}")
        finally:
            self._claimed.discard(intent.hub_id)
        self._met_outage.pop(intent.hub_id, None)
        self._context.announce()
        return True

    async def _put_off(self, intent: Intent, reason: str) -> None:
        """Let the others pass an order that cannot be worked on now."""
        stored = await self._context.store.read.intents.get(intent.hub_id)
        if stored is not None and stored.state == intent.state:
            due_at = self._context.in_seconds(PUT_OFF_SECONDS)
            with suppress(MoveRefused):
                await self._context.ledger.amend(stored, by=WRITER, note=reason, reason=reason, due_at=due_at)

    async def _idle_seconds(self, states: Sequence[str]) -> float:
        """Return how long nothing is due, as far as the store knows."""
        next_due = await self._context.store.read.intents.next_due(states)
        if next_due is None:
            return LOOK_SECONDS
        left = (next_due - self._context.clock.now()).total_seconds()
        if left <= 0:  # another task has it, whose end is announced, or none may be sent now
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(SHORTEST_SECONDS, left))
