"""What the control socket can ask about orders, and the clerk who answers it from the ledger and the orders' desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from p21d.control.answers import DoneAnswer
from p21d.control.order_answers import (
    AdoptRequest,
    DismissRequest,
    OrderAnswer,
    OrderDetailAnswer,
    OrderEventAnswer,
    OrdersAnswer,
    OrdersStatus,
    OrdersSyncAnswer,
)
from p21d.engine.orders.desk import OrdersDesk
from p21d.errors import ConfigError
from p21d.store.database import Store
from p21d.store.intent import OPEN_STATES, Intent

STATES = (*OPEN_STATES, "linked", "dismissed")
FOR_A_PERSON = ("held", "refused", "unknown")
OFF_HINT = "set orders.enabled: true and orders.not_before, then p21d reload"


class OrderOperations(Protocol):
    """The orders as their operator sees them; `by` is who asks. Every method may raise P21dError."""

    async def orders(self, *, state: str, everything: bool, limit: int) -> OrdersAnswer:
        """Return how orders stand, and those in a state, or that are not done with, or `everything`."""
        ...

    async def order(self, id_: str) -> OrderDetailAnswer:
        """Return all there is about one."""
        ...

    async def sync(self, ids: Sequence[str], by: str) -> OrdersSyncAnswer:
        """Read the inbox now, or take up these hub orders past its rules."""
        ...

    async def retry(self, id_: str, by: str) -> DoneAnswer:
        """Try a held or refused order again."""
        ...

    async def adopt(self, asked: AdoptRequest, by: str) -> DoneAnswer:
        """Take an order that P21 has for the hub order."""
        ...

    async def dismiss(self, asked: DismissRequest, by: str) -> DoneAnswer:
        """Never write the order."""
        ...

    async def acknowledge(self, id_: str, by: str) -> DoneAnswer:
        """Take note of how the order in P21 differs."""
        ...

    async def take_over(self, by: str) -> DoneAnswer:
        """Make this store the one that writes the hub's orders."""
        ...


@dataclass(frozen=True, slots=True)
class OrderClerk:
    """Implements OrderOperations; `desk` is None while orders are off."""

    store: Store
    desk: OrdersDesk | None

    async def orders(self, *, state: str, everything: bool, limit: int) -> OrdersAnswer:
        """Return how orders stand, and those asked for: who needs a person first, then the newest first."""
        if state and state not in STATES:
            raise ConfigError(f"there is no state {state!r}", hint=f"states are {', '.join(STATES)}")
        status = await orders_status(self.store, self._open_desk())
        intents = self.store.read.intents
        states = [state] if state else STATES if everything else OPEN_STATES
        found = await intents.in_states(states, limit, newest_first=True)
        if not state and not everything:
            found += await intents.unacknowledged()
        found.sort(key=lambda intent: intent.changed_at, reverse=True)
        found.sort(key=lambda intent: not needs_person(intent))
        return OrdersAnswer(status=status, orders=[order_answer(intent) for intent in found[:limit]])

    async def order(self, id_: str) -> OrderDetailAnswer:
        """Return all there is about one."""
        intent, history = await self._open_desk().show(id_)
        steps = [
            OrderEventAnswer(at=event.at, before=event.before, after=event.after, by=event.by, note=event.note)
            for event in history
        ]
        return OrderDetailAnswer(order=order_answer(intent), history=steps, body=intent.body.decode())

    async def sync(self, ids: Sequence[str], by: str) -> OrdersSyncAnswer:
        """Read the inbox now, or take up these hub orders past its rules."""
        result = await self._open_desk().sync(ids, by)
        return OrdersSyncAnswer(prepared=list(result.prepared), left_alone=dict(result.left_alone), note=result.note)

    async def retry(self, id_: str, by: str) -> DoneAnswer:
        """Try a held or refused order again."""
        await self._open_desk().retry(id_, by)
        return DoneAnswer(done=f"order {id_} is tried again; p21d orders show {id_} says what becomes of it", count=1)

    async def adopt(self, asked: AdoptRequest, by: str) -> DoneAnswer:
        """Take an order that P21 has for the hub order."""
        await self._open_desk().adopt(asked.id, asked.order_no, by)
        return DoneAnswer(done=f"order {asked.id} is {asked.order_no} in P21; it is linked next", count=1)

    async def dismiss(self, asked: DismissRequest, by: str) -> DoneAnswer:
        """Never write the order."""
        await self._open_desk().dismiss(asked.id, asked.because, by)
        return DoneAnswer(done=f"order {asked.id} is dismissed; p21d orders sync {asked.id} takes it up again", count=1)

    async def acknowledge(self, id_: str, by: str) -> DoneAnswer:
        """Take note of how the order in P21 differs."""
        await self._open_desk().acknowledge(id_, by)
        return DoneAnswer(done=f"the differences of order {id_} are acknowledged", count=1)

    async def take_over(self, by: str) -> DoneAnswer:
        """Make this store the one that writes the hub's orders."""
        await self._open_desk().take_over(by)
        return DoneAnswer(done="this p21d writes the hub's orders from now on", count=1)

    def _open_desk(self) -> OrdersDesk:
        if self.desk is None:
            raise ConfigError("orders are off", path="orders.enabled", hint=OFF_HINT)
        return self.desk


async def orders_status(store: Store, desk: OrdersDesk) -> OrdersStatus:
    """Return how orders stand."""
    state = desk.state()
    return OrdersStatus(
        state=state.state,
        running=state.running,
        held_reason=state.held_reason,
        held_hint=state.held_hint,
        next_poll_at=state.next_poll_at,
        counts=dict(await store.read.intents.counts()),
        differing=len(await store.read.intents.unacknowledged()),
        left_alone=dict(await store.read.inbox.reasons()),
    )


def needs_person(intent: Intent) -> bool:
    """Tell whether the order does not go on by itself, or not as it was sent."""
    return intent.state in FOR_A_PERSON or (bool(intent.differences) and not intent.acknowledged)


def order_answer(intent: Intent) -> OrderAnswer:
    """Return an intent as an answer."""
    same = set(OrderAnswer.__struct_fields__) - {"id", "number", "differences"}
    return OrderAnswer(
        id=intent.hub_id,
        number=intent.hub_number,
        differences=list(intent.differences),
        **{name: getattr(intent, name) for name in same},
    )
