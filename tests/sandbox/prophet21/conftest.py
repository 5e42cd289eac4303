"""One simulated P21 per test and a client with a good token."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from p21d.sandbox.prophet21 import P21Sandbox
from tests.sandbox.prophet21.order_bodies import WRITE

LOGIN = {"username": "p21d", "password": "sandbox-password"}


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert self.status == 200, self.text
        return self.json["value"]


@dataclass
class Client:
    url: str
    session: aiohttp.ClientSession
    token: str = ""

    async def log_in(self) -> str:
        answer = await self.call("POST", "/api/security/token/v2", json=LOGIN)
        self.token = answer.json["AccessToken"]
        return self.token

    async def call(self, method: str, path: str, *, accept: str | None = "application/json", **options) -> Answer:
        headers = {"Accept": accept} if accept else {}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        async with self.session.request(
            method, self.url + path, headers=headers, allow_redirects=False, **options
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def table(self, name: str, surface: str = "table", **options: str) -> Answer:
        query = {f"${option}": value for option, value in options.items()}
        return await self.call("GET", f"/odataservice/odata/{surface}/{name}", params=query)

    async def write(self, body: dict[str, Any], **options: Any) -> Answer:
        return await self.call("POST", WRITE, json=body, **options)

    async def order_no(self, body: dict[str, Any]) -> str:
        """Write one order, which must pass, and return its number."""
        answer = (await self.write(body)).json
        assert answer["Summary"] == {"Succeeded": 1, "Failed": 0, "Other": 0}, answer
        return answer["Results"]["Transactions"][0]["DataElements"][0]["Rows"][0]["Edits"][0]["Value"]

    async def refusal(self, body: dict[str, Any]) -> str:
        """Write one order, which must be refused with status 200, and return P21's words."""
        answer = await self.write(body)
        assert answer.status == 200, answer.text
        assert answer.json["Summary"] == {"Succeeded": 0, "Failed": 1, "Other": 0}
        assert answer.json["Results"] is None
        return answer.json["Messages"][0].removeprefix("Transaction 1:: ")

    async def decimals(self, name: str, **options: str) -> list[dict[str, Any]]:
        """Read rows with every number of a JSON row as the exact decimal that stood there."""
        answer = await self.table(name, **options)
        raw = msgspec.json.decode(answer.body, type=_Page).value
        return [{key: _exact(row[key]) for key in row} for row in raw]


class _Page(msgspec.Struct):
    value: list[dict[str, msgspec.Raw]]


def _exact(raw: msgspec.Raw) -> Any:
    text = bytes(raw).decode()
    return Decimal(text) if text[0] in "-0123456789" else msgspec.json.decode(text)


@pytest.fixture(scope="session")
def seeded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database seeded once, for every test to copy."""
    path = tmp_path_factory.mktemp("p21") / "seeded.db"
    P21Sandbox(path, rows=60, seed=7).close()
    return path


@pytest.fixture
def sandbox(seeded_file: Path, tmp_path: Path) -> Iterator[P21Sandbox]:
    with P21Sandbox(shutil.copy(seeded_file, tmp_path / "p21.db")) as sandbox:
        yield sandbox


@pytest.fixture
async def stranger(sandbox: P21Sandbox) -> AsyncIterator[Client]:
    """A client that has no token yet."""
    async with sandbox.serve() as url, aiohttp.ClientSession(skip_auto_headers=["Accept"]) as session:
        yield Client(url, session)


@pytest.fixture
async def client(stranger: Client) -> Client:
    await stranger.log_in()
    return stranger
