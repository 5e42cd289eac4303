"""Sees to it that one p21d alone writes the orders of a hub: by the name of its store, where a second one can see it.

The name is random, made once, and kept in the store. It stands in the hub's data of our subscription. A daemon that
finds another name there holds its orders, and only them, until a person says who is the one. A restored copy of a store
has the same name as the store: against that stand the look-ups in P21, not this.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from p21d.engine.orders.context import NAME, OrderContext, SendingStopped
from p21d.errors import Forbidden

log = structlog.get_logger("p21d.orders")

SETTLE_SECONDS = 5.0
"""How long a name is let stand before it is believed: two daemons that found none may both have written theirs, and the
later one stays; and one whose place was taken may just be sending. Longer than a call of the hub takes."""

T = TypeVar("T")


class SoleWriter:
    """The claim of this store on a hub's orders."""

    def __init__(self, context: OrderContext) -> None:
        self._context = context

    async def check(self) -> SendingStopped | None:
        """Return why another may write these orders, None where this store alone does; claims what nobody has.

        Raises Unavailable and Unauthorized.
        """
        own = await self.store_id()
        try:
            writer = await self._ask(self._context.inbox.writer)
            if writer is None:
                writer = await self._claim(own)
        except Forbidden as error:
            return None if self._context.config.sole_writer else nowhere(error)
        return None if writer == own else taken(writer or "nobody", own)

    async def _claim(self, own: str) -> str | None:
        await self._ask(lambda: self._context.inbox.set_writer(own))
        await self._context.clock.sleep(SETTLE_SECONDS)
        log.info("orders claimed", store=own)
        return await self._ask(self._context.inbox.writer)

    async def take_over(self) -> str:
        """Name this store as the writer, whoever was; return whose place it took, empty where nobody's."""
        own = await self.store_id()
        try:
            before = await self._ask(self._context.inbox.writer)
            await self._ask(lambda: self._context.inbox.set_writer(own))
        except Forbidden as error:
            if self._context.config.sole_writer:
                return ""
            raise nowhere(error) from error
        if not before or before == own:
            return ""
        await self._context.clock.sleep(SETTLE_SECONDS)  # what the other was sending is in P21, to be found there
        return before

    async def store_id(self) -> str:
        """Return the name of this store, made where it has none."""
        store = self._context.store
        if name := await store.read.inbox.store_id():
            return name
        async with store.transaction() as tables:
            await tables.inbox.name_store(secrets.token_hex(8))
            return await tables.inbox.store_id()

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        async with self._context.connection.slots.hold(NAME):
            return await ask()


def taken(writer: str, own: str) -> SendingStopped:
    """Say that another store is the one that writes."""
    hint = "stop the other p21d, or turn its orders off; then p21d orders take-over"
    return SendingStopped(
        f"the hub names another p21d as the one that writes its orders ({writer}, not {own})", hint=hint
    )


def nowhere(error: Forbidden) -> SendingStopped:
    """Say that a second daemon could not be noticed."""
    hint = "orders.sole_writer: true says that no other p21d writes orders of this hub"
    return SendingStopped(f"nothing shows whether another p21d writes these orders too: {error.message}", hint=hint)
