"""A real server on a real Unix socket, with a double of the daemon behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from p21d.control.client import ControlClient
from p21d.control.server import ControlServer
from tests.control.operations_double import FakeOperations


@pytest.fixture
def operations():
    return FakeOperations()


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
async def server(socket_path, operations):
    async with ControlServer(socket_path, operations, head_seconds=0.05, body_seconds=0.05) as server:
        yield server


@pytest.fixture
async def client(server, socket_path):
    async with ControlClient(socket_path) as client:
        yield client


@pytest.fixture
async def raw(server, socket_path):
    """An HTTP client that is not ours."""
    import aiohttp

    async with aiohttp.ClientSession("http://p21d", connector=aiohttp.UnixConnector(str(socket_path))) as session:
        yield session
