"""P21 and the hub as the order writer sees them, in memory: what they answer is scripted by a test."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec

from p21d.config import EntityConfig, OrdersConfig
from p21d.engine.connection import Connection
from p21d.engine.drain import Drain
from p21d.engine.orders.context import OrderContext
from p21d.engine.orders.writer import OrderWriter
from p21d.engine.plan import Plan
from p21d.engine.slots import Slots
from p21d.engine.watch import Watch
from p21d.errors import RecordRefused, Unavailable
from p21d.order import (
    Found,
    Held,
    HubAddress,
    HubLine,
    HubOrder,
    Order,
    OrderLine,
    OrderMapping,
    OrderMark,
    P21Customer,
    P21Item,
    P21Location,
    P21ShipTo,
)
from p21d.plugin import Entity, Route, Row
from p21d.prophet21.orders.port import FoundLine, FoundOrder, Outcome, Verdict
from p21d.prophet21.reading import Reading
from tests.engine.world import part_record

START = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
CUSTOMER = 200001
OUR_SYSTEM = 5120


class NoDefaults(msgspec.Struct, frozen=True):
    """A mapping without settings."""


def hub_order(hub_id: str, **changes: Any) -> HubOrder:
    values: dict[str, Any] = {
        "id": hub_id,
        "number": f"W{hub_id}",
        "type": "Order",
        "status": "Pending",
        "system_id": 77,
        "company_id": "4411",
        "created_at": START - timedelta(minutes=5),
        "total": Decimal("25.00"),
        "lines": (
            HubLine(id=f"{hub_id}-a", sku="BOLT", quantity=Decimal(2)),
            HubLine(id=f"{hub_id}-b", sku="NUT", quantity=Decimal(5)),
        ),
        "addresses": (HubAddress(type="Shipping", shipping_method="UPS"),),
        "custom_fields": {"po": f"PO{hub_id}"},
        "digest": "first",
    }
    return HubOrder(**{**values, **changes})


def map_order(order: HubOrder, found: Found, _defaults: NoDefaults) -> Order | Held:
    if unknown := [line.sku for line in order.lines if line.sku not in found.items]:
        return Held(f"P21 has no item {unknown[0]}", "create it")
    return Order(
        customer_id=found.customer.customer_id,
        ship_to_id=found.ship_tos[0].ship_to_id,
        sales_location_id=10,
        source_location_id=10,
        order_date=found.today,
        requested_date=found.today,
        taker="P21D",
        buyer_po=order.custom_fields.get("po", ""),
        lines=[
            OrderLine(
                user_line_no=f"{10 * n:03}",
                hub_line_id=line.id,
                item_id=line.sku,
                unit_quantity=line.quantity or Decimal(1),
            )
            for n, line in enumerate(order.lines, 1)
        ],
    )


def mapping(**changes: Any) -> OrderMapping[NoDefaults]:
    values: dict[str, Any] = {
        "name": "test",
        "entity": "order",
        "company_entity": "company",
        "contact_entity": "contact",
        "defaults": NoDefaults,
        "order": map_order,
        "mark": lambda row: OrderMark(order_no=row.order_no, customer_id=row.customer_id),
    }
    return OrderMapping(**{**values, **changes})


class DeskDouble:
    """P21. `answers` scripts the writes to come: `saved`, `lost` (saved, no answer), `gone` (neither), `busy`,
    `refused`, `late` (saved by the test, or after `late_seconds`), or an exception; after them every write is saved."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.orders: dict[str, FoundOrder] = {}
        self.answers: deque[Any] = deque()
        self.down: Exception | None = None
        self.writes: list[bytes] = []
        self.calls: list[str] = []
        self.hidden: set[str] = set()
        self.dropped_lines = 0
        self.held: Held | None = None
        self.late: list[bytes] = []
        self.late_seconds = 0.0
        self._arriving: list[tuple[float, bytes]] = []

    def _ask(self, what: str) -> None:
        self.calls.append(what)
        for arrives, body in [one for one in self._arriving if one[0] <= self.clock.monotonic()]:
            self._arriving.remove((arrives, body))
            self.save(body)
        if self.down is not None:
            raise self.down

    async def parties(self, wanted: Any, **_: Any) -> Found | Held:
        self._ask("parties")
        if self.held or wanted.customer is None:
            return self.held or Held("no P21 customer")
        return Found(
            customer=P21Customer(company_id="01", customer_id=int(wanted.customer[1]), name="Acme"),
            ship_tos=[P21ShipTo(ship_to_id=CUSTOMER)],
            locations={10: P21Location(location_id=10)},
            items={sku: P21Item(item_id=sku, inv_mast_uid=1) for sku in wanted.skus if sku != "NONE"},
            today=date(2026, 11, 2),
            contact_id=wanted.contact_id,
        )

    def render(self, order: Order, *, reference_text: str, reference_field: str) -> bytes:
        return msgspec.json.encode([order, reference_text, reference_field])

    async def write(self, body: bytes) -> Outcome:
        self.writes.append(body)
        answer = self.answers.popleft() if self.answers else "saved"
        if isinstance(answer, Exception):
            raise answer
        match answer:
            case "saved":
                return Outcome(verdict=Verdict.CREATED, order_no=self.save(body))
            case "lost":
                self.save(body)
                return Outcome(verdict=Verdict.UNKNOWN, words="connection reset")
            case "gone":
                return Outcome(verdict=Verdict.UNKNOWN, words="connection reset")
            case "late":
                self.late.append(body)
                if self.late_seconds:
                    self._arriving.append((self.clock.monotonic() + self.late_seconds, body))
                return Outcome(verdict=Verdict.UNKNOWN, words="no answer within 120 s")
            case "busy":
                return Outcome(verdict=Verdict.BUSY, words="no session within 60 seconds")
        return Outcome(verdict=Verdict.REFUSED, words="Customer is on credit hold", hint="release it in P21")

    def save(self, body: bytes, **changes: Any) -> str:
        order, text, _ = msgspec.json.decode(body, type=tuple[Order, str, str])
        order_no = str(1400000 + len(self.orders) + 1)
        lines = [
            FoundLine(
                line_no=n,
                user_line_no=line.user_line_no,
                item_id=line.item_id,
                unit_quantity=line.unit_quantity,
                unit_of_measure="EA",
                unit_price=None,
            )
            for n, line in enumerate(order.lines, 1)
        ]
        found = FoundOrder(
            order_no=order_no,
            company_id="01",
            customer_id=order.customer_id,
            ship_to_id=order.ship_to_id,
            po_no=text,
            reference_text=text,
            taker=order.taker,
            state="N",
            cancelled=False,
            created_at=self.clock.now(),
            order_date=order.order_date,
            requested_date=order.requested_date,
            contact_id="",
            sales_location_id=10,
            source_location_id=10,
            lines=lines[: len(lines) - self.dropped_lines],
        )
        self.orders[order_no] = replace(found, **changes)
        return order_no

    def change(self, order_no: str, **changes: Any) -> None:
        self.orders[order_no] = replace(self.orders[order_no], **changes)

    async def by_reference(
        self, *, field: str, text: str, customer_id: int, created_since: datetime
    ) -> list[FoundOrder]:
        self._ask(f"by_reference {text}")
        return [
            order
            for order in self._seen(created_since)
            if order.reference_text == text and order.customer_id == customer_id
        ]

    async def candidates(
        self, *, customer_id: int, taker: str, created_since: datetime, item_ids: Any, field: str = "po_no"
    ) -> list[FoundOrder]:
        self._ask("candidates")
        return [
            order
            for order in self._seen(created_since)
            if (order.customer_id, order.taker) == (customer_id, taker)
            and {line.item_id for line in order.lines} & set(item_ids)
        ]

    def _seen(self, since: datetime) -> list[FoundOrder]:
        return [
            order
            for order in self.orders.values()
            if order.order_no not in self.hidden and order.created_at and order.created_at >= since
        ]

    async def read(self, order_no: str, *, field: str = "po_no") -> FoundOrder | None:
        self._ask("read")
        return None if order_no in self.hidden else self.orders.get(order_no)

    async def check(self, *, reference_field: str) -> None:
        self._ask("check")


