"""Orders over a real control socket, with a double of the daemon behind it."""

from __future__ import annotations

import os
import pwd

import pytest

from p21d.control.client import RefusedByDaemon
from p21d.control.order_answers import OrdersSyncRequest
from p21d.control.peer import Peer
from p21d.errors import ConfigError
from tests.control.operations_double import order

ME = pwd.getpwuid(os.geteuid()).pw_name


async def test_the_list_says_which_and_how_they_stand(client, operations):
    operations.order_book.listed = [order("149049")]
    found = await client.orders(state="held", limit=5)
    assert operations.asked == [("orders", "held", False, 5)]
    assert [one.id for one in found.orders] == ["149049"]
    assert found.status.counts == {"linked": 3, "held": 1}
    assert found.schema_version == 1


async def test_an_order_is_found_by_a_number_with_odd_signs(client, operations):
    await client.order("WEB/7 ä?#1")
    assert operations.asked == [("order", "WEB/7 ä?#1")]


async def test_a_decision_carries_the_name_that_the_kernel_gives(client, operations):
    await client.retry_order("7")
    await client.adopt_order("7", "1400215")
    await client.dismiss_order("7", "entered by phone")
    await client.acknowledge_order("7")
    await client.take_over_orders()
    await client.sync_orders(OrdersSyncRequest(ids=["7"]))
    assert operations.asked == [
        ("retry", "7", ME),
        ("adopt", "7", "1400215", ME),
        ("dismiss", "7", "entered by phone", ME),
        ("acknowledge", "7", ME),
        ("take_over", ME),
        ("sync", ["7"], ME),
    ]


async def test_a_name_in_the_request_is_refused(raw, operations):
    async with raw.post("/v1/orders/retry", json={"id": "7", "by": "somebody else"}) as response:
        assert response.status == 400
    assert operations.asked == []


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("retry", {}),
        ("retry", {"id": ""}),
        ("adopt", {"id": "7"}),
        ("adopt", {"id": "7", "order_no": ""}),
        ("dismiss", {"id": "7"}),
        ("dismiss", {"id": "7", "because": ""}),
        ("acknowledge", {}),
        ("take-over", {"id": "7"}),
        ("sync", {"ids": "7"}),
    ],
)
async def test_a_request_that_lacks_or_adds_something_is_refused(raw, operations, route, body):
    async with raw.post(f"/v1/orders/{route}", json=body) as response:
        assert response.status == 400
        assert (await response.json())["exit_code"] == os.EX_USAGE
    assert operations.asked == []


@pytest.mark.parametrize("query", ["?limit=0", "?limit=1001", "?all=perhaps", "?entity=x"])
async def test_an_odd_query_is_refused(raw, query):
    async with raw.get(f"/v1/orders{query}") as response:
        assert response.status == 400


async def test_what_the_daemon_refuses_comes_with_its_exit_code_and_what_to_do(client, operations):
    operations.error = ConfigError("orders are off", path="orders.enabled", hint="set it to true")
    with pytest.raises(RefusedByDaemon) as refused:
        await client.orders()
    assert refused.value.exit_code == os.EX_CONFIG
    assert refused.value.hint == "set it to true"


def test_a_user_without_a_name_is_called_by_number():
    assert Peer(1, 3999999999 % 2**31, frozenset()).name == f"uid {3999999999 % 2**31}"
