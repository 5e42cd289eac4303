"""What everything that works on orders is given: the connection, the mapping, the two ports, and the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from p21d.engine.drain import Drain
from p21d.engine.hold import STORE, Hold, HoldState
from p21d.engine.orders.ledger import Ledger
from p21d.engine.room import check_room
from p21d.errors import P21dError

if TYPE_CHECKING:
    from p21d.clock import Clock
    from p21d.config import OrdersConfig
    from p21d.engine.connection import Connection
    from p21d.engine.plan import Plan
    from p21d.order import OrderMapping
    from p21d.plugin import Route
    from p21d.prophet21.orders.desk import OrderDesk
    from p21d.sinks.inbox import Inbox
    from p21d.store.database import Store
    from p21d.store.intent import Intent

NAME = "orders"
"""The name of this work in the log, in the watch, and among the kinds that hold a slot."""


class SendingStopped(P21dError):
    """No order is sent for now, until a person or the hub says otherwise; look-ups and links go on."""


async def _always() -> None:
    return None


async def _no_probe(_system: str) -> None:
    """Let the work itself show whether the other side is back: one look-up, one link."""


@dataclass(kw_only=True, eq=False)
class OrderContext:
    """One connection's way from the hub into P21.

    `defaults` is `orders.defaults` read into the mapping's own Struct. `not_before` is the instant of the setting of
    that name. `may_send` is called before each order is taken up and again just before it is sent, then with
    `still_ours`, which asks the hub; they raise SendingStopped, or what an outage raises. `hold` holds what sends,
    `follow_hold` what looks up and links.
    """

    connection: Connection
    config: OrdersConfig
    mapping: OrderMapping[Any]
    defaults: Any
    inbox: Inbox
    desk: OrderDesk
    not_before: datetime
    drain: Drain
    may_send: Callable[[], Awaitable[None]] = _always
    still_ours: Callable[[], Awaitable[None]] = _always
    stopped: SendingStopped | None = None
    """Why no order is sent at present; None where orders are."""
    hold: Hold = field(init=False)
    follow_hold: Hold = field(init=False)
    ledger: Ledger = field(init=False)
    news: anyio.Event = field(default_factory=anyio.Event)

    def __post_init__(self) -> None:
        watched = partial(self.connection.watch.over, owner=NAME)
        self.hold = Hold(NAME, self.clock, self._probe, watched=partial(watched, NAME))
        follow = f"{NAME}, look-ups and links"
        self.follow_hold = Hold(follow, self.clock, _no_probe, watched=partial(watched, follow))
        self.ledger = Ledger(self.store, self.clock, self.connection.passed)

    @property
    def clock(self) -> Clock:
        """Return the connection's clock."""
        return self.connection.clock

    @property
    def store(self) -> Store:
        """Return the connection's store."""
        return self.connection.store

    @property
    def plan(self) -> Plan:
        """Return the plan of the entity by whose rows these orders come back out of P21."""
        return self.connection.plans[self.mapping.entity]

    @property
    def route(self) -> Route:
        """Return how the hub knows these orders."""
        return self.plan.entity.route

    def in_seconds(self, seconds: float) -> datetime:
        """Return the instant so many seconds from now."""
        return self.clock.now() + timedelta(seconds=seconds)

    @property
    def held(self) -> HoldState | None:
        """Return why orders wait, None where they do not."""
        return self.hold.state or self.follow_hold.state

    def announce(self) -> None:
        """Wake what works on intents: one was made, moved, or is due now."""
        self.news.set()
        self.news = anyio.Event()

    @asynccontextmanager
    async def slot(self, intent: Intent) -> AsyncIterator[None]:
        """Hold a slot of the sink for the block, for the work on an intent."""
        watch, name = self.connection.watch, work_name(intent)
        async with AsyncExitStack() as held:
            with watch.waiting(name):
                await held.enter_async_context(self.connection.slots.hold(NAME))
            yield
            watch.answered(name)

    def moved(self, intent: Intent) -> None:
        """Note, for the watchdog, that the work on an intent has moved."""
        self.connection.watch.step(work_name(intent))

    async def _probe(self, system: str) -> None:
        """Ask the system that failed whether it is back."""
        if system == "Prophet 21":
            await self.desk.check(reference_field=self.config.reference_field)
        elif system == STORE:
            check_room(self.connection)
        elif system:
            async with self.connection.slots.hold(NAME):
                await self.connection.sink.probe(self.route)


def work_name(intent: Intent) -> str:
    """Return the name of the work on an intent, for the watch."""
    return f"{NAME} {intent.hub_id}"
