"""Records of ours in the hub's list of unlinked ones: under which external id each is to be linked again.

Only what is proven is linked: the store knew the record by its id, or our own subscription owns it and its number is
that of a row which this store delivered, or which P21 has. Else the row's next delivery finds it by its number.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from p21d.engine.building import build
from p21d.engine.orders.context import OrderContext
from p21d.engine.orders.guards import Left
from p21d.engine.plan import Plan
from p21d.errors import RecordError
from p21d.keys import key_text
from p21d.order import HubOrder
from p21d.plugin import RelatedRows
from p21d.prophet21.related import ReadRows
from p21d.store.link import StoredLink

log = structlog.get_logger("p21d.orders")

REPAIRED = "; its link is repaired"


class OurOwn:
    """What the store and P21 know of records in the link table of the orders, which other entities may share."""

    def __init__(self, context: OrderContext, ask: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]) -> None:
        """`ask` makes one call of the hub."""
        self._context = context
        self._ask = ask
        self._plan = context.plan
        self._connection = context.connection
        self._table = context.connection.sink.link_table(context.route)

    async def linked(self, hub_ids: Sequence[str]) -> dict[str, StoredLink]:
        """Return the links that the store knows of these records, by the hub's id."""
        return await self._connection.store.read.links.by_hub_id(self._table, hub_ids)

    async def numbered(self, number: str) -> list[StoredLink]:
        """Return the records of ours with this number: linked by it, or delivered from the row of that key."""
        if not number:
            return []
        links = await self._connection.store.read.links.by_external_id(self._table, [number])
        found = list(links.values())
        for plan in self._sharing():
            records = await self._connection.store.read.delivered.by_keys(plan.name, [key_text([number])])
            for record in [record for records in records.values() for record in records]:
                known = await self._connection.store.read.links.by_external_id(self._table, [record.external_id])
                hub_id = known[record.external_id].hub_id if known else ""
                found.append(StoredLink(self._table, record.external_id, hub_id, plan.name, record.key))
        return found

    def _sharing(self) -> list[Plan]:
        """Return the plans whose records are in this link table and have a key of one column."""
        sink = self._connection.sink
        plans = self._connection.plans.values()
        return [p for p in plans if len(p.entity.key) == 1 and sink.link_table(p.entity.route) == self._table]

    async def to_link(self, owned: Sequence[HubOrder]) -> dict[str, StoredLink]:
        """Return, by the hub's id, the links that records which our subscription owns have lost; one call of P21.

        An external id that is linked with another record is nobody's to give away.
        """
        found: dict[str, StoredLink] = {}
        unknown: list[HubOrder] = []
        for order in owned:
            ours = [link for link in await self.numbered(order.number) if link.hub_id in ("", order.id)]
            if len({link.external_id for link in ours}) == 1:
                found[order.id] = StoredLink(self._table, ours[0].external_id, order.id, ours[0].entity, ours[0].key)
            elif order.number and not await self.numbered(order.number):
                unknown.append(order)
        in_p21 = await self._of_p21([order.number for order in unknown])
        for order in unknown:
            if link := in_p21.get(key_text([order.number])):
                found[order.id] = StoredLink(link.table, link.external_id, order.id, link.entity, link.key)
        return found

    async def link_again(self, link: StoredLink, reason: str) -> Left:
        """Link a record with its external id again; refused or not, it is looked at again later."""
        context = self._context
        try:
            await self._ask(lambda: context.inbox.link(context.route, link.external_id, link.hub_id))
        except RecordError as error:
            log.warning("link not repaired", order=link.hub_id, external_id=link.external_id, error=error.message)
            return Left(reason=f"{reason}; the hub refuses its link", may_pass=True)
        async with context.store.transaction() as tables:
            if not await tables.links.by_hub_id(link.table, [link.hub_id]):
                await tables.links.record([link])
        log.info("link repaired", order=link.hub_id, external_id=link.external_id)
        return Left(reason=f"{reason}{REPAIRED}", may_pass=True)

    async def _of_p21(self, numbers: Sequence[str]) -> Mapping[str, StoredLink]:
        """Return the links that P21's rows of these numbers would have, by key."""
        entity = self._plan.entity
        if not numbers or len(entity.key) != 1:
            return {}
        page = await self._connection.source.by_keys(self._plan.reading, [key_text([one]) for one in numbers])
        related: RelatedRows = ReadRows()
        if entity.related and page.rows:
            related = await self._connection.source.related(entity, page.rows)
        return {
            work.key: StoredLink(self._table, work.records[0].external_id, "", self._plan.name, work.key)
            for work in build(self._plan, page, related)
            if len(work.records) == 1
        }
