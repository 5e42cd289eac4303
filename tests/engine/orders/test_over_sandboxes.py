"""The order writer over both sandboxes: whatever P21 does to a write, one order and one link each."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from p21d.engine.orders.writer import OrderWriter
from p21d.errors import ConfigError, Forbidden
from p21d.sandbox.faults import Fault
from tests.engine.orders.taking_in import ON, desk_of, intents, links, read_all
from tests.engine.world import Engine

WRITES = {"path": "*/api/v2/transaction", "method": "POST"}
SKUS = ("BOLT-000003", "CLAMP-000007", "BOLT-000015")
SAVED = [
    Fault(kind="window_after", times=1),
    Fault(kind="window_after", times=1, status=500),
    Fault(kind="drop_after", times=1, **WRITES),
    Fault(kind="status_after", times=1, status=500, body="Internal Server Error", **WRITES),
]
UNSAVED = [
    Fault(kind="window_before", times=1),
    Fault(kind="window_before", times=1, status=500),
    Fault(kind="dirty_session", times=1),
    Fault(kind="drop_before", times=1, **WRITES),
    Fault(kind="status", times=1, status=502, **WRITES),
]


async def placed(make: Any, count: int) -> tuple[Engine, list[str]]:
    """Return an engine that has taken that many orders of the hub's linked companies."""
    engine = make(orders=ON)
    await engine.sweep_all()
    companies = tuple(int(company["id"]) for company in engine.hub.records("company"))
    wanted = {"types": ("Order",), "statuses": ("Pending",), "skus": SKUS, "company_ids": companies}
    ids = engine.hub.seed_orders(count, **wanted)
    taken = await read_all(engine)
    assert set(map(str, ids)) <= set(taken)
    return engine, [str(id_) for id_ in ids]


async def work(engine: Engine, minutes: int = 15) -> None:
    writer = OrderWriter(desk_of(engine).context)
    for _ in range(minutes):
        while await writer.write_next():
            pass
        while await writer.follow_next():
            pass
        engine.clock.advance(60)


def p21_orders(engine: Engine, hub_id: str) -> list[dict[str, Any]]:
    return [row for row in engine.p21.rows("oe_hdr") if str(row["po_no"]).endswith(f"HUB-{hub_id}")]


async def check(engine: Engine, ids: list[str]) -> None:
    for hub_id in ids:
        [row] = p21_orders(engine, hub_id)
        assert links(engine.hub)[hub_id] == row["order_no"]
    found = await intents(engine)
    assert {hub_id: found[hub_id].state for hub_id in ids} == dict.fromkeys(ids, "linked")


@pytest.mark.parametrize("fault", [*SAVED, *UNSAVED], ids=lambda fault: f"{fault.kind}-{fault.status}")
async def test_a_write_that_goes_wrong_ends_as_one_order(make, served, fault):
    engine, ids = await placed(make, 3)
    served.p21.faults.add(fault)
    await work(engine)
    await check(engine, ids)
    found = await intents(engine)
    assert not any(found[hub_id].differences for hub_id in ids)


async def test_dropped_lines_are_reported(make, served):
    engine, ids = await placed(make, 2)
    served.p21.faults.add(Fault(kind="drop_line", times=1))
    await work(engine, minutes=2)
    await check(engine, ids)
    found = await intents(engine)
    [differences] = [found[hub_id].differences for hub_id in ids if found[hub_id].differences]
    assert "missing in P21" in differences[0]


async def test_lines_are_linked_with_the_lines_of_p21(make):
    engine, ids = await placed(make, 1)
    await work(engine, minutes=2)
    [record] = [record for record in engine.hub.records("transaction") if str(record["id"]) == ids[0]]
    [row] = p21_orders(engine, ids[0])
    ours = [[one["external_id"] for one in line["external_ids"]] for line in record["lines"]]
    assert ours == [[f"{row['order_no']}|{number}"] for number in range(1, len(ours) + 1)]


async def test_an_order_is_not_sent_without_permission_and_the_error_says_which(make, served):
    engine, ids = await placed(make, 1)
    served.p21.settings.may_write_orders = False
    writer = OrderWriter(desk_of(engine).context)
    with pytest.raises(Forbidden) as error:
        await writer.write_next()
    assert error.value.hint
    served.p21.settings.may_write_orders = True
    engine.clock.advance(900)
    await work(engine)
    await check(engine, ids)


def definitions(served: Any) -> int:
    """Return how often P21 was asked for the window's definition."""
    return sum("definition" in call.path.lower() for call in served.p21.requests)


def writes(served: Any) -> int:
    """Return how often P21 was asked to write an order."""
    return sum(call.path.endswith("/transaction") for call in served.p21.requests)


async def test_p21_is_asked_once_before_the_first_order_and_not_for_each(make, served):
    engine, _ = await placed(make, 3)
    assert definitions(served) == 0
    await work(engine, minutes=2)
    assert definitions(served) == 1


async def test_a_window_without_the_reference_field_is_told_before_an_order_is_taken_up(make, served):
    engine, ids = await placed(make, 1)
    context = desk_of(engine).context
    context.config = msgspec.structs.replace(context.config, reference_field="ufc_missing")
    with pytest.raises(ConfigError, match="ufc_missing"):
        await OrderWriter(context).write_next()
    assert (await intents(engine))[ids[0]].attempts == 0
    assert writes(served) == 0


async def test_an_outage_of_p21_before_the_first_order_holds_the_writer_and_is_asked_again(make, served):
    engine, ids = await placed(make, 1)
    fault = served.p21.faults.add(Fault(kind="status", status=503, path="*/definition/*"))
    context = desk_of(engine).context
    writer = OrderWriter(context)
    assert await context.hold.attempt(writer.write_next) is None
    assert context.held is not None
    assert context.held.system == "Prophet 21"
    served.p21.faults.remove(fault)
    await work(engine)
    await check(engine, ids)


async def test_an_order_that_p21_refuses_keeps_its_words(make, served):
    engine, ids = await placed(make, 2)
    served.p21.faults.add(Fault(kind="refuse_order", times=1, body="Customer is on credit hold"))
    await work(engine, minutes=2)
    found = await intents(engine, "refused")
    assert "Customer is on credit hold" in found[ids[0]].reason
    await check(engine, ids[1:])
