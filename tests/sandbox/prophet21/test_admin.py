from __future__ import annotations

import anyio
import pytest


async def test_requests_and_counters_are_told(client):
    await client.call("DELETE", "/_sandbox/requests")
    await client.table("oe_hdr", top="1")
    await client.table("oe_hdr", select="no_such")
    seen = (await client.call("GET", "/_sandbox/requests")).json
    assert [(one["method"], one["status"]) for one in seen] == [("GET", 200), ("GET", 404)]
    assert seen[0]["query"] == "$top=1"
    counters = (await client.call("GET", "/_sandbox/counters")).json
    assert counters["by_path"] == {"/odataservice/odata/table/oe_hdr": 2}
    assert counters["by_status"] == {"200": 1, "404": 1}


async def test_the_most_requests_at_once_are_counted(client, sandbox):
    sandbox.settings.answer_floor_seconds = 0.02
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(client.table, "oe_hdr")
    assert sandbox.journal.most_at_once == 3
    assert sandbox.journal.at_once == 0


async def test_settings_are_read_and_changed_over_http(client, sandbox):
    answer = await client.call("PUT", "/_sandbox/settings", json={"zone": "UTC", "forbidden_tables": ["oe_hdr"]})
    assert answer.json["zone"] == "UTC"
    assert sandbox.settings.forbidden_tables == {"oe_hdr"}
    assert (await client.call("GET", "/_sandbox/settings")).json == answer.json


@pytest.mark.parametrize("wrong", [{"zoen": "UTC"}, {"zone": "Ohio"}, {"literal_zone": "kept"}])
async def test_a_wrong_setting_is_refused(client, sandbox, wrong):
    assert (await client.call("PUT", "/_sandbox/settings", json=wrong)).status == 400
    assert sandbox.settings.zone == "America/New_York"


async def test_faults_are_set_and_cleared_over_http(client):
    made = await client.call("POST", "/_sandbox/faults", json={"kind": "status", "status": 502})
    assert (await client.table("oe_hdr", top="1")).status == 502
    listed = (await client.call("GET", "/_sandbox/faults")).json
    assert [(state["id"], state["fired"]) for state in listed] == [(made.json["id"], 1)]
    await client.call("DELETE", "/_sandbox/faults")
    assert (await client.table("oe_hdr", top="1")).status == 200


async def test_rows_are_changed_inserted_and_deleted_over_http(client):
    key = {"order_no": "1400001"}
    order = {"table": "oe_hdr", "key": key, "columns": {"taker": "HTTP"}}
    assert (await client.call("POST", "/_sandbox/change", json=order)).json == {"rows": 1}
    assert (await client.table("oe_hdr", filter="taker eq 'HTTP'")).rows[0]["order_no"] == "1400001"
    new = {"table": "oe_hdr", "action": "insert", "columns": {"order_no": "99"}}
    await client.call("POST", "/_sandbox/change", json=new)
    assert (await client.table("oe_hdr", filter="order_no eq '99'")).rows
    gone = {"table": "oe_hdr", "action": "delete", "key": key}
    await client.call("POST", "/_sandbox/change", json=gone)
    assert (await client.table("oe_hdr", filter="order_no eq '1400001'")).rows == []


async def test_a_change_of_an_unknown_column_is_refused(client):
    order = {"table": "oe_hdr", "key": {"order_no": "1"}, "columns": {"no_such": 1}}
    assert (await client.call("POST", "/_sandbox/change", json=order)).status == 400


async def test_all_tokens_die_on_demand(client):
    await client.call("DELETE", "/_sandbox/tokens")
    assert (await client.table("oe_hdr", top="1")).status == 401
