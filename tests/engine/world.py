"""The engine over one store, and clocks that cost a test no time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import anyio

from p21d.assembly import Assembly
from p21d.clock import Clock, SystemClock
from p21d.config import EntityConfig
from p21d.engine.drain import Drain
from p21d.engine.fate import Tally
from p21d.engine.plan import Plan
from p21d.engine.releases import Releases
from p21d.engine.runner import Runner
from p21d.engine.windows import Windows
from p21d.plugin import Entity, Record, Route, Row
from p21d.prophet21.reading import Reading
from p21d.sandbox.serve import Served
from p21d.store.database import Store

PARENTS_FIRST = (
    "location",
    "company",
    "customer",
    "product",
    "product_inventory",
    "transaction",
    "invoice",
    "transaction_tracking_number",
)
DEADLINE_SECONDS = 10.0


class LeapingClock:
    """Goes on by itself, and leaps over every sleep: back-off costs no time."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self.leapt_seconds = 0.0

    def now(self) -> datetime:
        return self._system.now() + timedelta(seconds=self.leapt_seconds)

    def monotonic(self) -> float:
        return self._system.monotonic() + self.leapt_seconds

    def advance(self, seconds: float) -> None:
        self.leapt_seconds += seconds

    async def sleep(self, seconds: float) -> None:
        self.leapt_seconds += max(seconds, 0.0)
        await anyio.sleep(0.001)  # so that loops which only wait leave the sockets their turn


class Engine:
    """The engine over one store: cycles run one by one as a test asks for them."""

    def __init__(self, served: Served, assembly: Assembly, store: Store, clock: Clock) -> None:
        self.served = served
        self.p21 = served.p21.database
        self.hub = served.hub
        self.assembly = assembly
        self.store = store
        self.clock = clock
        self.connection = assembly.supervisor.connection

    def plan(self, entity: str) -> Plan:
        return self.connection.plans[entity]

    def windows(self, entity: str, drain: Drain | None = None) -> Windows:
        return Windows(self.plan(entity), self.connection, drain or Drain(self.clock), settle_seconds=60)

    def releases(self, entity: str) -> Releases:
        return Releases(self.plan(entity), self.connection, Drain(self.clock), {})

    def runner(self, entity: str) -> Runner:
        return self.assembly.supervisor.runners[entity]

    async def sweep(self, entity: str) -> Tally:
        return await self.windows(entity).run("sweep")

    async def poll(self, entity: str) -> Tally:
        return await self.windows(entity).run("poll")

    async def sweep_all(self, *entities: str) -> dict[str, Tally]:
        return {entity: await self.sweep(entity) for entity in entities or PARENTS_FIRST}

    async def release_all(self) -> None:
        """Run release cycles until nothing is wanted or due."""
        with anyio.fail_after(DEADLINE_SECONDS):
            while any([await self.releases(entity).run_due() for entity in PARENTS_FIRST]):
                pass

    async def letters(self, entity: str = "") -> dict[str, dict[str, Any]]:
        """Return the open dead letters by key."""
        return {letter["key"]: letter for letter in await self.store.read.dead_letters.listed(entity=entity)}

    async def waiting(self, entity: str, *keys: str) -> dict[str, Any]:
        return await self.store.read.waiting.by_keys(entity, keys)

    async def watermark(self, entity: str) -> datetime | None:
        return await self.store.read.checkpoints.watermark(entity)

    def reads_of(self, table: str) -> list[str]:
        """Return the queries P21 got for a table, oldest first."""
        return [seen.query for seen in self.served.p21.requests if seen.path.endswith(f"/{table}")]

    async def close(self) -> None:
        await self.assembly.source.aclose()
        await self.assembly.sink.aclose()


class Part(Row, frozen=True):
    """A row of an entity made up by a test."""

    part_id: int
    name: str | None = None
    delete_flag: str | None = None
    row_status_flag: int | None = None
    row_status: int | None = None
    date_last_modified: str | None = None


def part_record(row: Part, _related: Any) -> Record:
    return Record(external_id={"part_id": row.part_id}, body={"name": row.name or ""})


def part_entity(**changes: Any) -> Entity[Part]:
    values: dict[str, Any] = {
        "name": "part",
        "row": Part,
        "table": "inv_mast",
        "key": ("part_id",),
        "external_id": "{part_id}",
        "records": part_record,
        "route": Route(resource="location"),
    }
    return Entity(**{**values, **changes})


def part_plan(**changes: Any) -> Plan:
    entity = part_entity(**changes)
    return Plan(entity=entity, settings=EntityConfig(), reading=Reading.of_entity(entity), plugin="part.py")
