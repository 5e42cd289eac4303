"""Tells a poll which rows of P21 are hub orders: those still on their way wait, those linked are born in the hub.

Without it a poll that reads an order between its write and its link would deliver it as a new record, and the hub would
have it twice. So a row that the sink does not know is matched against every intent that anything was sent for:

    by number      the order of an intent that is `created`, or held with a number
    by text        a reference field holds, whole and trimmed, what any attempt put there
    by reference   a field holds the reference of a hub order, whatever sales made of the rest
    by candidate   its customer and taker are those of an attempt whose order is not known yet

A match parks the row under the hub order, in the waiting room, until the intent has ended: then it is read again, and
is either the record of a linked intent or nobody's.

Why no lock is needed: intents are read after the page was. A row that a page holds was saved by P21 before the page was
read, and what was sent was kept in the store before P21 was asked; so whoever reads the intents after the page finds
the attempt that made the row, and whatever became of it since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from p21d.engine.fate import Fate
from p21d.engine.orders.ledger import CREATED, DISMISSED, HELD, LINKED, PREPARED, REFUSED, SENDING, UNKNOWN
from p21d.engine.orders.reference import referred_in
from p21d.engine.work import Work
from p21d.errors import RecordError
from p21d.order import OrderMark
from p21d.store.intent import Intent
from p21d.store.link import StoredLink
from p21d.store.waiting import WaitingRow

if TYPE_CHECKING:
    from p21d.engine.connection import Connection
    from p21d.engine.plan import Plan

PARENT = "hub order"
"""What such a row waits for, in the waiting room; no entity can have this name."""
UNDERWAY = (PREPARED, SENDING, UNKNOWN, CREATED, HELD)
"""States of an intent whose P21 order may exist and is not the sink's yet; a row of it waits."""
ENDED = (LINKED, DISMISSED, REFUSED)
"""The other states: no row waits for them. What P21 refused, it does not have."""
ASK_AGAIN = timedelta(minutes=15)
"""How often a row is read again that waits for a hub order without an intent."""


class OrderMatch:
    """Matches the rows of one entity against the intents of its connection, whether orders are on or off."""

    def __init__(self, connection: Connection, entity: str) -> None:
        self.entity = entity
        self._connection = connection

    @property
    def _plan(self) -> Plan:
        return self._connection.plans[self.entity]

    @property
    def _table(self) -> str:
        return self._connection.sink.link_table(self._plan.entity.route)

    async def recognise(self, works: Sequence[Work], known: Mapping[str, object]) -> None:
        """Park those that are orders on their way, and mark those that are linked; `known` are the sink's by key.

        In this order: an intent that is linked between the two is met by the second, and one that parked a row just
        before frees it as ended. The other way round it is met by neither, and the hub's order is written over.
        """
        await self._park(works, known)
        await self._know_born([work for work in works if work.fate is not Fate.WAITING])

    async def _know_born(self, works: Sequence[Work]) -> None:
        """Mark the works whose records came from the hub: of all that we would send, they get little."""
        marked = {work.mark.order_no: work for work in works if work.mark is not None and work.mark.order_no}
        intents = await self._connection.store.read.intents.by_order_nos(list(marked))
        linked = {order_no: intent.hub_id for order_no, intent in intents.items() if intent.state == LINKED}
        by_id = await self._connection.store.read.links.by_hub_id(self._table, list(linked.values()))
        for order_no, hub_id in linked.items():
            work = marked[order_no]
            made_up = StoredLink(self._table, external_id_of(work), hub_id, self.entity, work.key)
            work.become_born(by_id.get(hub_id, made_up))
        marked_works = [work for work in works if work.mark is not None and not work.born_as]
        links = await self._links(marked_works)
        for work in marked_works:
            link = links.get(external_id_of(work))
            # linked by a p21d whose store this one has not seen, or by another program that wrote the order
            if work.mark and link is not None and (link.born or link.hub_id in references(work.mark)):
                work.become_born(link)

    async def _park(self, works: Sequence[Work], known: Mapping[str, object]) -> None:
        """Park those of the works that the sink does not know and that are orders on their way, or may be."""
        unknown = [work for work in works if work.fate is None and not work.born_as and not known.get(work.key)]
        new = [(work, work.mark) for work in unknown if work.mark is not None]
        if not new:
            return
        tables, links = self._connection.store.read, await self._links([work for work, _ in new])
        orders = await tables.intents.underway(UNDERWAY)
        numbers = {order.order_no for order in orders if order.order_no}
        # a row with a link is the sink's record already, unless that link is just being made for an order on its way
        new = [(work, mark) for work, mark in new if mark.order_no in numbers or external_id_of(work) not in links]
        named = {work.key: references(mark) for work, mark in new}
        intents = await tables.intents.by_hub_ids([hub_id for hub_ids in named.values() for hub_id in hub_ids])
        for work, mark in new:
            ours = [i for i in named[work.key] if i in intents and is_sent(intents[i])]
            if hub_id := matched(mark, orders) or next(iter(ours), ""):
                work.park(self._waiting(work, hub_id))
            elif others := [i for i in named[work.key] if i not in intents or is_unsent(intents[i])]:
                await self._ask_hub(work, others[0])

    async def _ask_hub(self, work: Work, hub_id: str) -> None:
        """Park a row with the reference of a hub order that this store has not sent, unless the hub knows better.

        The store is a copy from before that, or another p21d writes the orders: if the hub has it linked with this row,
        it is born there; if it has no link yet, the hub is asked again until it has one.
        """
        inbox, route = self._connection.sink.inbox, self._plan.entity.route
        if inbox is None or await self._connection.store.read.inbox.is_left_alone(hub_id):
            return
        try:
            async with self._connection.slots.hold("orders"):
                external_id = await inbox.external_id(route, hub_id)
                exists = external_id is not None or await inbox.order(route, hub_id) is not None
        except RecordError:  # no such record: the text only looks like a reference
            return
        if external_id is not None and external_id == external_id_of(work):
            link = StoredLink(self._table, external_id, hub_id, self.entity, work.key)
            await self._remember(link)
            work.become_born(link)
        elif external_id is None and exists:
            work.park(self._waiting(work, hub_id, again=True))

    async def _remember(self, link: StoredLink) -> None:
        async with self._connection.store.transaction() as tables:
            if not await tables.links.by_hub_id(link.table, [link.hub_id]):
                await tables.links.record([link])

    def _waiting(self, work: Work, hub_id: str, *, again: bool = False) -> WaitingRow:
        row = WaitingRow(entity=self.entity, key=work.key, parent_entity=PARENT, parent_key=hub_id)
        if not again:
            return row
        error = f"it carries the reference of hub order {hub_id}, which has no link of ours"
        return replace(row, due_at=self._connection.clock.now() + ASK_AGAIN, error=error)

    async def _links(self, works: Sequence[Work]) -> dict[str, StoredLink]:
        if not works or not self._connection.sink.has_ids:
            return {}
        names = [name for work in works if (name := external_id_of(work))]
        return await self._connection.store.read.links.by_external_id(self._table, names)

    async def release(self) -> None:
        """Let the rows go whose hub orders have ended, so that they are read again as what they are now."""
        store = self._connection.store
        parents = await store.read.waiting.parents_of(self.entity, PARENT)
        if not parents:
            return
        intents = await store.read.intents.by_hub_ids(parents)
        ended = [one for one in parents if one not in intents or intents[one].state in ENDED]
        if ended:
            async with store.transaction() as tables:
                await tables.waiting.release_children(PARENT, ended, self._connection.clock.now())


