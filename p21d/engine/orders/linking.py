"""Reads a created order back from P21, compares it with what was asked for, and links it in the hub.

The order's link comes first: it takes the hub order out of the inbox. Then its lines', then the store's own links, in
one transaction with the state `linked`, so that from then on polls know the order as one of the sink's. Each of these
may be repeated after a kill.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from p21d.engine.orders.context import OrderContext
from p21d.engine.orders.finding import external_id_of
from p21d.engine.orders.ledger import HELD, LINKED, NO_TROUBLE, WRITER
from p21d.engine.orders.preparing import Ready, is_cancelled, mapped
from p21d.errors import RecordError, RecordRefused
from p21d.keys import key_text
from p21d.order import HubOrder, Order
from p21d.prophet21.orders.comparison import differences
from p21d.prophet21.orders.port import FoundOrder
from p21d.store.database import Tables
from p21d.store.delivered import DeliveredRecord
from p21d.store.intent import Intent
from p21d.store.link import StoredLink
from p21d.store.waiting import WaitingRow

log = structlog.get_logger("p21d.orders")

LINES = "lines"
"""The member of the route that holds the lines."""
READS = 3
READ_AGAIN_SECONDS = 60.0
"""P21 shows an order at once (facts 5.5); an order it does not show that often is for a person."""


class Linking:
    """Links created orders."""

    def __init__(self, context: OrderContext) -> None:
        self._context = context
        self._ledger = context.ledger
        self._sink = context.connection.sink

    async def link(self, intent: Intent) -> Intent:
        """Read back, compare and link one created intent, and return it as it is then; an outage is raised."""
        read_at = self._context.clock.now()
        found = await self._context.desk.read(intent.order_no, field=self._field(intent))
        self._context.moved(intent)
        if found is None:
            return await self._not_shown(intent)
        self._context.connection.passed("order read back")
        async with self._context.slot(intent):
            hub = await self._context.inbox.order(self._context.route, intent.hub_id)
        asked, unmapped = await self._asked(intent, hub)
        differs = [*self._differences(intent, asked, found), *unmapped, *changes_since(intent, hub)]
        try:
            links = await self._link_in_hub(intent, found, asked)
        except RecordError as error:
            return await self._hold(intent, f"the hub refuses the link: {error.message}", error.hint, differs)
        return await self._keep(intent, links, read_at, differs)

    def _field(self, intent: Intent) -> str:
        return intent.sent[-1].field if intent.sent else self._context.config.reference_field

    async def _not_shown(self, intent: Intent) -> Intent:
        if intent.look_ups + 1 >= READS:
            hint = f"look there; p21d orders adopt {intent.hub_id} ORDER_NO names another order"
            return await self._hold(intent, f"P21 does not show order {intent.order_no}", hint, intent.differences)
        due_at = self._context.clock.now() + timedelta(seconds=READ_AGAIN_SECONDS)
        return await self._ledger.amend(intent, by=WRITER, look_ups=intent.look_ups + 1, due_at=due_at)

    async def _asked(self, intent: Intent, hub: HubOrder | None) -> tuple[Order | None, Sequence[str]]:
        """Return the order as P21 was asked for it; for one that was adopted unsent, as it would be asked for now."""
        if intent.order:
            return msgspec.json.decode(intent.order, type=Order), ()
        answer = await mapped(self._context, intent, hub) if hub else None
        if isinstance(answer, Ready):
            return answer.order, ()
        why = f": {answer.reason}" if answer else ""
        return None, [f"it was not compared and its lines are not linked, as it cannot be mapped{why}"]

    def _differences(self, intent: Intent, asked: Order | None, found: FoundOrder) -> Sequence[str]:
        if asked is None:
            return ()
        reference = intent.reference or found.reference_text  # an adopted order carries none of ours
        return differences(asked, reference, self._field(intent), found)

    async def _link_in_hub(self, intent: Intent, found: FoundOrder, asked: Order | None) -> Sequence[StoredLink]:
        """Link the order and its lines in the hub, and return the links; raises RecordRefused."""
        context, route = self._context, self._context.route
        external_id = external_id_of(context, found)
        own = self._stored(found, external_id, intent.hub_id)
        lines = [
            self._stored(found, f"{external_id}|{line_no}", hub_line_id, member=LINES)
            for line_no, hub_line_id in lines_of(found, asked)
            if LINES in route.children
        ]
        for link in (own, *lines):
            await self._refuse_taken(link)
        async with context.slot(intent):
            await context.inbox.link(route, external_id, intent.hub_id)
        context.connection.passed("order linked in the hub")
        for line in lines:
            async with context.slot(intent):
                await context.inbox.link(route, line.external_id, line.hub_id, member=LINES)
        context.connection.passed("order lines linked in the hub")
        return [own, *lines]

    def _stored(self, found: FoundOrder, external_id: str, hub_id: str, *, member: str = "") -> StoredLink:
        table = self._sink.link_table(self._context.route, member)
        return StoredLink(table, external_id, hub_id, self._context.plan.name, key_text([found.order_no]))

    async def _refuse_taken(self, link: StoredLink) -> None:
        """Raise RecordRefused where the store knows another record by this external id, or this record by another."""
        tables = self._context.store.read.links
        by_name = (await tables.by_external_id(link.table, [link.external_id])).get(link.external_id)
        by_id = (await tables.by_hub_id(link.table, [link.hub_id])).get(link.hub_id)
        for other in (by_name, by_id):
            if other is not None and (other.external_id, other.hub_id) != (link.external_id, link.hub_id):
                words = f"{link.external_id} is to be {link.hub_id}, but {other.external_id} is {other.hub_id}"
                raise RecordRefused(words, code="link-taken", hint="find out which of the two it is")

    async def _hold(self, intent: Intent, reason: str, hint: str, differs: Sequence[str]) -> Intent:
        log.warning("order held", order=intent.hub_number or intent.hub_id, reason=reason, hint=hint)
        return await self._ledger.move(
            intent, HELD, by=WRITER, note=reason, reason=reason, hint=hint, differences=tuple(differs), due_at=None
        )

    async def _keep(
        self, intent: Intent, links: Sequence[StoredLink], read_at: datetime, differs: Sequence[str]
    ) -> Intent:
        """Keep the order as one that the sink has, and have it read at once: the hub shall show what P21 made of it."""
        plan, now = self._context.plan, self._context.clock.now()
        own = links[0]

        async def also(tables: Tables) -> None:
            await tables.links.record(links)
            record = DeliveredRecord(own.key, own.external_id, None, active=True, read_at=read_at)
            await tables.delivered.acknowledge(plan.name, [record], now)
            if plan.settings.enabled:
                await tables.waiting.park([WaitingRow(entity=plan.name, key=own.key, due_at=now)], now)

        words: dict[str, Any] = {"order": intent.hub_number or intent.hub_id, "order_no": intent.order_no}
        if differs:
            log.warning("order differs", **words, differences=list(differs))
        log.info("order linked", **words)
        moved = await self._ledger.move(
            intent,
            LINKED,
            by=WRITER,
            note="; ".join(differs),
            also=also,
            differences=tuple(differs),
            acknowledged=False,
            due_at=None,
            **NO_TROUBLE,
        )
        self._context.connection.announce(plan.name)  # after the commit: whoever is woken must find the row
        return moved


def changes_since(intent: Intent, hub: HubOrder | None) -> Sequence[str]:
    """Return what became of the hub order after it was sent, which P21 does not show."""
    if hub is None:
        return ["the hub does not have it any more; P21 does"]
    if is_cancelled(hub):
        return ["it was cancelled in the hub after it was sent; P21 still has it"]
    if intent.digest and hub.digest != intent.digest:
        return ["it was edited in the hub after it was sent; P21 has it as it was before"]
    return []


def lines_of(found: FoundOrder, asked: Order | None) -> Sequence[tuple[int, str]]:
    """Return P21's line number and the hub's id of each line that stands in both."""
    ours = {line.user_line_no.strip(): line.hub_line_id for line in asked.lines} if asked else {}
    pairs = ((line.line_no, ours.get(line.user_line_no.strip(), "")) for line in found.lines)
    return [(line_no, hub_line_id) for line_no, hub_line_id in pairs if hub_line_id]
