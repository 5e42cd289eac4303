"""The inbox port: what the order writer asks of a sink that also gives orders.

Only a sink that has one can be the source of orders; `Sink.inbox` is None elsewhere. Every method may raise
Unavailable, Unauthorized and Forbidden; `order`, `external_id` and `link` also RecordError, for that record alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from p21d.order import HubOrder
from p21d.plugin import Route


class Inbox(Protocol):
    """The orders of a sink that are not linked to ours yet."""

    @property
    def system_id(self) -> int:
        """Return the subscription that is ours: an order it owns came from P21."""
        ...

    def unlinked(self, route: Route) -> AsyncIterator[Sequence[str]]:
        """Yield the ids of records of the route's link table without a link of ours, a page at a time, each once."""
        ...

    async def order(self, route: Route, hub_id: str) -> HubOrder | None:
        """Return a record as it is now; None where the hub says it is gone."""
        ...

    async def external_id(self, route: Route, hub_id: str) -> str | None:
        """Return our external id of a record of the route's link table, None where it has none."""
        ...

    async def link(self, route: Route, external_id: str, hub_id: str, *, member: str = "") -> None:
        """Link a record, or with `member` one of its children; repeating it changes nothing.

        Raises RecordRefused where the external id or the record is linked otherwise; the words name both.
        """
        ...

    async def writer(self) -> str | None:
        """Return the store id that the subscription names as its one writer of orders, None where it names none.

        Raises Forbidden where the hub has no place for it: then `orders.sole_writer` must be said.
        """
        ...

    async def set_writer(self, store_id: str) -> None:
        """Name this store as the one writer of orders."""
        ...
