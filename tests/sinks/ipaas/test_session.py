from __future__ import annotations

import anyio
import pytest

from p21d.errors import Forbidden, Unauthorized, Unavailable
from p21d.sandbox.faults import Fault
from p21d.secret import Secret
from p21d.sinks.port import Acknowledged
from tests.sinks.ipaas.records import product


async def deliver_one(sink, delivery):
    answers = []
    await sink.deliver([delivery], answers)
    return answers[0]


def sign_ins(hub):
    return [call.path.rpartition("/v2/")[2].split("/")[1] for call in hub.requests if call.path.startswith("/sso/")]


async def test_a_login_changes_to_the_company(make_sink, hub, login):
    answer = await deliver_one(make_sink(**login), product())

    assert isinstance(answer, Acknowledged)
    assert sign_ins(hub) == ["Login", "ChangeCompany"]


async def test_ten_tasks_renew_a_dead_token_once(make_sink, hub, login, clock):
    hub.settings.expiry_skew_seconds = 7200
    sink = make_sink(**login)
    await sink.check()
    clock.seconds += 3700  # dead, though its answer said three hours
    hub.counters.clear()

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(deliver_one, sink, product(f"SKU{number}"))

    assert sign_ins(hub) == ["Refresh"]
    assert len(hub.records("product")) == 10


async def test_a_refused_refresh_leads_to_a_new_login(make_sink, hub, login):
    sink = make_sink(**login)
    await sink.check()
    hub.tokens.kill_all()
    hub.settings.refresh_refused = True
    hub.counters.clear()

    assert isinstance(await deliver_one(sink, product()), Acknowledged)
    assert sign_ins(hub) == ["Refresh", "Login", "ChangeCompany"]


async def test_a_token_is_renewed_before_it_expires(make_sink, hub, login, clock):
    sink = make_sink(**login)
    await sink.check()
    clock.seconds += 3400
    hub.counters.clear()

    await sink.check()

    assert [call.status for call in hub.requests] == [200, 404]
    assert sign_ins(hub) == ["Refresh"]


async def test_a_token_that_dies_at_every_call_ends_in_a_pause_not_in_a_loop(make_sink, hub, login):
    sink = make_sink(**login)
    hub.settings.token_dies_every = 1

    with pytest.raises(Unauthorized):
        await deliver_one(sink, product())

    assert len(hub.requests) <= 10


async def test_a_refused_login_names_the_key_and_is_not_hammered(make_sink, hub, login):
    sink = make_sink(**{**login, "password": Secret("wrong-secret")})

    for _ in range(3):
        with pytest.raises(Unauthorized) as refusal:
            await sink.check()

    assert "sink.password" in refusal.value.hint
    assert "wrong-secret" not in str(refusal.value)
    assert sign_ins(hub) == ["Login"]


async def test_the_pause_doubles_up_to_an_hour(make_sink, hub, login, clock):
    sink = make_sink(**{**login, "password": Secret("wrong")})
    pauses = []
    for _ in range(8):
        with pytest.raises(Unauthorized):
            await sink.check()
        pauses.append(float(sink.statistics().detail["paused_seconds"]))
        clock.seconds += pauses[-1]

    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600]


async def test_a_login_goes_on_after_the_pause(make_sink, hub, login, clock):
    sink = make_sink(**login)
    hub.settings.login_refused = True
    with pytest.raises(Unauthorized):
        await sink.check()
    hub.settings.login_refused = False
    clock.seconds += 60

    await sink.check()


async def test_a_dead_api_key_says_that_the_portal_makes_a_new_one(make_sink, hub):
    sink = make_sink(api_key=Secret("dead-key"))

    for _ in range(3):
        with pytest.raises(Unauthorized) as refusal:
            await sink.check()

    assert "portal" in refusal.value.hint
    assert "dead-key" not in str(refusal.value)
    assert len(hub.requests) == 1


@pytest.mark.parametrize(("header", "changes"), [("X-Client-Id", {"client_id": "77"}), ("X-Company-Id", {})])
async def test_a_header_the_hub_requires_is_sent(make_sink, hub, login, header, changes):
    hub.settings.require_client_id = header
    hub.settings.client_id = changes.get("client_id", "")

    await make_sink(**login, **changes).check()


async def test_a_missing_header_is_named_in_the_hint(make_sink, hub):
    hub.settings.require_client_id = "X-Client-Id"

    with pytest.raises(Unauthorized) as refusal:
        await make_sink().check()

    assert "sink.client_id" in refusal.value.hint


async def test_a_wrong_system_id_is_named_in_the_hint(make_sink):
    with pytest.raises(Unauthorized) as refusal:
        await make_sink(system_id=9999).check()

    assert "sink.system_id" in refusal.value.hint


async def test_a_missing_permission_is_named(sink, hub):
    hub.settings.denied = ["POST product"]

    with pytest.raises(Forbidden) as refusal:
        await deliver_one(sink, product())

    assert "Product: Create" in refusal.value.hint


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_broken_login_is_an_outage_not_a_refusal(make_sink, hub, login, status):
    hub.faults.add(Fault(kind="status", status=status, path="/sso/*", times=1))
    sink = make_sink(**login)

    with pytest.raises(Unavailable):
        await sink.check()

    await sink.check()


async def test_a_granted_permission_is_noticed_by_a_new_login(make_sink, hub, login, clock):
    sink = make_sink(**login)
    await sink.check()
    hub.settings.denied = ["POST product"]
    clock.seconds += 600
    with pytest.raises(Forbidden):
        await deliver_one(sink, product())
    hub.settings.denied = []
    hub.counters.clear()

    assert isinstance(await deliver_one(sink, product()), Acknowledged)
    assert sign_ins(hub) == ["Login", "ChangeCompany"]
