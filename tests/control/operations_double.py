"""The daemon's operations as a double of their port: it answers what a test puts in and remembers what was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from p21d.control.answers import (
    CycleAnswer,
    DeadLetterAnswer,
    DeadLetterRequest,
    DoneAnswer,
    EntityStatus,
    ReloadAnswer,
    Status,
    SyncAnswer,
    SyncRequest,
    SystemStatus,
)
from p21d.control.order_answers import (
    AdoptRequest,
    DismissRequest,
    OrderAnswer,
    OrderDetailAnswer,
    OrdersAnswer,
    OrdersStatus,
    OrdersSyncAnswer,
)
from p21d.engine.fate import Tally
from p21d.events import Feed

NOW = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)


class FakeOperations:
    """Answers by itself; `error` is raised by every operation while it is set, `sync_error` by a sync."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.entities = [entity("customer"), entity("product_inventory", key=["inv_mast_uid", "location_id"])]
        self.not_in_p21: set[str] = set()
        self.letters: list[DeadLetterAnswer] = []
        self.reload_answer = ReloadAnswer(reloaded=True, changes=["entities.customer.poll_interval: 5m -> 1m"])
        self.error: Exception | None = None
        self.copy: Path | None = None
        self.sync_error: Exception | None = None
        self.fates: dict[str, str] = {}
        self.order_book = FakeOrders(self)
        self.events = Feed()
        self.orders_status: OrdersStatus | None = None

    @asynccontextmanager
    async def backup(self) -> AsyncIterator[Path]:
        self._note("backup")
        assert self.copy is not None
        yield self.copy

    @property
    def orders(self) -> FakeOrders:
        return self.order_book

    def _note(self, *asked: Any) -> None:
        if self.error is not None:
            raise self.error
        self.asked.append(asked)

    async def status(self) -> Status:
        self._note("status")
        system = SystemStatus(name="Prophet 21", target="https://p21.example.com", state="working")
        return Status(
            version="0.1.0",
            pid=1,
            started_at=NOW - timedelta(hours=3),
            now=NOW,
            config_path="/etc/p21d/p21d.yaml",
            state="running",
            prophet21=system,
            sink=SystemStatus(name="jsonl", target="/var/lib/p21d/records", state="working"),
            slots_total=10,
            slots_used=2,
            entities=self.entities,
            orders=self.orders_status,
        )

    async def cycles(self, *, entity: str, limit: int) -> Sequence[CycleAnswer]:
        self._note("cycles", entity, limit)
        return [cycle("customer")]

    async def sync(self, request: SyncRequest) -> SyncAnswer:
        self._note("sync", request)
        if self.sync_error is not None:
            raise self.sync_error
        missing = [key for key in request.keys if key in self.not_in_p21]
        tally = Tally(read=len(request.keys) - len(missing))
        for key in request.keys:
            if key not in self.not_in_p21:
                fate = self.fates.get(key, "delivered")
                setattr(tally, fate, getattr(tally, fate) + 1)
        status = "completed" if request.wait else "accepted"
        return SyncAnswer(
            entity=request.entity, status=status, tally=tally, missing=missing[:100], missing_count=len(missing)
        )

    async def reload(self) -> ReloadAnswer:
        self._note("reload")
        return self.reload_answer

    async def pause(self, entity: str, because: str) -> DoneAnswer:
        self._note("pause", entity, because)
        return DoneAnswer(done=f"{entity} is paused")

    async def resume(self, entity: str) -> DoneAnswer:
        self._note("resume", entity)
        return DoneAnswer(done=f"{entity} runs again")

    async def dead_letters(self, *, entity: str, key: str, limit: int, before: int) -> Sequence[DeadLetterAnswer]:
        self._note("dead_letters", entity, key, limit, before)
        return self.letters

    async def replay(self, request: DeadLetterRequest) -> SyncAnswer:
        self._note("replay", request)
        return SyncAnswer(entity=request.entity, status="completed", tally=Tally(read=2, delivered=2))

    async def discard(self, request: DeadLetterRequest) -> DoneAnswer:
        self._note("discard", request)
        return DoneAnswer(done="2 dead letters closed", count=2)

    def set_log_level(self, level: str) -> DoneAnswer:
        self._note("log_level", level)
        return DoneAnswer(done=f"logging at {level}")


class FakeOrders:
    """The part of the operations that is about orders; `listed` and `sync_answer` are what it answers."""

    def __init__(self, operations: FakeOperations) -> None:
        self._operations = operations
        self.status = OrdersStatus(state="on", counts={"linked": 3, "held": 1})
        self.listed: list[OrderAnswer] = []
        self.detail: OrderDetailAnswer | None = None
        self.sync_answer = OrdersSyncAnswer(prepared=["149049"])

    async def orders(self, *, state: str, everything: bool, limit: int) -> OrdersAnswer:
        self._operations._note("orders", state, everything, limit)
        return OrdersAnswer(status=self.status, orders=self.listed)

    async def order(self, id_: str) -> OrderDetailAnswer:
        self._operations._note("order", id_)
        return self.detail or OrderDetailAnswer(order=order(id_))

    async def sync(self, ids: Sequence[str], by: str) -> OrdersSyncAnswer:
        self._operations._note("sync", list(ids), by)
        return self.sync_answer

    async def retry(self, id_: str, by: str) -> DoneAnswer:
        self._operations._note("retry", id_, by)
        return DoneAnswer(done=f"order {id_} is tried again")

    async def adopt(self, asked: AdoptRequest, by: str) -> DoneAnswer:
        self._operations._note("adopt", asked.id, asked.order_no, by)
        return DoneAnswer(done=f"order {asked.id} is {asked.order_no} in P21")

    async def dismiss(self, asked: DismissRequest, by: str) -> DoneAnswer:
        self._operations._note("dismiss", asked.id, asked.because, by)
        return DoneAnswer(done=f"order {asked.id} is dismissed")

    async def acknowledge(self, id_: str, by: str) -> DoneAnswer:
        self._operations._note("acknowledge", id_, by)
        return DoneAnswer(done="acknowledged")

    async def take_over(self, by: str) -> DoneAnswer:
        self._operations._note("take_over", by)
        return DoneAnswer(done="taken over")


def order(id_: str, **more: Any) -> OrderAnswer:
    known: dict[str, Any] = {
        "id": id_, "number": f"WEB-{id_}", "state": "held", "reason": "line 1: P21 has no active item VALVE-99",
        "hint": "create the item in P21", "created_at": NOW, "changed_at": NOW, **more,
    }  # fmt: skip
    return OrderAnswer(**known)


def entity(name: str, *, key: list[str] | None = None, state: str = "in step", **more: Any) -> EntityStatus:
    known = {"since": NOW, "watermark": NOW - timedelta(minutes=5), "behind_seconds": 300.0, **more}
    return EntityStatus(entity=name, key=key or [f"{name}_id"], state=state, **known)


def cycle(name: str) -> CycleAnswer:
    tally = Tally(read=3, delivered=2, unchanged=1)
    return CycleAnswer(entity=name, kind="poll", status="completed", note="", started_at=NOW, ended_at=NOW, tally=tally)


def letter(number: int, **more: Any) -> DeadLetterAnswer:
    known: dict[str, Any] = {
        "id": number, "entity": "customer", "key": f"01|{number}", "external_id": f"01|{number}", "code": "E17",
        "error": "name is too long", "hint": "shorten it in P21", "attempts": 1, "times": 3, "plugin": "customer.py",
        "body": '{"name":"Acme"}', "first_at": NOW, "last_at": NOW, **more,
    }  # fmt: skip
    return DeadLetterAnswer(**known)
