"""A running hub and a plain client that shows status, reason phrase and decoded body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from p21d.sandbox.hub import COMPANY_ID, HubSandbox


class FakeClock:
    """A clock that moves when told; its sleeps return at once and are recorded."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 7, 20, 14, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.instant += timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@dataclass
class Answer:
    status: int
    reason: str
    text: str
    headers: Any

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return self.json["code"]


class Api:
    """Calls the hub with a bearer that a test may change."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url
        self.bearer = "hub-key"
        self.headers: dict[str, str] = {}

    async def call(self, method: str, path: str, body: Any = None, **kwargs: Any) -> Answer:
        headers = {**self.headers, **({"Authorization": f"Bearer {self.bearer}"} if self.bearer else {})}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        async with self.session.request(
            method, self.url + path, data=data, headers=headers, allow_redirects=False, **kwargs
        ) as response:
            return Answer(response.status, response.reason or "", await response.text(), response.headers)

    async def get(self, path: str, **params: Any) -> Answer:
        return await self.call("GET", path, params=params)

    async def post(self, path: str, body: Any) -> Answer:
        return await self.call("POST", path, body)

    async def put(self, path: str, body: Any) -> Answer:
        return await self.call("PUT", path, body)

    async def delete(self, path: str, body: Any = None) -> Answer:
        return await self.call("DELETE", path, body)

    async def login(self) -> Any:
        """Take the company-level token of steps 1 and 3."""
        credentials = {"email_address": "daemon@example.com", "password": "hub-secret"}
        self.bearer = (await self.post("/sso/v2/Auth/Login", credentials)).json["access_token"]
        answer = (await self.get(f"/sso/v2/User/ChangeCompany/{COMPANY_ID}")).json
        self.bearer = answer["access_token"]
        return answer

    async def lookup(self, family: str, table: str, external_id: str) -> Answer:
        body = {"table_name": table, "system_id": 5120, "external_id": external_id}
        return await self.post(f"/{family}/v2/External/LookupSpecial", body)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def hub(clock):
    hub = HubSandbox(clock=clock)
    yield hub
    hub.close()


@pytest.fixture
async def api(hub):
    async with hub.serve() as url, aiohttp.ClientSession() as session:
        yield Api(session, url)
