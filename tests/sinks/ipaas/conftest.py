"""A sandbox hub over a real socket with the sink before it, and answers made up for the odd cases."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest.mock import Mock

import aiohttp
import pytest
from aioresponses import aioresponses

from p21d.clock import SystemClock
from p21d.sandbox.hub.server import COMPANY_ID, HubSandbox
from p21d.secret import Secret
from p21d.sinks.ipaas import IpaasOptions
from p21d.sinks.ipaas.sink import IpaasSink


class TestClock:
    """Time that moves only by sleeping; it starts at the present, for aiohttp stamps its answers with that."""

    __test__ = False

    def __init__(self) -> None:
        self.seconds = 0.0
        self.start = SystemClock().now()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class StreamedResponse(aiohttp.ClientResponse):
    """aiohttp 3.14 wants a stream writer that aioresponses 0.7.9 does not give."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("stream_writer", Mock())
        super().__init__(*args, **kwargs)


@pytest.fixture
def clock():
    return TestClock()


@pytest.fixture
def answers():
    """aioresponses that builds responses aiohttp 3.14 accepts."""

    def add(method, url, **answer):
        made.add(url, method, response_class=StreamedResponse, **answer)

    with aioresponses() as made:
        made.answer = add
        yield made


@pytest.fixture
def hub(clock):
    sandbox = HubSandbox(clock=clock)
    yield sandbox
    sandbox.close()


@pytest.fixture
async def base_url(hub):
    async with hub.serve() as url:
        yield url


@pytest.fixture
async def make_sink(base_url, clock):
    """Build sinks that are closed at the end of the test; keywords change the options, `rules` the collisions."""
    made = []

    def make(rules=None, **changes):
        values = {"base_url": base_url, "system_id": 5120, "api_key": Secret("hub-key"), **changes}
        made.append(IpaasSink(IpaasOptions(**values), clock, rules))
        return made[-1]

    yield make
    for sink in made:
        await sink.aclose()


@pytest.fixture
async def sink(make_sink):
    return make_sink()


@pytest.fixture
def login():
    """The options of a login in place of an API key."""
    return {
        "api_key": None,
        "email_address": "daemon@example.com",
        "password": Secret("hub-secret"),
        "company_id": COMPANY_ID,
    }
