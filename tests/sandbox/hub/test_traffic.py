"""Counters, log, limits, faults, and the sandbox's own routes."""

from __future__ import annotations

import aiohttp
import anyio
import pytest

from p21d.sandbox.faults import Fault
from p21d.sandbox.hub import OTHER_SYSTEM
from tests.sandbox.hub.bodies import customer, product

PRODUCT = "/products/v2/Catalog/Product"
GUID = "6f0c2a4e-0000-4000-8000-000000000001"


async def test_calls_are_counted_by_method_and_path_template(api):
    await api.post(PRODUCT, product())
    await api.get(f"{PRODUCT}/81234")
    await api.get(f"{PRODUCT}/5")
    counters = (await api.get("/_sandbox/counters")).json
    assert counters["calls"] == {f"POST {PRODUCT}": 1, f"GET {PRODUCT}/{{id}}": 2}
    assert (counters["statuses"], counters["writes"], counters["duplicates"]) == ({"200": 2, "404": 1}, 1, {})


async def test_the_log_holds_path_body_and_status_but_no_password(api):
    await api.login()
    await api.call("POST", f"{PRODUCT}?trackingGuid={GUID}", b'{"sku":"A"}')
    calls = (await api.get("/_sandbox/requests")).json
    assert calls[-1] == {
        "at": "2026-07-20T14:00:00Z",
        "method": "POST",
        "path": f"{PRODUCT}?trackingGuid={GUID}",
        "body": '{"sku":"A"}',
        "status": 400,
    }
    assert [call["body"] for call in calls if "/sso/" in call["path"]] == ["", ""]


async def test_calls_at_the_same_time_are_counted(api, hub):
    hub.faults.add(Fault(kind="slow", path="/products/*", seconds=1))
    entered, release = 0, anyio.Event()

    async def sleep(_):
        nonlocal entered
        entered += 1
        if entered == 3:
            release.set()
        await release.wait()

    hub.faults.sleep = sleep
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(api.get, "/products/v2/Catalog/Products")
    assert hub.counters.most_at_once == 3


async def test_more_calls_than_the_limit_are_told_when_to_come_back(api, hub, clock):
    hub.settings.change({"limit_calls": 2, "limit_seconds": 10})
    answers = [await api.get("/products/v2/Catalog/Products") for _ in range(3)]
    clock.advance(10)
    later = await api.get("/products/v2/Catalog/Products")
    assert [answer.status for answer in (*answers, later)] == [200, 200, 429, 200]
    assert answers[2].headers["Retry-After"] == "10"


async def test_retry_after_can_be_left_out(api, hub):
    hub.settings.change({"limit_calls": 1, "retry_after": False})
    await api.get("/products/v2/Catalog/Products")
    answer = await api.get("/products/v2/Catalog/Products")
    assert (answer.status, "Retry-After" in answer.headers) == (429, False)


async def test_a_dropped_answer_has_committed_its_write(api, hub):
    hub.faults.add(Fault(kind="drop_after", path="/products/*", times=1))
    with pytest.raises(aiohttp.ClientError):
        await api.post(PRODUCT, product())
    assert len(hub.records("product")) == 1


async def test_a_dropped_request_has_committed_nothing(api, hub):
    hub.faults.add(Fault(kind="drop_before", path="/products/*", method="POST", times=1))
    with pytest.raises(aiohttp.ClientError):
        await api.post(PRODUCT, product())
    assert (hub.records("product"), len(hub.requests)) == ([], 1)


async def test_the_hub_can_hang_after_a_commit(api, hub, clock):
    hub.settings.hang_after_commit_next = 1
    await api.post(PRODUCT, product("A"))
    await api.post(PRODUCT, product("B"))
    assert clock.slept == [60.0]


async def test_faults_are_set_and_cleared_by_http(api):
    await api.post("/_sandbox/faults", {"kind": "status", "status": 503, "path": "/products/*"})
    broken = await api.get("/products/v2/Catalog/Products")
    fired = (await api.get("/_sandbox/faults")).json[0]["fired"]
    await api.delete("/_sandbox/faults")
    assert (broken.status, fired, (await api.get("/products/v2/Catalog/Products")).status) == (503, 1, 200)


async def test_switches_are_set_by_http_while_the_hub_runs(api, hub):
    await api.put("/_sandbox/settings", {"error_style": "reason", "put_mode": "merge"})
    shown = (await api.get("/_sandbox/settings")).json
    assert (hub.settings.error_style, shown["put_mode"]) == ("reason", "merge")


@pytest.mark.parametrize("values", [{"error_stile": "reason"}, {"put_mode": "append"}])
async def test_a_wrong_switch_is_refused_and_changes_nothing(api, hub, values):
    answer = await api.put("/_sandbox/settings", {"page_rows": 7, **values})
    assert (answer.status, hub.settings.page_rows) == (400, 100)


async def test_records_are_shown_with_children_links_and_writes(api):
    await api.post("/customers/v2/Customer", customer())
    (record,) = (await api.get("/_sandbox/records/customer")).json
    assert (record["active"], record["writes"], record["external_ids"][0]["external_id"]) == (True, 1, "12345")
    assert record["addresses"][0]["external_ids"][0]["external_id"] == "12345|1001"


async def test_seeded_orders_have_no_link_for_our_system(api, hub):
    ids = (await api.post("/_sandbox/orders", {"count": 40})).json["ids"]
    records = hub.records("transaction")
    missing = (await api.get("/transactions/v2/External/Missing/5120/transaction")).json
    assert missing == [str(number) for number in ids]
    assert {link["system_id"] for record in records for link in record["external_ids"]} == {OTHER_SYSTEM}
    assert len({(record["type"], record["status"]) for record in records}) > 5
    parts = ("lines", "taxes", "addresses", "payments", "notes")
    assert all(record[part] for record in records for part in parts)


async def test_seeded_orders_can_be_of_one_kind(hub):
    hub.seed_orders(5, types=("Order",), statuses=("Pending",), seed=3)
    assert {(r["type"], r["status"]) for r in hub.records("transaction")} == {("Order", "Pending")}


async def test_a_commit_raises_a_hook_to_the_other_systems_only(api, hub):
    await api.post(PRODUCT, product())
    raised = (await api.get("/_sandbox/hooks")).json["raised"]
    assert [(hook["scope"], hook["id"], hook["destination"]) for hook in raised] == [
        ("product/created", "81234", str(OTHER_SYSTEM))
    ]


async def test_a_tracking_guid_finds_the_log_of_its_calls(api):
    await api.post(f"{PRODUCT}?trackingGuid={GUID}", product())
    header = (await api.get(f"/listener/v2/Header/{GUID}")).json
    details = (await api.get("/listener/v2/Details", filters=f"parent_id={GUID}")).json
    assert (header["internal_id"], header["details"]) == ("81234", details)


async def test_persistent_data_is_kept_on_the_subscription(api):
    for value in ("a", "b"):
        await api.post("/subscriptions/v2/Subscription/PersistentData/5120", {"name": "owner", "value": value})
    subscription = (await api.get("/subscriptions/v2/Subscription/5120", include="persistentdata")).json
    assert [(item["name"], item["value"]) for item in subscription["persistent_data"]] == [("owner", "b")]


async def test_an_unknown_subscription_is_404(api):
    assert (await api.get("/subscriptions/v2/Subscription/7")).status == 404
