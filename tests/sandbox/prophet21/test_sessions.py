from __future__ import annotations

import anyio
import msgspec
import pytest

from p21d.fake_clock import FakeClock
from p21d.sandbox.faults import Fault
from p21d.sandbox.prophet21.settings import Settings
from p21d.sandbox.prophet21.transaction.background import BackgroundWrites
from p21d.sandbox.prophet21.transaction.pool import NoSession, SessionPool
from p21d.sandbox.prophet21.transaction.request import TransactionSet
from p21d.sandbox.prophet21.wall_time import WallTime
from tests.sandbox.prophet21.order_bodies import WRITE, order

DONE = 2


async def test_as_many_sessions_as_set_work_and_the_next_waits():
    pool = SessionPool(Settings(sessions=2), FakeClock())
    order_of_entry = []

    async def work(name):
        async with pool.session():
            order_of_entry.append(name)

    async with anyio.create_task_group() as tasks, pool.session(), pool.session():
        for name in ("third", "fourth"):
            tasks.start_soon(work, name)
        await anyio.wait_all_tasks_blocked()
        assert (pool.busy, pool.waiting, order_of_entry) == (2, 2, [])
    assert order_of_entry == ["third", "fourth"]
    assert (pool.busy, pool.waiting) == (0, 0)


async def test_who_waits_too_long_is_turned_away_and_leaves_no_trace():
    clock = FakeClock()
    pool = SessionPool(Settings(sessions=1), clock)
    turned_away = []

    async def work():
        try:
            async with pool.session():
                pass
        except NoSession:
            turned_away.append(clock.monotonic())

    async with anyio.create_task_group() as tasks, pool.session():
        tasks.start_soon(work)
        await clock.until_sleeping()
        clock.advance(60)
        await anyio.wait_all_tasks_blocked()
        assert turned_away == [60.0]
    async with pool.session():
        assert (pool.busy, pool.waiting) == (1, 0)


async def test_a_waiter_that_is_cancelled_gives_its_place_up():
    pool = SessionPool(Settings(sessions=1), FakeClock())

    async def wait():
        async with pool.session():
            raise AssertionError("it was cancelled")

    async with pool.session(), anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    async with pool.session():
        assert (pool.busy, pool.waiting) == (1, 0)


@pytest.mark.parametrize("status", [500, 503])
async def test_without_a_session_nothing_is_written(client, sandbox, status):
    sandbox.settings.update({"sessions": 1, "session_wait_seconds": 0.01, "no_session_status": status})
    async with sandbox.transactions.pool.session():
        answer = await client.write(order())
    assert (answer.status, answer.json["ErrorType"]) == (status, "P21.UI.Service.SessionPoolTimeoutException")
    assert sandbox.database.count("oe_hdr", {"created_by": "p21d"}) == 0
    assert (await client.write(order())).status == 200


async def taken(client, body=None):
    answer = await client.call("POST", f"{WRITE}/async", json=body or order())
    assert answer.json["RequestType"] == "V2 Transaction"
    return answer.json


async def finished(client, request_id):
    """Return the result of a background write that has ended."""
    answer = (await client.call("GET", f"{WRITE}/async", params={"id": request_id})).json
    assert answer["Status"] == DONE
    return msgspec.json.decode(answer["Messages"])


async def test_a_background_write_is_running_then_finished(client, sandbox):
    request = await taken(client)
    assert (request["Status"], request["Messages"]) == (3, None)
    result = await finished(client, request["RequestId"])
    assert result["Summary"]["Succeeded"] == 1
    assert sandbox.database.count("oe_hdr", {"created_by": "p21d"}) == 1


async def test_a_background_write_that_fails_is_finished_too(client):
    request = await taken(client, order(customer_id="1"))
    assert (await finished(client, request["RequestId"]))["Summary"]["Failed"] == 1


def background(clock, **settings):
    def work(sent, _faults):
        ended.append((sent.name, clock.monotonic()))
        return {}

    ended = []
    told = Settings(**settings)
    return BackgroundWrites(work, told, clock, WallTime(told, clock)), ended


def test_two_background_writes_run_at_once_and_the_third_after_them():
    clock = FakeClock()
    writes, ended = background(clock, save_seconds=10.0)
    for name in ("first", "second", "third"):
        writes.take(TransactionSet(name=name), [])
    for _ in range(21):
        writes.catch_up()
        clock.advance(1)
    assert ended == [("first", 10.0), ("second", 10.0), ("third", 20.0)]


async def test_a_background_write_may_never_finish(client, sandbox):
    sandbox.faults.add(Fault(kind="async_never"))
    request = await taken(client)
    await finished(client, (await unhurt(client, sandbox))["RequestId"])
    answer = (await client.call("GET", f"{WRITE}/async", params={"id": request["RequestId"]})).json
    assert answer["Status"] == 3
    assert sandbox.database.count("oe_hdr", {"created_by": "p21d"}) == 1


async def test_a_background_write_may_be_done_and_forgotten(client, sandbox):
    sandbox.faults.add(Fault(kind="async_lost"))
    request = await taken(client)
    await finished(client, (await unhurt(client, sandbox))["RequestId"])
    answer = await client.call("GET", f"{WRITE}/async", params={"id": request["RequestId"]})
    assert answer.status == 404
    assert sandbox.database.count("oe_hdr", {"created_by": "p21d"}) == 2


async def unhurt(client, sandbox):
    sandbox.faults.clear()
    return await taken(client)
