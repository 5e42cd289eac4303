from __future__ import annotations

import aiohttp
import anyio
import pytest

from p21d.sandbox.faults import Fault
from tests.sandbox.prophet21.order_bodies import WRITE, order

UNEXPECTED = "Unexpected response window: Order Entry. Window class: w_response_ok"


def made(sandbox):
    return sandbox.database.count("oe_hdr", {"created_by": "p21d"})


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        (Fault(kind="drop_before", path=f"*{WRITE}"), 0),
        (Fault(kind="reset", path=f"*{WRITE}", cut=0), 1),
        (Fault(kind="drop_after", path=f"*{WRITE}"), 1),
        (Fault(kind="hang_after", path=f"*{WRITE}", seconds=0.01), 1),
        (Fault(kind="hang", path=f"*{WRITE}", seconds=0.01), 0),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
async def test_a_connection_breaks_before_or_after_the_save(client, sandbox, fault, count):
    number = sandbox.faults.add(fault)
    with pytest.raises(aiohttp.ClientError):
        await client.write(order())
    assert made(sandbox) == count
    assert sandbox.faults.fired(number) == 1


async def test_a_500_after_the_save_hides_an_order(client, sandbox):
    sandbox.faults.add(Fault(kind="status_after", status=500, method="POST", path=WRITE))
    answer = await client.write(order())
    assert (answer.status, answer.body, made(sandbox)) == (500, b"", 1)


@pytest.mark.parametrize(("kind", "count"), [("window_after", 1), ("window_before", 0)])
async def test_an_unexpected_window_tells_not_whether_the_order_was_saved(client, sandbox, kind, count):
    sandbox.faults.add(Fault(kind=kind, times=1))
    assert await client.refusal(order()) == UNEXPECTED
    sandbox.faults.add(Fault(kind=kind, times=1, status=500))
    answer = await client.write(order())
    assert (answer.status, answer.json["ErrorType"]) == (500, "System.AggregateException")
    assert UNEXPECTED in answer.json["InnerException"]
    assert made(sandbox) == 2 * count


async def test_a_dirty_session_refuses_at_random_and_saves_nothing(client, sandbox):
    sandbox.faults.add(Fault(kind="dirty_session", probability=0.5, seed=2))
    answers = [(await client.write(order())).json for _ in range(10)]
    passed = sum(answer["Summary"]["Succeeded"] for answer in answers)
    assert 0 < passed < 10
    assert made(sandbox) == passed
    refused = {answer["Messages"][0] for answer in answers if answer["Summary"]["Failed"]}
    assert refused == {"Transaction 1:: Object reference not set to an instance of an object."}


async def test_a_line_is_dropped_and_success_reported(client, sandbox):
    sandbox.faults.add(Fault(kind="drop_line"))
    order_no = await client.order_no(order())
    (line,) = sandbox.database.rows("oe_line", {"order_no": order_no})
    assert line["user_line_no"] == "010"


async def test_an_order_may_be_locked_from_the_start(client, sandbox):
    sandbox.faults.add(Fault(kind="lock_order"))
    order_no = await client.order_no(order())
    assert sandbox.database.rows("oe_hdr", {"order_no": order_no})[0]["completed"] == "T"


async def test_a_business_rule_refuses_in_its_own_words(client, sandbox):
    sandbox.faults.add(Fault(kind="refuse_order", body="Freight terms are missing."))
    assert await client.refusal(order()) == "Freight terms are missing."


async def test_write_faults_meet_writes_only(client, sandbox):
    number = sandbox.faults.add(Fault(kind="drop_line"))
    await client.table("oe_hdr", top="1")
    await client.call("POST", f"{WRITE}/get", json={})
    assert sandbox.faults.fired(number) == 0


async def test_two_faults_meet_in_one_write(client, sandbox):
    sandbox.faults.add(Fault(kind="drop_line"))
    sandbox.faults.add(Fault(kind="drop_after", path=WRITE))
    with pytest.raises(aiohttp.ClientError):
        await client.write(order())
    assert sandbox.database.count("oe_line", {"created_by": "p21d"}) == 1


async def test_a_write_that_its_client_gave_up_is_saved_late(client, sandbox):
    sandbox.faults.add(Fault(kind="slow", path=WRITE, seconds=0.05, times=1))
    with pytest.raises(TimeoutError):
        await client.write(order(), timeout=aiohttp.ClientTimeout(total=0.01))
    assert made(sandbox) == 0
    with anyio.fail_after(5):
        while not made(sandbox):
            await client.table("oe_hdr", top="1")


async def test_faults_and_writes_are_seen_from_another_process(client, sandbox):
    await client.call("POST", "/_sandbox/faults", json={"kind": "window_after"})
    await client.write(order())
    (write,) = (await client.call("GET", "/_sandbox/writes")).json
    assert write["done"] == [{"order_no": "1400013", "words": UNEXPECTED}]
    assert write["sent"]["Transactions"][0]["DataElements"][0]["Name"] == "TABPAGE_1.order"
