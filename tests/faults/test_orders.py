"""Orders into P21 exactly once: a real daemon, killed at every step of its ledger, between a P21 and a hub that lie."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio

from p21d.clock import SystemClock
from p21d.control.answers import Status
from p21d.control.client import ControlClient
from p21d.control.order_answers import OrderAnswer
from p21d.engine.orders.ledger import CREATED, HELD, LINKED, PREPARED, SENDING, UNKNOWN
from p21d.sandbox.distributor.sales import correct_po
from p21d.sandbox.faults import Fault
from p21d.sandbox.prophet21.transaction.service import Write
from tests.faults.comparison import living
from tests.faults.crashing import CrashingDaemon
from tests.faults.lives import CUT
from tests.faults.world import Daemon, World, until, world

ORDERS = 200
SETTLE_SECONDS = 1.5
WRITES = {"path": "*/api/v2/transaction", "method": "POST"}
FAULTS = (
    Fault(kind="drop_before", probability=0.08, seed=1, **WRITES),
    Fault(kind="drop_after", probability=0.08, seed=2, **WRITES),
    Fault(kind="status_after", status=500, body="Internal Server Error", probability=0.06, seed=3, **WRITES),
    Fault(kind="window_after", probability=0.06, seed=4),
    Fault(kind="window_after", status=500, probability=0.03, seed=5),
    Fault(kind="window_before", probability=0.05, seed=6),
    Fault(kind="drop_line", probability=0.05, seed=7),
    Fault(kind="drop_after", path="*/External/UpdateExternalId", probability=0.03, seed=8),
    Fault(kind="status", status=503, path="*/odata/*", probability=0.01, seed=9),
)
STEPS = (
    *(f"{when}order {state}" for state in (PREPARED, SENDING, CREATED, LINKED) for when in ("before ", "")),
    *("before order sent", "order sent", "order read back", "order linked in the hub"),
    *("order lines linked in the hub", f"before order {UNKNOWN}", f"order {UNKNOWN}"),
)
"""Every named step of an order that goes its way; see engine/orders/ledger.py."""
DEADLINE_SECONDS = 240.0
ASKED_SECONDS = 0.5
"""Between two looks at all orders, which cost the daemon what writing one does."""


def settings() -> dict[str, Any]:
    return {
        "entity": {"poll_interval": "2s"},
        "prophet21": {"settle": "1s", "timeout": "10s", "concurrent_requests": 4},
        "orders": {"enabled": True, "not_before": "2020-01-01", "poll_interval": "1s", "max_per_hour": 10_000},
    }


async def placed(here: World, count: int) -> list[str]:
    """Place orders in the hub, for its linked companies, once the daemon has delivered what they are made of."""
    daemon = here.daemon
    assert isinstance(daemon, CrashingDaemon)
    await daemon.live(ready=True)
    await daemon.until_in_step("location", "company", "customer", "product")
    await daemon.kill()
    companies = tuple(int(company["id"]) for company in here.hub.records("company"))
    wishes = {"types": ("Order",), "statuses": ("Pending",), "skus": salable(here), "company_ids": companies}
    return [str(id_) for id_ in here.hub.seed_orders(count, **wishes)]


async def orders_of(daemon: Daemon) -> list[OrderAnswer]:
    async with ControlClient(daemon.socket) as client:
        return (await client.orders(everything=True, limit=1000)).orders


def salable(here: World) -> tuple[str, ...]:
    """Return the SKUs that can be ordered: active in the hub, and in P21 with the unit they are sold in."""
    units = {(row["inv_mast_uid"], row["unit_of_measure"]) for row in living(here.p21, "item_uom")}
    sold = {
        row["item_id"].strip()
        for row in living(here.p21, "inv_mast")
        if row["inactive"] != "Y" and (row["inv_mast_uid"], row["default_selling_unit"]) in units
    }
    return tuple(sorted(sold & {item["sku"] for item in here.hub.records("product") if item["status"] == "Active"}))


def order_rows(here: World) -> list[dict[str, Any]]:
    """Return the orders that came in over P21's Transaction API."""
    return [row for row in here.p21.database.rows("oe_hdr") if row["created_by"] == "p21d"]


def linked(here: World) -> dict[str, str]:
    """Return our external id of each order of the web shop, by the hub's id."""
    found = {}
    for record in here.hub.records("transaction"):
        ours = [link["external_id"] for link in record["external_ids"] if link["system_id"] == 5120]
        if record["system_id"] != 5120 and ours:
            assert len(ours) == 1
            found[str(record["id"])] = ours[0]
    return found


