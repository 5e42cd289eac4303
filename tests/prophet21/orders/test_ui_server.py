from __future__ import annotations

import pytest
from aiohttp import web

from p21d.errors import ConfigError, Unavailable
from p21d.http import HttpAnswer
from p21d.prophet21.orders.port import Verdict
from p21d.prophet21.orders.ui_server import routed_url
from tests.prophet21.conftest import PASSWORD, connected

BODY = b'{"Name":"Order"}'
CREATED = {
    "Summary": {"Succeeded": 1, "Failed": 0, "Other": 0},
    "Results": {
        "Transactions": [
            {"Status": "Passed", "DataElements": [{"Rows": [{"Edits": [{"Name": "order_no", "Value": "7"}]}]}]}
        ]
    },
}


def http(body, status=200):
    return HttpAnswer(status, "", {}, body)


@pytest.mark.parametrize(
    ("answer", "url"),
    [
        (http(b'{"Url":"https://p21.example/uiserver0"}'), "https://p21.example/uiserver0"),
        (http(b'{"Url":"https://p21.example/uiserver0/"}'), "https://p21.example/uiserver0"),
        (http(b'\xef\xbb\xbf{"url":" https://p21.example/ui/ "}'), "https://p21.example/ui"),
        (http(b"<RouterResponse><Url>https://p21.example/ui/</Url></RouterResponse>"), "https://p21.example/ui"),
        (http(b'<a:R xmlns:a="x"><a:Url> https://p21.example/ui </a:Url></a:R>'), "https://p21.example/ui"),
        (http(b'{"Url":null}'), ""),
        (http(b'{"Url":"uiserver0"}'), ""),
        (http(b"[]"), ""),
        (http(b""), ""),
        (http(b"<html>sorry</html>"), ""),
        (http(b'{"Url":"https://p21.example/uiserver0"}', 307), ""),
        (http(b"", 404), ""),
    ],
)
def test_the_routers_answer_is_read_in_every_form(answer, url):
    assert routed_url(answer) == url


class Posts:
    """Answers the router as told, and every POST as a created order."""

    def __init__(self, script, router=None, created=CREATED):
        self.asked, self.posted = 0, []
        self.router = router or (lambda: web.Response(status=404))
        self.created = created
        script.read = self.answer

    def answer(self, request):
        if request.path.startswith("/api/ui/router"):
            self.asked += 1
            return self.router()
        self.posted.append(request.path)
        return web.json_response(self.created)


async def test_orders_go_where_the_router_says_which_is_asked_once(source, scripted):
    posts = Posts(scripted, lambda: web.json_response({"Url": f"{scripted.url}/elsewhere/"}))
    assert (await source.orders.write(BODY)).verdict is Verdict.CREATED
    await source.orders.write(BODY)
    assert (posts.asked, posts.posted) == (1, ["/elsewhere/api/v2/transaction"] * 2)


async def test_the_router_is_asked_with_the_slash(source, scripted):
    Posts(scripted)
    await source.orders.write(BODY)
    assert scripted.reads[0].path_qs == "/api/ui/router/v1/?urlType=external"


async def test_without_a_router_it_is_the_usual_place(source, scripted):
    posts = Posts(scripted)
    await source.orders.write(BODY)
    assert posts.posted == ["/uiserver0/api/v2/transaction"]


async def test_a_router_that_failed_is_asked_again(source, scripted):
    posts = Posts(scripted, lambda: web.Response(status=500))
    await source.orders.write(BODY)
    posts.router = lambda: web.json_response({"Url": f"{scripted.url}/ui"})
    await source.orders.write(BODY)
    assert posts.posted == ["/uiserver0/api/v2/transaction", "/ui/api/v2/transaction"]


async def test_a_router_the_account_may_not_ask_is_none(source, scripted):
    words = "You are not authorized to access API. Please contact administrator to get access."
    posts = Posts(scripted, lambda: web.Response(status=401, text=words))
    assert (await source.orders.write(BODY)).verdict is Verdict.CREATED
    assert posts.posted == ["/uiserver0/api/v2/transaction"]


async def test_a_configured_address_needs_no_router(scripted, clock):
    posts = Posts(scripted)
    async with connected(scripted.url, clock, ui_server_url=f"{scripted.url}/mine/") as source:
        await source.orders.write(BODY)
    assert (posts.asked, posts.posted) == (0, ["/mine/api/v2/transaction"])


async def test_an_address_where_nothing_answers_is_forgotten(source, scripted):
    posts = Posts(scripted, lambda: web.json_response({"Url": "http://127.0.0.1:9"}))
    assert (await source.orders.write(BODY)).verdict is Verdict.BUSY
    posts.router = lambda: web.json_response({"Url": scripted.url})
    assert (await source.orders.write(BODY)).verdict is Verdict.CREATED


async def test_a_token_never_goes_out_unencrypted_because_a_router_says_so(answers, clock):
    answers.post("https://p21.example/api/security/token/v2", payload={"AccessToken": "a"})
    answers.get("https://p21.example/api/ui/router/v1/?urlType=external", payload={"Url": "http://p21.example/ui"})
    async with connected("https://p21.example", clock) as source:
        with pytest.raises(ConfigError, match="ui_server_url") as raised:
            await source.orders.write(BODY)
    assert PASSWORD not in str(raised.value)


async def test_a_router_that_cannot_be_reached_means_nothing_was_sent(source, scripted):
    def cut(request):
        request.transport.close()
        return web.Response()

    scripted.read = cut
    assert (await source.orders.write(BODY)).verdict is Verdict.BUSY
    with pytest.raises(Unavailable):
        await source.orders.check(reference_field="po_no")