class InboxDouble:
    """The hub: its orders, and its links by (member, hub id)."""

    system_id = OUR_SYSTEM

    def __init__(self) -> None:
        self.orders: dict[str, HubOrder] = {}
        self.links: dict[tuple[str, str], str] = {}
        self.others: dict[str, str] = {}
        self.down: Exception | None = None
        self.calls = 0

    def _ask(self) -> None:
        self.calls += 1
        if self.down is not None:
            raise self.down

    async def order(self, _route: Route, hub_id: str) -> HubOrder | None:
        self._ask()
        return self.orders.get(hub_id)

    async def external_id(self, route: Route, hub_id: str) -> str | None:
        self._ask()
        return self.others.get(hub_id) if route.resource != "order" else self.links.get(("", hub_id))

    async def link(self, _route: Route, external_id: str, hub_id: str, *, member: str = "") -> None:
        self._ask()
        for (kind, other), taken in self.links.items():
            if kind == member and (taken == external_id) != (other == hub_id):
                raise RecordRefused(f"{taken} is linked with {other}", code="BIZL-1003")
        self.links[member, hub_id] = external_id

    def edit(self, hub_id: str, **changes: Any) -> None:
        self.orders[hub_id] = replace(self.orders[hub_id], **changes)


class AnyRow(Row, frozen=True):
    """A row with every key below; the writer reads none of them."""

    order_no: str = ""
    company_id: str = ""
    customer_id: int = 0
    id: str = ""
    date_last_modified: str | None = None


