"""Orders in the sandbox hub, and what the daemon's desk makes of them; P21 is not asked to write anything here."""

from __future__ import annotations

from typing import Any

from p21d.engine.orders.desk import OrdersDesk
from p21d.sandbox.hub import OTHER_SYSTEM, HubSandbox
from p21d.store.intent import Intent
from tests.engine.world import Engine

OUR_SYSTEM = 5120
ON: dict[str, Any] = {"enabled": True, "not_before": "2026-01-01"}
OFF: dict[str, Any] = {"enabled": False}
RECENT, OLD = "2026-11-20T10:00:00+00:00", "2025-06-01T10:00:00+00:00"


def desk_of(engine: Engine) -> OrdersDesk:
    desk = engine.assembly.supervisor.orders
    assert desk is not None
    return desk


def place(hub: HubSandbox, number: str, **members: Any) -> str:
    """Put an order of the web shop into the hub and return its id."""
    body: dict[str, Any] = {
        "system_id": OTHER_SYSTEM,
        "transaction_number": number,
        "type": "Order",
        "status": "Pending",
        "created_datetime": RECENT,
        "email_address": "ann@acme.example",
    }
    return str(hub.create("transaction", **{**body, **members})["id"])


def reads(hub: HubSandbox) -> int:
    """Return how many transactions were read one by one."""
    return sum(call.method == "GET" and "/v2/Transaction/" in call.path for call in hub.requests)


def links(hub: HubSandbox) -> dict[str, str]:
    """Return our external id of each transaction that has one, by the hub's id."""
    return {
        str(record["id"]): link["external_id"]
        for record in hub.records("transaction")
        for link in record["external_ids"]
        if link["system_id"] == OUR_SYSTEM
    }


async def intents(engine: Engine, *states: str) -> dict[str, Intent]:
    return {intent.hub_id: intent for intent in await desk_of(engine).intents(states, 10_000)}


async def left_alone(engine: Engine) -> dict[str, int]:
    return dict(await engine.store.read.inbox.reasons())


async def read_all(engine: Engine) -> list[str]:
    """Read the inbox to its end and return the ids of new intents."""
    taken: list[str] = []
    while True:
        result = await desk_of(engine).sync()
        taken += result.prepared
        if "read on" not in result.note:
            return taken
