"""A stop that finds an order on the wire, over real sockets: cut off at the deadline, looked up, never doubled."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from p21d.engine.orders.ledger import SENDING, START, UNKNOWN
from p21d.engine.orders.writer import OrderWriter
from p21d.sandbox.faults import Fault
from tests.engine.orders.taking_in import ON, desk_of, intents
from tests.engine.orders.test_over_sandboxes import WRITES, check, p21_orders, placed, work
from tests.engine.world import DEADLINE_SECONDS, Engine

FAULTS = [
    Fault(kind="hang", seconds=600, times=1, **WRITES),  # never reaches P21's window
    Fault(kind="hang_after", seconds=600, times=1, **WRITES),  # saved, and no answer comes
]


async def stop_while_sending(engine: Engine, served: Any, fault: Fault, hub_id: str) -> list[Any]:
    """Run everything, stop it while P21 has the order and says nothing, and return what the log said."""
    number = served.p21.faults.add(fault)
    supervisor = engine.assembly.supervisor
    with capture_logs() as logs, anyio.fail_after(DEADLINE_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            while not arrived(engine, served, number, fault, hub_id):  # noqa: ASYNC110  # it is the server's to show
                await anyio.sleep(0.005)
            assert await supervisor.stop(0.02) is False
    return list(logs)


def arrived(engine: Engine, served: Any, number: int, fault: Fault, hub_id: str) -> bool:
    saved = bool(p21_orders(engine, hub_id)) or fault.kind == "hang"
    return bool(served.p21.faults.fired(number)) and saved


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
async def test_an_order_on_the_wire_is_cut_off_at_the_deadline_and_the_log_says_so(make, served, fault):
    engine, [hub_id] = await placed(make, 1)
    logs = await stop_while_sending(engine, served, fault, hub_id)
    intent = (await intents(engine))[hub_id]
    assert intent.state == SENDING
    [said] = [line for line in logs if line["event"] == "order cut off"]
    assert (said["order"], said["log_level"]) == (intent.hub_number, "warning")
    assert said["reference"].endswith(f"HUB-{hub_id}")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
async def test_the_next_start_calls_it_unknown_and_ends_with_one_order(make, served, fault):
    engine, [hub_id] = await placed(make, 1)
    await stop_while_sending(engine, served, fault, hub_id)
    again = make(orders=ON)
    with capture_logs() as logs:
        await OrderWriter(desk_of(again).context).recover()
    assert (await intents(again))[hub_id].state == UNKNOWN
    assert [line["words"] for line in logs if line["event"] == "order unknown"] == [
        "p21d was stopped before it knew what P21 made of it"
    ]
    assert (await desk_of(again).show(hub_id))[1][-1].by == START
    await desk_of(again).intake.claim()  # as its inbox does
    await work(again)
    await check(again, [hub_id])


async def test_a_drain_lets_an_answer_come_that_comes_in_time(make, served):
    engine, [hub_id] = await placed(make, 1)
    fault = served.p21.faults.add(Fault(kind="slow", seconds=0.05, times=1, **WRITES))
    supervisor = engine.assembly.supervisor
    with anyio.fail_after(DEADLINE_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            while not served.p21.faults.fired(fault):  # noqa: ASYNC110  # it is the server's to show
                await anyio.sleep(0.005)
            assert await supervisor.stop(DEADLINE_SECONDS) is True
    intent = (await intents(engine))[hub_id]
    assert intent.order_no == p21_orders(engine, hub_id)[0]["order_no"]
