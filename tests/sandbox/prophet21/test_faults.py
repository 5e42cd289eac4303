from __future__ import annotations

from contextlib import suppress

import aiohttp
import anyio
import msgspec
import pytest

from p21d.sandbox.faults import Fault, load_faults

ORDERS = "/odataservice/odata/table/oe_hdr"


async def statuses(client, count):
    return [(await client.table("oe_hdr", top="1")).status for _ in range(count)]


async def test_a_status_comes_as_often_as_told_and_after_as_many(client, sandbox):
    number = sandbox.faults.add(Fault(kind="status", status=503, path=ORDERS, after=1, times=2))
    assert await statuses(client, 5) == [200, 503, 503, 200, 200]
    assert sandbox.faults.fired(number) == 2
    assert sandbox.faults.list()[0].seen == 5


async def test_a_status_carries_reason_headers_and_body(client, sandbox):
    sandbox.faults.add(
        Fault(kind="status", status=429, reason="Slow Down", headers={"Retry-After": "7"}, body='{"a":1}')
    )
    answer = await client.table("oe_hdr", top="1")
    assert (answer.status, answer.headers["Retry-After"], answer.json) == (429, "7", {"a": 1})


async def test_a_fault_meets_only_its_path_method_and_query(client, sandbox):
    sandbox.faults.add(Fault(kind="status", path="*/table/oe_*", method="get", query="*skip=3*"))
    assert (await client.table("oe_hdr", top="1")).status == 200
    assert (await client.table("inv_loc", top="1", skip="3")).status == 200
    assert (await client.table("OE_LINE", top="1", skip="3")).status == 503


async def test_a_path_may_be_a_pattern(client, sandbox):
    sandbox.faults.add(Fault(kind="status", path="re:table/(oe_hdr|inv_loc)$"))
    assert (await client.table("inv_loc", top="1")).status == 503
    assert (await client.table("oe_line", top="1")).status == 200


async def test_chance_is_repeatable(client, sandbox):
    fault = Fault(kind="status", probability=0.5, seed=3)
    sandbox.faults.add(fault)
    first = await statuses(client, 12)
    sandbox.faults.clear()
    sandbox.faults.add(fault)
    assert await statuses(client, 12) == first
    assert set(first) == {200, 503}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="drop_before"),
        Fault(kind="drop_after"),
        Fault(kind="hang", seconds=0.01),
        Fault(kind="reset", cut=0.0),
        Fault(kind="reset"),
        Fault(kind="truncate"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.cut}",
)
async def test_a_broken_connection_is_a_client_error(client, sandbox, fault):
    number = sandbox.faults.add(fault)
    with pytest.raises(aiohttp.ClientError):
        await client.table("oe_hdr")
    assert sandbox.faults.fired(number) >= 1


async def test_an_honest_truncation_is_200_with_broken_json(client, sandbox):
    sandbox.faults.add(Fault(kind="truncate", honest=True, cut=0.9))
    answer = await client.table("oe_hdr")
    assert answer.status == 200
    with pytest.raises(msgspec.DecodeError):
        _ = answer.json


async def test_html_bad_json_and_empty_come_with_200(client, sandbox):
    for kind in ("html", "bad_json", "empty"):
        sandbox.faults.add(Fault(kind=kind, times=1))
    page, broken, empty = [await client.table("oe_hdr", top="1") for _ in range(3)]
    assert (page.status, page.text[:15]) == (200, "<!DOCTYPE html>")
    assert (broken.status, broken.text[:9]) == (200, '{"value":')
    assert (empty.status, empty.body) == (200, b"")


async def test_a_page_is_repeated(client, sandbox):
    sandbox.faults.add(Fault(kind="repeat_page", path=ORDERS))
    first = (await client.table("oe_hdr", top="2", orderby="order_no")).rows
    assert (await client.table("oe_hdr", top="2", skip="2", orderby="order_no")).rows == first


async def test_a_slow_answer_goes_on_to_the_next_rule(client, sandbox):
    sandbox.faults.add(Fault(kind="slow", seconds=0.01))
    sandbox.faults.add(Fault(kind="status", status=502))
    assert (await client.table("oe_hdr", top="1")).status == 502
    assert [state.fired for state in sandbox.faults.list()] == [1, 1]


async def test_the_work_of_a_dropped_call_is_done(client, sandbox):
    sandbox.faults.add(Fault(kind="drop_after", path="/api/security/*"))
    minted = sandbox.tokens.minted
    with pytest.raises(aiohttp.ClientError):
        await client.log_in()
    assert sandbox.tokens.minted == minted + 1


async def test_a_hanging_request_does_not_hold_the_server_back(sandbox):
    sandbox.faults.add(Fault(kind="hang", seconds=3_600))

    async def ask(session, url):
        with suppress(aiohttp.ClientError):
            await session.get(f"{url}/anything")

    with anyio.fail_after(5):
        async with aiohttp.ClientSession() as session, anyio.create_task_group() as group, sandbox.serve() as url:
            group.start_soon(ask, session, url)
            await sandbox.journal.wait_until(lambda: sandbox.journal.at_once == 1)


def test_a_fault_file_is_read(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text("prophet21:\n  - {kind: status, status: 502, times: 3}\nhub:\n  - {kind: slow, seconds: 0.5}\n")
    plan = load_faults(path)
    assert plan.prophet21 == [Fault(kind="status", status=502, times=3)]
    assert plan.hub == [Fault(kind="slow", seconds=0.5)]


def test_a_wrong_key_in_a_fault_file_is_named(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text("hub:\n  - {kind: slow, secnds: 1}\n")
    with pytest.raises(msgspec.ValidationError, match="secnds"):
        load_faults(path)
