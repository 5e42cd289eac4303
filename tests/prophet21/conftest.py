"""A clock that tests turn, a scripted P21 for odd answers, the P21 sandbox for everything else."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from unittest.mock import Mock

import anyio.lowlevel
import pytest
from aiohttp import ClientResponse, web
from aioresponses import aioresponses

from p21d.config import Prophet21Config
from p21d.prophet21.source import Prophet21
from p21d.sandbox.prophet21.sandbox import P21Sandbox
from p21d.secret import Secret
from p21d.testing import FakeClock

PASSWORD = "sandbox-password"
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


class TurningClock(FakeClock):
    """Turns by itself when somebody sleeps, and remembers for how long."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def clock() -> TurningClock:
    return TurningClock()


def config_of(url: str, **changes: Any) -> Prophet21Config:
    settings: dict[str, Any] = {"username": "p21d", "password": Secret(PASSWORD), "time_zone": "America/New_York"}
    return Prophet21Config(api_url=url, **{**settings, **changes})


@asynccontextmanager
async def connected(url: str, clock: Any, **changes: Any) -> AsyncIterator[Prophet21]:
    source = Prophet21(config_of(url, **changes), clock)
    try:
        yield source
    finally:
        await source.aclose()


class ScriptedP21:
    """Answers reads with what `read` returns and sign-ins with what `mint` returns; counts both."""

    def __init__(self) -> None:
        self.read: Callable[[web.Request], Any] = lambda _request: web.json_response({"value": []})
        self.mint: Callable[[web.Request], web.Response] = self.good_token
        self.minted = 0
        self.reads: list[web.Request] = []
        self.mints: list[web.Request] = []
        self.url = ""
        self.date: datetime | None = NOON

    def good_token(self, _request: web.Request) -> web.Response:
        self.minted += 1
        return web.json_response({"AccessToken": f"token-{self.minted}", "ExpiresInSeconds": 86400})

    async def answer(self, request: web.Request) -> web.Response:
        if "/security/token" in request.path:
            self.mints.append(request)
            return self.mint(request)
        self.reads.append(request)
        answer = self.read(request)
        return await answer if inspect.isawaitable(answer) else answer

    async def set_date(self, _request: web.Request, answer: web.StreamResponse) -> None:
        if self.date:
            answer.headers["Date"] = format_datetime(self.date, usegmt=True)


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedP21]:
    script = ScriptedP21()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    app.on_response_prepare.append(script.set_date)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    script.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield script
    await runner.cleanup()


@pytest.fixture
async def source(scripted, clock) -> AsyncIterator[Prophet21]:
    """A source of three-row pages over the scripted P21."""
    async with connected(scripted.url, clock, page_rows=3) as connection:
        yield connection


@pytest.fixture(scope="session")
def seeded_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("p21") / "seeded.db"
    P21Sandbox(path, rows=60).close()
    return path


@pytest.fixture
def sandbox(seeded_path, tmp_path) -> Iterator[P21Sandbox]:
    """A P21 sandbox of its own for each test, copied from one that was filled once."""
    shutil.copy(seeded_path, tmp_path / "p21.db")
    with P21Sandbox(tmp_path / "p21.db") as one:
        yield one


class StreamingResponse(ClientResponse):
    """aioresponses 0.7.9 does not fill in `stream_writer`, which aiohttp 3.14 asks for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"stream_writer": Mock(output_size=0), **options})


@pytest.fixture
def answers(monkeypatch) -> Iterator[aioresponses]:
    """Scripted answers without a server; the library is repaired, no code of ours is replaced."""
    monkeypatch.setattr("aioresponses.core.ClientResponse", StreamingResponse)
    with aioresponses() as scripted_answers:
        yield scripted_answers
