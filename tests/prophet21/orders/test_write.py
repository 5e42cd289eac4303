from __future__ import annotations

import anyio
import pytest
from aiohttp import web

from p21d.errors import Forbidden, Unauthorized
from p21d.prophet21.orders.comparison import differences
from p21d.prophet21.orders.port import Parties, Verdict
from p21d.sandbox.faults import Fault
from p21d.secret import Secret
from tests.prophet21.conftest import connected
from tests.prophet21.orders.conftest import REFERENCE, line, order
from tests.prophet21.orders.test_ui_server import BODY

PATH = "*/api/v2/transaction"


def posts(sandbox):
    return [seen for seen in sandbox.requests if seen.method == "POST" and seen.path.endswith("/transaction")]


def rendered(p21, one=None, reference=REFERENCE, field="po_no"):
    return p21.orders.render(one or order(), reference_text=reference, reference_field=field)


async def written(p21, one=None, reference=REFERENCE, field="po_no"):
    return await p21.orders.write(rendered(p21, one, reference, field))


async def found(p21, text=REFERENCE, field="po_no"):
    since = await p21.now()
    return await p21.orders.by_reference(field=field, text=text, customer_id=200003, created_since=since)


async def test_an_order_is_written_found_and_as_it_was_asked_for(p21):
    outcome = await written(p21)
    assert outcome.verdict is Verdict.CREATED
    (there,) = await found(p21)
    assert there.order_no == outcome.order_no
    assert differences(order(), REFERENCE, "po_no", there) == []


async def test_everything_an_order_may_say_arrives(p21):
    one = order(
        line("010", " HOSE-000004", 3, extended_desc="mind the step"),
        line("020", "VALVE-000012", "1.5", unit_price=None),
        line("030", "VALVE-000012", 7),
        carrier="Our Truck",
        delivery_instructions="Dock 4",
        ship_to={"ship_to_name": "Site 9", "phys_city": "Dublin", "phys_state": "OH", "phys_postal_code": "43017"},
        header={"packing_basis": "Order Complete"},
        buyer_po="PO 7",
    )
    outcome = await written(p21, one, "H-88", "job_name")
    assert outcome.verdict is Verdict.CREATED, outcome
    (there,) = await found(p21, "H-88", "job_name")
    assert differences(one, "H-88", "job_name", there) == []
    assert there.po_no == "PO 7"


async def test_what_parties_tells_can_be_written(p21):
    known = await p21.orders.parties(Parties(contact_id="5003", skus=["hose-000004"], shipping_methods=["will call"]))
    one = order(
        line(item=known.items["hose-000004"].item_id),
        customer_id=known.customer.customer_id,
        ship_to_id=known.ship_tos[0].ship_to_id,
        contact_id=known.contact_id,
        carrier=known.carriers["will call"],
    )
    assert (await written(p21, one)).verdict is Verdict.CREATED


async def test_a_dropped_line_is_seen_although_p21_reports_success(p21, sandbox):
    sandbox.faults.add(Fault(kind="drop_line", path=PATH))
    outcome = await written(p21)
    assert outcome.verdict is Verdict.CREATED
    there = await p21.orders.read(outcome.order_no)
    assert there
    assert differences(order(), REFERENCE, "po_no", there) == ["line 020 (BEARING-000008) is missing in P21"]


async def test_p21s_refusal_comes_in_its_own_words(p21, sandbox):
    sandbox.settings.customer_rules = {"*": {"credit_refused"}}
    outcome = await written(p21)
    assert (outcome.verdict, outcome.words) == (
        Verdict.REFUSED,
        "Customer 200003 is on credit hold. The order cannot be saved.",
    )
    assert await found(p21) == []


SAVED_ALL_THE_SAME = [
    Fault(kind="drop_after", path=PATH, method="POST"),
    Fault(kind="status_after", path=PATH, method="POST", status=500, body=""),
    Fault(kind="status_after", path=PATH, method="POST", status=504, body="gateway"),
    Fault(kind="window_after", path=PATH),
    Fault(kind="window_after", path=PATH, status=500),
    Fault(kind="reset", path=PATH, method="POST", cut=0.0),
    Fault(kind="reset", path=PATH, method="POST", cut=0.5),
    Fault(kind="truncate", path=PATH, method="POST"),
    Fault(kind="empty", path=PATH, method="POST"),
    Fault(kind="bad_json", path=PATH, method="POST", body="<html>"),
]


@pytest.mark.parametrize("fault", SAVED_ALL_THE_SAME, ids=lambda fault: f"{fault.kind}-{fault.status}")
async def test_a_lost_answer_is_unknown_sent_once_and_found(p21, sandbox, fault):
    sandbox.faults.add(fault)
    assert (await written(p21)).verdict is Verdict.UNKNOWN
    assert len(posts(sandbox)) == 1
    assert len(await found(p21)) == 1


@pytest.mark.parametrize("kind", ["drop_before", "window_before", "dirty_session", "html"])
async def test_what_may_have_been_written_is_unknown_though_it_was_not(p21, sandbox, kind):
    sandbox.faults.add(Fault(kind=kind, path=PATH, method="POST"))
    assert (await written(p21)).verdict is Verdict.UNKNOWN
    assert len(posts(sandbox)) == 1
    assert await found(p21) == []