def is_sent(intent: Intent) -> bool:
    """Tell whether the order is on its way, and P21 may have it from us."""
    return intent.state in UNDERWAY and bool(intent.sent or intent.order_no)


def is_unsent(intent: Intent) -> bool:
    """Tell whether the order is on its way, and still to be sent by us: a row that refers to it is another writer's."""
    return intent.state in UNDERWAY and not is_sent(intent)


def matched(mark: OrderMark, orders: Sequence[Intent]) -> str:
    """Return the hub's id of the intent whose order the row is or may be, empty where there is none."""
    for order in orders:
        if order.order_no and order.order_no == mark.order_no:
            return order.hub_id
    for order in orders:
        if any(text_of(mark, sent.field) == sent.text.strip() for sent in order.sent):
            return order.hub_id
    for order in orders:
        if not order.order_no and is_candidate(mark, order):
            return order.hub_id
    return ""


def is_candidate(mark: OrderMark, order: Intent) -> bool:
    """Tell whether the row has customer and taker of an attempt that nothing is known of, whatever its texts read."""
    taker = taker_of(order)
    same_taker = bool(taker) and mark.taker.strip().casefold() == taker.casefold()
    return same_taker and any(s.customer_id == mark.customer_id for s in order.sent if not s.outcome)


def taker_of(order: Intent) -> str:
    """Return the taker that the order was mapped with, empty before it was."""
    mapped = msgspec.json.decode(order.order) if order.order else {}
    return str(mapped.get("taker") or "").strip()


def text_of(mark: OrderMark, field: str) -> str:
    """Return what the row holds in a reference field, trimmed."""
    return str(getattr(mark, field, "") or "").strip()


def references(mark: OrderMark) -> list[str]:
    """Return the ids of the hub orders that the row's fields refer to."""
    return [*referred_in(mark.po_no or ""), *referred_in(mark.job_name or "")]


def external_id_of(work: Work) -> str:
    """Return the external id of the row's one record, empty where it has none or several."""
    return work.records[0].external_id if len(work.records) == 1 else ""
