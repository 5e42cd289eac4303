from __future__ import annotations

import hashlib
import hmac
import json

import anyio
import pytest
from aiohttp import web

from p21d.errors import ConfigError, RecordRefused, RequestTimeout, Unauthorized, Unavailable
from p21d.plugin import Route
from p21d.secret import Secret
from p21d.sinks.port import Acknowledged, Delivery
from p21d.sinks.webhook import WebhookOptions, WebhookSink
from p21d.testing import FakeClock

ROUTE = Route(resource="customer")


class Receiver:
    """A receiver that keeps what it gets and answers as told."""

    def __init__(self):
        self.requests = []
        self.bad = set()
        self.status = 200
        self.headers = {}
        self.down = []
        self.let_answer = None
        self.url = ""

    async def handle(self, request):
        body = await request.read()
        self.requests.append((request.headers, body))
        if self.let_answer:
            await self.let_answer.wait()
        if self.batches[-1] in self.down:
            return web.Response(status=503)
        if self.bad & set(self.batches[-1]):
            return web.Response(status=422, text=f"bad record, {request.headers.get('X-Key', '')}")
        return web.Response(status=self.status, headers=self.headers)

    @property
    def batches(self):
        return [[item["record"]["number"] for item in json.loads(body)] for _, body in self.requests]


@pytest.fixture
async def receiver():
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/hook"
    yield receiver
    if receiver.let_answer:
        receiver.let_answer.set()
    await runner.cleanup()


@pytest.fixture
async def build(receiver):
    sinks = []

    def build_sink(**options):
        sinks.append(WebhookSink(WebhookOptions(**{"url": receiver.url, **options}), FakeClock()))
        return sinks[-1]

    yield build_sink
    for sink in sinks:
        await sink.aclose()


def batch_of(*numbers):
    return [
        Delivery(entity="customer", key=str(n), external_id=str(n), route=ROUTE, body={"number": n}) for n in numbers
    ]


async def deliver(sink, *numbers):
    answers = []
    await sink.deliver(batch_of(*numbers), answers)
    return answers


async def test_a_batch_is_one_call_with_an_array(receiver, build):
    assert await deliver(build(), 1, 2) == [Acknowledged(), Acknowledged()]
    assert receiver.batches == [[1, 2]]


async def test_a_call_is_signed_over_its_time_and_body(receiver, build):
    await deliver(build(secret=Secret("hooksecret")), 1)
    headers, body = receiver.requests[0]
    signed = headers["X-P21d-Timestamp"].encode() + b"." + body
    expected = hmac.new(b"hooksecret", signed, hashlib.sha256).hexdigest()
    assert headers["X-P21d-Signature"] == f"sha256={expected}"


async def test_without_a_secret_nothing_is_signed(receiver, build):
    await deliver(build(), 1)
    assert "X-P21d-Signature" not in receiver.requests[0][0]


async def test_the_same_batch_has_the_same_idempotency_key(receiver, build):
    for numbers in ((1, 2), (1, 2), (1, 3)):
        await deliver(build(), *numbers)
    first, again, other = (headers["Idempotency-Key"] for headers, _ in receiver.requests)
    assert first == again != other


async def test_headers_of_the_configuration_are_sent(receiver, build):
    await deliver(build(headers={"X-Key": Secret("k1")}), 1)
    assert receiver.requests[0][0]["X-Key"] == "k1"


async def test_a_refused_record_is_found_and_the_others_are_delivered(receiver, build):
    receiver.bad = {3}
    answers = await deliver(build(), 1, 2, 3, 4, 5)
    assert [isinstance(answer, RecordRefused) for answer in answers] == [False, False, True, False, False]
    assert receiver.batches == [[1, 2, 3, 4, 5], [1, 2], [3, 4, 5], [3], [4, 5]]


async def test_a_refusal_carries_the_receivers_code_and_words(receiver, build):
    receiver.bad = {1}
    (answer,) = await deliver(build(), 1)
    assert (answer.code, "bad record" in str(answer)) == ("422", True)


async def test_a_refusal_that_echoes_a_header_shows_no_secret(receiver, build):
    receiver.bad = {1}
    (answer,) = await deliver(build(headers={"X-Key": Secret("hunter22")}), 1)
    assert "hunter22" not in str(answer)


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_single_record_refused_for_its_content_is_refused(receiver, build, status):
    receiver.status = status
    assert [answer.code for answer in await deliver(build(), 1)] == [str(status)]


@pytest.mark.parametrize("status", [302, 404, 408, 409, 429, 500, 503])
async def test_what_is_about_the_receiver_is_an_outage(receiver, build, status):
    receiver.status = status
    with pytest.raises(Unavailable):
        await deliver(build(), 1, 2)
    assert len(receiver.requests) == 1


async def test_a_redirect_is_not_followed_and_says_so(receiver, build):
    receiver.status, receiver.headers = 307, {"Location": receiver.url}
    with pytest.raises(Unavailable, match="redirects are not followed"):
        await deliver(build(), 1)
    assert len(receiver.requests) == 1


async def test_the_wait_it_asks_for_is_kept(receiver, build):
    receiver.status, receiver.headers = 429, {"Retry-After": "17"}
    with pytest.raises(Unavailable) as raised:
        await deliver(build(), 1)
    assert raised.value.retry_after_seconds == 17


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_pause_the_sink(receiver, build, status):
    receiver.status = status
    with pytest.raises(Unauthorized):
        await deliver(build(), 1)


async def test_nobody_there_is_an_outage(build):
    sink = build(url="http://127.0.0.1:1/hook")
    with pytest.raises(Unavailable):
        await deliver(sink, 1)
    assert sink.statistics().failures == 1


async def test_no_answer_in_time_is_a_timeout(receiver, build):
    receiver.let_answer = anyio.Event()
    with pytest.raises(RequestTimeout):
        await deliver(build(timeout=0.02), 1)


async def test_what_was_answered_before_an_outage_holds(receiver, build):
    receiver.bad, receiver.down = {1}, [[2]]
    answers = []
    with pytest.raises(Unavailable):
        await build().deliver(batch_of(1, 2), answers)
    assert [type(answer) for answer in answers] == [RecordRefused]


async def test_check_asks_with_an_empty_array(receiver, build):
    await build().check()
    assert receiver.batches == [[]]


async def test_a_receiver_that_refuses_the_empty_array_is_there(receiver, build):
    receiver.status = 422
    await build().probe(ROUTE)


async def test_status_shows_the_host_only(receiver, build):
    sink = build(url=f"{receiver.url}?token=hunter22")
    assert sink.statistics().target == receiver.url.split("/")[2]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"url": "hooks.example.com"}, "sink.url"),
        ({"headers": {"X-Key": Secret("a\nb")}}, "sink.headers.X-Key"),
        ({"ca_file": "/nonexistent"}, "sink.ca_file"),
    ],
)
async def test_impossible_options_are_refused_by_their_key(build, options, path):
    with pytest.raises(ConfigError) as raised:
        build(**options)
    assert raised.value.path == path
