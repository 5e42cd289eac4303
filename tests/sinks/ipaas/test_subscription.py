"""The name of the one writer, kept where a second daemon sees it."""

from __future__ import annotations

import aiohttp
import pytest

from p21d.errors import Forbidden, Unavailable
from p21d.sandbox.faults import Fault


async def test_nobody_is_named_at_first(sink):
    assert await sink.inbox.writer() is None


async def test_a_second_daemon_sees_the_writer(make_sink):
    await make_sink().inbox.set_writer("store-a")

    assert await make_sink().inbox.writer() == "store-a"


async def test_the_latest_name_stands(sink):
    for name in ("store-a", "store-b", "store-b"):
        await sink.inbox.set_writer(name)

    assert await sink.inbox.writer() == "store-b"


async def test_other_persistent_data_is_left_aside(sink, hub, base_url):
    await sink.inbox.set_writer("store-a")
    url = f"{base_url}/subscriptions/v2/Subscription/PersistentData/5120"
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer hub-key"}) as session:
        for item in ({"name": "a", "value": "x"}, {"name": "z", "value": None}):
            assert (await session.post(url, json=item)).status == 200

    assert await sink.inbox.writer() == "store-a"


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_a_missing_permission_names_the_way_around(sink, hub, verb):
    hub.settings.denied = [f"{verb} subscription"]

    with pytest.raises(Forbidden, match=r"orders\.sole_writer"):
        await sink.inbox.set_writer("store-a")


async def test_a_hub_without_persistent_data_is_told_when_a_name_is_set(sink, hub):
    hub.settings.persistent_data = False

    assert await sink.inbox.writer() is None
    with pytest.raises(Forbidden, match=r"orders\.sole_writer"):
        await sink.inbox.set_writer("store-a")


async def test_a_name_that_the_hub_takes_and_does_not_keep_is_found_out(sink, hub):
    hub.faults.add(Fault(kind="status", status=200, path="*/PersistentData/*", body="{}"))

    with pytest.raises(Forbidden, match="is not there"):
        await sink.inbox.set_writer("store-a")


@pytest.mark.parametrize("status", [500, 503])
async def test_an_outage_names_nobody(sink, hub, status):
    hub.faults.add(Fault(kind="status", status=status, path="*/Subscription/*"))

    with pytest.raises(Unavailable):
        await sink.inbox.writer()


async def test_an_unknown_subscription_is_no_place(make_sink):
    with pytest.raises(Forbidden):
        await make_sink(system_id=7777).inbox.writer()
