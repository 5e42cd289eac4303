from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
from aiohttp import web

from p21d.errors import Forbidden, PageError, ReadRefused, Unauthorized, Unavailable
from p21d.prophet21.session import LONGEST_BACKOFF_SECONDS, pause_seconds, table_of
from tests.prophet21.conftest import connected

PATH = "/odataservice/odata/table/oe_hdr?$select=a&$top=1"
DENIED = "You are not authorized to access API. Please contact administrator to get access."


def bearer(request):
    return request.headers["Authorization"]


def dead_before(text):
    """Answer 401 to every token but this one."""

    def read(request):
        if bearer(request) == f"Bearer {text}":
            return web.json_response({"value": []})
        return web.json_response({"Error": "invalid_token"}, status=401)

    return read


async def get(source):
    return await source._session.get(PATH)


async def test_a_read_carries_token_and_accept(source, scripted):
    await get(source)
    assert bearer(scripted.reads[0]) == "Bearer token-1"
    assert scripted.reads[0].headers["Accept"] == "application/json"


async def test_a_dead_token_is_renewed_once_and_the_read_repeated(source, scripted):
    scripted.read = dead_before("token-2")
    assert (await get(source)).status == 200
    assert scripted.minted == 2


async def test_ten_reads_with_a_dead_token_sign_in_once(source, scripted):
    await get(source)
    scripted.read = dead_before("token-2")
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(get, source)
    assert scripted.minted == 2


async def test_a_missing_permission_gets_no_new_token(source, scripted):
    scripted.read = lambda _request: web.Response(status=401, text=DENIED)
    with pytest.raises(Forbidden, match="oe_hdr"):
        await get(source)
    assert scripted.minted == 1
    assert len(scripted.reads) == 1


async def test_a_fresh_token_that_is_rejected_pauses_the_system(source, scripted):
    scripted.read = dead_before("never")
    for _ in range(5):
        with pytest.raises(Unauthorized):
            await get(source)
    assert scripted.minted == 2
    assert len(scripted.reads) == 2


async def test_a_token_good_elsewhere_makes_a_401_a_matter_of_the_table(source, scripted):
    contacts = PATH.replace("oe_hdr", "contacts")

    async def read(request):
        if "contacts" in request.path:
            return web.json_response({"value": []})
        if bearer(request) == "Bearer token-2":
            await source._session.get(contacts)
        return web.Response(status=401, text="Zugriff verweigert")

    scripted.read = read
    with pytest.raises(Forbidden, match="oe_hdr"):
        await get(source)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_fails_in_passing_is_tried_again(source, scripted, status):
    statuses = [status, status, 200]
    scripted.read = lambda _request: web.json_response({"value": []}, status=statuses.pop(0))
    assert (await get(source)).status == 200
    assert source.statistics().failures == 2


async def test_what_goes_on_failing_is_an_outage(source, scripted):
    scripted.read = lambda _request: web.Response(status=503)
    with pytest.raises(Unavailable, match="503"):
        await get(source)
    assert len(scripted.reads) == 3


async def test_a_connection_that_breaks_is_tried_again(source, scripted):
    def read(request):
        if len(scripted.reads) == 1:
            request.transport.abort()
        return web.json_response({"value": []})

    scripted.read = read
    assert (await get(source)).status == 200


async def test_a_server_that_is_gone_is_an_outage(clock):
    async with connected("http://127.0.0.1:9", clock) as source:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await get(source)


async def test_retry_after_is_honoured(source, scripted, clock):
    statuses = [503, 200]
    scripted.read = lambda _request: web.json_response(
        {"value": []}, status=statuses.pop(0), headers={"Retry-After": "20"}
    )
    await get(source)
    assert clock.slept == [20]


async def test_a_long_retry_after_is_passed_on(source, scripted, clock):
    scripted.read = lambda _request: web.Response(status=429, headers={"Retry-After": "600"})
    with pytest.raises(Unavailable) as raised:
        await get(source)
    assert raised.value.retry_after_seconds == 600
    assert clock.slept == []


async def test_a_redirect_is_explained_and_not_followed(source, scripted):
    scripted.read = lambda _request: web.Response(status=302, headers={"Location": "https://login.example/"})
    with pytest.raises(Unavailable, match=r"login\.example.*api_url"):
        await get(source)
    assert {request.path for request in scripted.reads} == {"/odataservice/odata/table/oe_hdr"}


async def test_a_refused_query_is_not_repeated(source, scripted):
    scripted.read = lambda _request: web.Response(status=404)
    with pytest.raises(ReadRefused):
        await get(source)
    assert len(scripted.reads) == 1


async def test_a_web_page_is_no_page_of_rows(source, scripted):
    scripted.read = lambda _request: web.Response(text="<html>Login</html>", content_type="text/html")
    with pytest.raises(PageError, match="web page"):
        await get(source)


async def test_no_more_requests_at_once_than_allowed(scripted, clock):
    running, most = 0, 0
    release = anyio.Event()

    async def answer(_request):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            release.set()
        await release.wait()
        await anyio.lowlevel.checkpoint()
        running -= 1
        return web.json_response({"value": []})

    scripted.read = answer
    async with connected(scripted.url, clock, concurrent_requests=2) as source, anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(get, source)
    assert most == 2


@pytest.mark.parametrize("attempt", [1, 2, 10])
def test_pauses_are_bounded(attempt):
    assert 0 <= pause_seconds(attempt, None) <= LONGEST_BACKOFF_SECONDS


def test_the_table_is_told_from_the_path():
    assert table_of(PATH) == "oe_hdr"