async def test_silence_is_unknown_after_the_time_out(sandbox, clock):
    sandbox.faults.add(Fault(kind="hang_after", path=PATH, method="POST", seconds=30))
    async with sandbox.serve() as url, connected(url, clock) as p21:
        ui_server = f"{url}/uiserver0"
        async with connected(url, clock, timeout=0.5, ui_server_url=ui_server) as hasty:
            assert (await written(hasty)).verdict is Verdict.UNKNOWN
        assert len(await found(p21)) == 1
    assert len(posts(sandbox)) == 1


@pytest.mark.parametrize("status", [500, 503])
async def test_a_busy_pool_is_waited_out(p21, sandbox, status):
    sandbox.settings.no_session_status = status
    sandbox.settings.sessions = 0
    sandbox.settings.session_wait_seconds = 0.01
    assert (await written(p21)).verdict is Verdict.BUSY
    assert await found(p21) == []


async def test_the_same_twice_makes_two_orders_which_is_why_nothing_is_repeated_here(p21):
    await written(p21)
    await written(p21)
    assert len(await found(p21)) == 2


async def test_a_dead_token_is_renewed_and_the_order_sent_once_more(p21, sandbox):
    await p21.check()
    await written(p21, reference="first")
    sandbox.tokens.kill_all()
    assert (await written(p21)).verdict is Verdict.CREATED
    assert len(await found(p21)) == 1


async def test_a_lost_answer_after_a_new_token_is_unknown(p21, sandbox):
    await written(p21, reference="first")
    sandbox.tokens.kill_all()
    sandbox.faults.add(Fault(kind="drop_after", path=PATH, method="POST", after=1))
    assert (await written(p21)).verdict is Verdict.UNKNOWN
    assert len(await found(p21)) == 1


async def test_no_token_means_nothing_was_sent(p21, sandbox):
    await written(p21, reference="first")
    sandbox.tokens.kill_all()
    sandbox.faults.add(Fault(kind="status", status=503, path="*/security/token*"))
    assert (await written(p21)).verdict is Verdict.BUSY
    sandbox.faults.clear()
    assert await found(p21) == []


async def test_a_refused_sign_in_is_raised(sandbox, clock):
    async with sandbox.serve() as url, connected(url, clock, password=Secret("wrong")) as p21:
        with pytest.raises(Unauthorized):
            await written(p21)


async def test_no_connection_means_nothing_was_sent(clock):
    async with connected("http://127.0.0.1:9", clock, ui_server_url="http://127.0.0.1:9/uiserver0") as p21:
        assert (await p21.orders.write(BODY)).verdict is Verdict.BUSY


@pytest.mark.parametrize("how", ["api", "window"])
async def test_a_missing_permission_is_named_and_costs_one_call(p21, sandbox, how):
    await p21.check()
    sandbox.settings.may_write_orders = False
    sandbox.settings.no_permission = how
    with pytest.raises(Forbidden) as raised:
        await written(p21)
    assert "does not let this account write orders" in raised.value.message
    assert "Order Entry" in raised.value.hint
    assert (len(posts(sandbox)), sandbox.tokens.minted) == (1, 1)


async def test_a_good_token_that_is_refused_there_is_a_missing_permission(source, scripted):
    def answer(request):
        if request.method == "POST":
            return web.json_response({"Error": "invalid_token"}, status=401)
        return web.json_response({"value": []} if "odata" in request.path else {"Url": scripted.url})

    scripted.read = answer
    await source.orders.read("1")
    with pytest.raises(Forbidden, match="write orders"):
        await source.orders.write(BODY)
    assert len([one for one in scripted.reads if one.method == "POST"]) == 2
    await source.orders.read("1")  # reading goes on


async def test_a_redirect_is_not_followed(source, scripted):
    def answer(request):
        if request.method == "POST":
            return web.Response(status=307, headers={"Location": f"{scripted.url}/elsewhere"})
        return web.json_response({"Url": scripted.url})

    scripted.read = answer
    outcome = await source.orders.write(BODY)
    assert outcome.verdict is Verdict.BUSY
    assert "ui_server_url" in outcome.hint
    assert len([one for one in scripted.reads if one.method == "POST"]) == 1


async def test_the_body_is_sent_as_it_was_kept(source, scripted):
    bodies = []

    async def answer(request):
        if request.method == "POST":
            bodies.append((await request.read(), request.headers["Content-Type"], request.headers["Accept"]))
        return web.json_response({"Url": scripted.url})

    scripted.read = answer
    await source.orders.write(BODY)
    assert bodies == [(BODY, "application/json", "application/json")]


async def test_an_order_does_not_wait_behind_reads(sandbox, clock):
    async with sandbox.serve() as url, connected(url, clock, concurrent_requests=1) as p21:
        await p21.orders.read("1")
        await p21.orders.write(BODY)
        sandbox.faults.add(Fault(kind="hang", path="*/table/oe_hdr", seconds=30))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(p21.orders.read, "1")
            with anyio.fail_after(5):
                assert (await written(p21)).verdict is Verdict.CREATED
            tasks.cancel_scope.cancel()