async def disturb(here: World, clock: SystemClock) -> None:
    """Kill tokens now and then, and let sales correct the PO of an order that has just come in."""
    dice, corrected = random.Random(5), set[str]()
    while True:
        await clock.sleep(0.5)
        if dice.random() < 0.1:
            here.p21.tokens.kill_all()
        for row in order_rows(here):
            if row["order_no"] not in corrected and dice.random() < 0.1:
                corrected.add(row["order_no"])
                correct_po(here.p21.database, clock.now(), row["order_no"], f"SALES-{row['order_no']}")


async def decide(here: World, daemon: Daemon, orders: Sequence[OrderAnswer]) -> None:
    """Do what an administrator does with held orders: adopt the one that P21 has, send the others again."""
    written = {number: reference for write in here.p21.transactions.writes for number, reference in numbers_of(write)}
    for order in orders:
        if order.state in (HELD, "refused"):
            own = [number for number, text in written.items() if text.endswith(f"HUB-{order.id}")]
            async with ControlClient(daemon.socket) as client:
                if own:
                    await client.adopt_order(order.id, own[0])
                else:
                    await client.retry_order(order.id)


def numbers_of(write: Write) -> Iterator[tuple[str, str]]:
    """Yield the orders that one write made, each with the PO number it was sent with."""
    for done, transaction in zip(write.done, write.sent.transactions, strict=True):
        if done.order_no:
            header = transaction.data_elements[0].rows[0].edits
            yield done.order_no, next(edit.value or "" for edit in header if edit.name == "po_no")


async def all_linked(here: World, daemon: Daemon, ids: Sequence[str]) -> bool:
    await anyio.sleep(ASKED_SECONDS)
    orders = await orders_of(daemon)
    await decide(here, daemon, orders)
    return Counter(order.state for order in orders)[LINKED] == len(ids)


def assert_each_once(here: World, ids: Sequence[str]) -> None:
    links = linked(here)
    numbers = [row["order_no"] for row in order_rows(here)]
    assert sorted(links) == sorted(ids), "each linked"
    assert len(set(links.values())) == len(ids), "no two linked with one order"
    assert sorted(numbers) == sorted(links.values()), "none twice, none missing"
    ours = [record for record in here.hub.records("transaction") if record["transaction_number"] in set(numbers)]
    assert ours == [], "none came back to the hub as a new record"


async def test_two_hundred_orders_through_every_fault_and_a_kill_at_every_step(
    tmp_path: Path, lives: subprocess.Popen[bytes]
) -> None:
    async with world(tmp_path, rows=60, **settings()) as here:
        for name in here.daemon.settings["entities"].keys() - {"transaction"}:
            here.daemon.settings["entities"][name]["poll_interval"] = "1h"  # nothing of theirs changes
        here.daemon = daemon = CrashingDaemon(here.daemon, lives, settle_seconds=SETTLE_SECONDS)
        ids = await placed(here, ORDERS)
        for fault in FAULTS:
            (here.hub if "External" in fault.path else here.p21).faults.add(fault)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(disturb, here, SystemClock())
            for number, step in enumerate(STEPS):
                await daemon.live(step=step, times=1 + number % 3)
                assert await daemon.ended(DEADLINE_SECONDS) == CUT, step
            await daemon.live(ready=True)
            await until(lambda: all_linked(here, daemon, ids), "all orders linked", DEADLINE_SECONDS)
            tasks.cancel_scope.cancel()
        here.p21.faults.clear()
        here.hub.faults.clear()
        assert_each_once(here, ids)
        await assert_dropped_lines_are_reported(here, daemon)
        await until(lambda: shown(here, daemon), "the hub shows what P21 made of them")
        assert_each_once(here, ids)


async def assert_dropped_lines_are_reported(here: World, daemon: Daemon) -> None:
    lines = Counter(row["order_no"] for row in here.p21.database.rows("oe_line"))
    sizes = {str(record["id"]): len(record["lines"]) for record in here.hub.records("transaction")}
    short = {order.id for order in await orders_of(daemon) if lines[order.order_no] < sizes[order.id]}
    told = {
        order.id for order in await orders_of(daemon) if any("missing in P21" in said for said in order.differences)
    }
    assert short
    assert short == told


async def shown(here: World, daemon: Daemon) -> bool:
    status: Status = await daemon.status()
    entity = next(entity for entity in status.entities if entity.entity == "transaction")
    return entity.state == "in step" and not entity.waiting