def plan(name: str, *key: str, external_id: str, route: Route) -> Plan:
    entity: Entity[Any] = Entity(
        name=name, row=AnyRow, table=name, key=key, external_id=external_id, records=part_record, route=route
    )
    return Plan(entity=entity, settings=EntityConfig(), reading=Reading.of_entity(entity), plugin=f"{name}.py")


PLANS = {
    "order": plan(
        "order", "order_no", external_id="{order_no}", route=Route(resource="order", children={"lines": "line"})
    ),
    "company": plan(
        "company", "company_id", "customer_id", external_id="{customer_id}", route=Route(resource="company")
    ),
    "contact": plan("contact", "id", external_id="{id}", route=Route(resource="contact")),
}


class OrderWorld:
    """A writer over one store, between two doubles; `restart` gives the next process over the same store."""

    def __init__(self, store: Any, clock: Any, **config: Any) -> None:
        self.store, self.clock = store, clock
        self.desk, self.inbox = DeskDouble(clock), InboxDouble()
        self.inbox.others["4411"] = str(CUSTOMER)
        self.config = OrdersConfig(enabled=True, **config)
        self.mapping = mapping()
        self.steps: list[str] = []
        self.on_step: Any = lambda _step: None
        self.restart()

    def restart(self) -> None:
        """Begin a new process: nothing is left but the store and what stands in P21 and the hub."""
        sink = SimpleNamespace(
            link_table=lambda route, member="": route.resource + ("." + member if member else ""),
            probe=self._probe,
            inbox=self.inbox,
        )
        connection = Connection(
            clock=self.clock,
            store=self.store,
            source=None,  # type: ignore[arg-type]
            sink=sink,  # type: ignore[arg-type]
            slots=Slots(2),
            batch_rows=10,
            plans=PLANS,
            watch=Watch(self.clock),
            steps=self._step,
        )
        self.drain = Drain(self.clock)
        self.context = OrderContext(
            connection=connection,
            config=self.config,
            mapping=self.mapping,
            defaults=NoDefaults(),
            inbox=self.inbox,
            desk=self.desk,  # type: ignore[arg-type]
            not_before=START - timedelta(days=1),
            drain=self.drain,
        )
        self.ledger = self.context.ledger
        self.writer = OrderWriter(self.context)

    async def _probe(self, _route: Route) -> None:
        if self.inbox.down is not None:
            raise self.inbox.down

    def _step(self, step: str) -> None:
        self.steps.append(step)
        self.on_step(step)

    async def place(self, *hub_ids: str, **changes: Any) -> None:
        """Place orders in the hub, and take them from the inbox."""
        for hub_id in hub_ids:
            self.inbox.orders[hub_id] = hub_order(hub_id, **changes)
            await self.ledger.begin(self.inbox.orders[hub_id], by="inbox")
            self.clock.advance(0.001)

    async def state(self, hub_id: str) -> str:
        return (await self.intent(hub_id)).state

    async def intent(self, hub_id: str) -> Any:
        return await self.store.read.intents.get(hub_id)

    async def write(self) -> None:
        """Let the writer work until it has nothing to send."""
        while await self.writer.write_next():
            self.clock.advance(0.001)

    async def follow(self) -> None:
        """Let the follow-up work until it has nothing due."""
        while await self.writer.follow_next():
            self.clock.advance(0.001)

    async def settle(self, seconds: float = 4000, step: float = 30) -> None:
        """Work for that long."""
        for _ in range(int(seconds / step)):
            await self.write()
            await self.follow()
            self.clock.advance(step)

    def linked_orders(self) -> dict[str, str]:
        """Return the linked external id by hub id."""
        return {hub_id: external_id for (member, hub_id), external_id in self.inbox.links.items() if not member}


def p21_down() -> Unavailable:
    return Unavailable("P21 does not answer", system="Prophet 21")


def hub_down() -> Unavailable:
    return Unavailable("the hub does not answer", system="the sink")
