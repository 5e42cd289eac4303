from __future__ import annotations

import io
import os
import socket

import anyio
import pytest
from structlog.testing import capture_logs

from p21d.errors import AlreadyRunning, ConfigError, Unavailable
from tests.control.operations_double import entity


async def _post(raw, path, body=b""):
    async with raw.post(path, data=body) as response:
        return response.status, await response.json()


async def _get(raw, path):
    async with raw.get(path) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("path", ["/v1/status", "/v1/entities", "/v1/cycles", "/v1/dead-letters"])
async def test_every_answer_has_its_schema_version(raw, path):
    assert (await _get(raw, path))[1]["schema_version"] == 1


async def test_an_unknown_route_is_refused_in_json(raw):
    status, refusal = await _get(raw, "/v1/nothing")
    assert (status, refusal["error"]) == (404, "no such route: GET /v1/nothing")


async def test_a_route_refuses_the_wrong_method_in_json(raw):
    assert (await _get(raw, "/v1/reload"))[0] == 405


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b'{"entity": 1}', b'{"entity": "customer", "extra": 1}', b""])
async def test_a_body_that_is_no_request_is_refused(raw, body):
    status, refusal = await _post(raw, "/v1/sync", body)
    assert (status, refusal["exit_code"]) == (400, 64)


async def test_a_query_that_is_no_request_is_refused(raw):
    assert (await _get(raw, "/v1/cycles?limit=0"))[0] == 400


async def test_a_body_above_a_megabyte_is_refused(raw):
    status, refusal = await _post(raw, "/v1/sync", io.BytesIO(b" " * (1024 * 1024 + 1)))
    assert (status, refusal["error"]) == (413, "the request is too large")


@pytest.mark.parametrize(
    ("error", "status", "exit_code"),
    [
        (ConfigError("no such entity", path="entities.x"), 400, 78),
        (AlreadyRunning("a reload runs"), 409, 75),
        (Unavailable("P21 does not answer", system="Prophet 21"), 503, 69),
    ],
)
async def test_an_error_of_the_daemon_has_its_status_and_exit_code(raw, operations, error, status, exit_code):
    operations.error = error
    answered, refusal = await _get(raw, "/v1/status")
    assert (answered, refusal["exit_code"], refusal["error"]) == (status, exit_code, error.message)


async def test_a_fault_of_the_daemon_is_answered_without_its_words(raw, operations):
    operations.error = RuntimeError("password=hunter2")
    with capture_logs() as logs:
        status, refusal = await _get(raw, "/v1/status")
    assert (status, refusal["error"], len(logs)) == (500, "internal error: RuntimeError", 1)


async def test_ready_when_all_are_in_step(raw):
    assert await _get(raw, "/ready") == (200, {"schema_version": 1, "ready": True, "waiting_for": []})


async def test_not_ready_while_a_first_window_is_open(raw, operations):
    operations.entities.append(entity("invoice", state="catching up", watermark=None))
    status, answer = await _get(raw, "/ready")
    assert (status, answer["waiting_for"]) == (503, ["invoice"])


async def test_ready_while_an_entity_past_its_first_window_is_held(raw, operations):
    operations.entities.append(entity("invoice", state="held"))
    assert (await _get(raw, "/ready"))[0] == 200


async def test_what_changes_something_is_logged_with_the_uid(raw):
    with capture_logs() as logs:
        await _post(raw, "/v1/entities/customer/pause", b'{"because": "month end"}')
    assert (logs[0]["route"], logs[0]["uid"], logs[0]["asked"]) == (
        "/v1/entities/customer/pause",
        os.getuid(),
        {"because": "month end"},
    )


async def test_what_only_looks_is_not_logged(raw):
    with capture_logs() as logs:
        await _get(raw, "/v1/status")
    assert logs == []


async def test_a_body_that_does_not_arrive_is_given_up(server, socket_path):
    async with await anyio.connect_unix(socket_path) as stream:
        await stream.send(b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        with anyio.fail_after(5):
            assert b"400" in await stream.receive()


async def test_a_client_that_says_nothing_is_closed(server, socket_path):
    async with await anyio.connect_unix(socket_path) as stream:
        with anyio.fail_after(5), pytest.raises(anyio.EndOfStream):
            await stream.receive()


async def test_a_head_that_never_ends_is_closed(server, socket_path):
    async with await anyio.connect_unix(socket_path) as stream:
        await stream.send(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n")
        with anyio.fail_after(5), pytest.raises(anyio.EndOfStream):
            await stream.receive()


@pytest.mark.parametrize(
    "rubbish", [b"\x00" * 100, b"GET /" + b"a" * 100_000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000 + b"\r\n"]
)
async def test_rubbish_hurts_nobody_else(server, socket_path, client, rubbish):
    async with await anyio.connect_unix(socket_path) as stream:
        await stream.send(rubbish + b"\r\n\r\n")
        with anyio.fail_after(5):
            await stream.receive()
        assert (await client.status()).pid == 1


async def test_the_server_works_on_the_daemons_own_loop(socket_path, operations):
    from p21d.control.client import ControlClient
    from p21d.control.server import ControlServer

    async def ask():
        async with ControlServer(socket_path, operations), ControlClient(socket_path) as client:
            return await client.pause("customer", "uvloop")

    run = lambda: anyio.run(ask, backend_options={"use_uvloop": True})  # noqa: E731
    assert (await anyio.to_thread.run_sync(run)).done == "customer is paused"


async def test_a_client_that_leaves_in_the_middle_is_no_fault_of_ours(server, socket_path, client):
    with capture_logs() as logs:
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(str(socket_path))
            stream.sendall(b"POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            await client.status()
        assert ((await client.status()).pid, logs) == (1, [])
