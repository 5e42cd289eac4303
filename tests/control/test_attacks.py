"""Clients of the control socket that mean no good, or know no better; somebody else is served meanwhile."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from p21d.control.client import ControlClient
from p21d.control.event_client import read_events
from p21d.control.event_routes import MOST_LISTENERS
from p21d.control.server import ControlServer
from tests.control.operations_double import letter

MOST = 8


@pytest.fixture
async def server(socket_path, operations):
    seconds = {"head_seconds": 30.0, "body_seconds": 0.3, "read_seconds": 0.2}
    async with ControlServer(socket_path, operations, most_connections=MOST, **seconds) as server:
        yield server


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def connected(path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(str(path))
    return client


async def test_silent_connections_make_room_for_a_client_with_a_request(server, socket_path, client):
    with contextlib.ExitStack() as silent:
        for _ in range(5 * MOST):
            silent.enter_context(connected(socket_path))
            await anyio.lowlevel.checkpoint()
        assert (await client.status()).pid == 1


async def test_the_daemon_keeps_no_more_descriptors_than_the_bound(server, socket_path, client):
    before = descriptors()
    with contextlib.ExitStack() as silent:
        for _ in range(10 * MOST):
            silent.enter_context(connected(socket_path))
            await anyio.lowlevel.checkpoint()
        await client.status()
        theirs = 10 * MOST + 1
        assert descriptors() - before - theirs <= MOST + 1  # one is closing


async def test_without_the_bound_each_connection_costs_a_descriptor(socket_path, operations):
    async with ControlServer(socket_path, operations, most_connections=1000), ControlClient(socket_path) as client:
        before = descriptors()
        with contextlib.ExitStack() as silent:
            for _ in range(10 * MOST):
                silent.enter_context(connected(socket_path))
                await anyio.lowlevel.checkpoint()
            await client.status()
            assert descriptors() - before >= 2 * 10 * MOST


async def test_the_bound_spares_those_whose_request_is_under_way(server, socket_path):
    with connected(socket_path) as slow, contextlib.ExitStack() as silent:
        slow.sendall(b"POST /v1/entities/customer/resume HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
        await anyio.sleep(0.01)
        for _ in range(3 * MOST):
            silent.enter_context(connected(socket_path))
            await anyio.lowlevel.checkpoint()
        slow.sendall(b"}")
        assert b"customer runs again" in await _received(slow, b"}\n")


async def test_a_full_house_turns_the_next_one_away(server, socket_path):
    head = b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n"
    with contextlib.ExitStack() as listeners:
        for _ in range(MOST):
            listeners.enter_context(connected(socket_path)).sendall(head)
        await anyio.sleep(0.02)
        with connected(socket_path) as late:
            assert await _received(late, b"never") == b""


async def test_a_client_that_does_not_read_its_answer_is_let_go(server, socket_path, operations, client):
    operations.letters = [letter(number, body="x" * 100_000) for number in range(100)]
    with connected(socket_path) as greedy:
        greedy.sendall(b"GET /v1/dead-letters HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        async with await anyio.connect_unix(socket_path):
            assert (await client.status()).pid == 1
        greedy.settimeout(5)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            await anyio.sleep(0.3)
            while chunk := await anyio.to_thread.run_sync(greedy.recv, 65536):
                received += len(chunk)
        assert received < 10_000_000


async def test_a_head_that_comes_byte_by_byte_is_closed(socket_path, operations):
    async with ControlServer(socket_path, operations, head_seconds=0.1), await anyio.connect_unix(socket_path) as slow:
        with anyio.fail_after(5), pytest.raises(anyio.BrokenResourceError):
            await _dribble(slow, b"GET /v1/status HTTP/1.1\r\n" + b"X: y\r\n" * 1000)


async def test_the_events_come_as_they_happen(server, socket_path, operations):
    operations.events.tell({"event": "first", "level": "info"})
    seen = []
    with anyio.fail_after(5):
        async for event in read_events(socket_path, follow=True):
            seen.append(event.event)
            if event.event == "second":
                break
            operations.events.tell({"event": "second", "level": "info"})
    assert seen == ["first", "second"]


async def test_a_client_that_does_not_read_the_events_is_told_how_many_it_lost(server, socket_path, operations, client):
    reader = await _listening(socket_path, operations)
    for number in range(20):
        for _ in range(200):
            operations.events.tell({"event": "cycle", "level": "info", "number": number, "words": "x" * 2000})
        await anyio.lowlevel.checkpoint()
    assert (await client.status()).pid == 1
    with reader:
        assert (await _line(reader, "lost"))["count"] > 1000


async def test_those_who_left_are_forgotten(server, socket_path, operations):
    reader = await _listening(socket_path, operations)
    reader.close()
    operations.events.tell({"event": "cycle", "level": "info"})
    with anyio.fail_after(5):
        while operations.events.listeners:  # aiohttp's own task notices
            operations.events.tell({"event": "cycle", "level": "info"})
            await anyio.sleep(0.01)


async def test_listeners_have_a_bound(socket_path, operations):
    async with ControlServer(socket_path, operations):
        with contextlib.ExitStack() as listeners:
            for _ in range(MOST_LISTENERS):
                listeners.enter_context(await _listening(socket_path, operations))
            with connected(socket_path) as late:
                late.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b"listen to the events already" in await _received(late, b"}\n")


async def test_an_end_ends_the_streams_and_does_not_wait_for_who_is_deaf(socket_path, operations):
    async with ControlServer(socket_path, operations):
        quiet = await _listening(socket_path, operations, "?entity=customer")
        deaf = await _listening(socket_path, operations)
        for _ in range(500):
            operations.events.tell({"event": "cycle", "level": "info", "words": "x" * 5000})
        await anyio.sleep(0.02)
    with quiet, deaf:
        assert (await _received(quiet, b"never")).endswith(b"\r\n0\r\n\r\n"), "ended by the stream"
        assert not (await _received(deaf, b"never")).endswith(b"\r\n0\r\n\r\n"), "cut off"


async def _dribble(stream, text):
    for sign in text:
        await stream.send(bytes([sign]))
        await anyio.sleep(0.01)


async def _listening(path, operations, query=""):
    """Return a client that the feed knows as a listener."""
    before, reader = operations.events.listeners, connected(path)
    reader.sendall(f"GET /v1/events{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    with anyio.fail_after(5):
        while operations.events.listeners == before:  # noqa: ASYNC110  # the server's own task
            await anyio.sleep(0.005)
    return reader


async def _received(reader, end):
    """Return what comes until these bytes or the end of the connection."""
    reader.settimeout(5)
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while end not in said and (chunk := await anyio.to_thread.run_sync(reader.recv, 65536)):
            said += chunk
    return said


async def _line(reader, event):
    """Return the first line about that event."""
    said = b""
    while True:
        said = said.rpartition(b"\n")[2] + await _received(reader, b"\n")
        for line in said.splitlines():
            if line.startswith(b"{") and line.endswith(b"}") and json.loads(line)["event"] == event:
                return json.loads(line)
