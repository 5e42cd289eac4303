from __future__ import annotations

import os
import socket
import subprocess
import sys

import anyio
import pytest

from p21d.control.answers import DeadLetterRequest, ReloadAnswer, SyncRequest
from p21d.control.client import ControlClient, RefusedByDaemon
from p21d.errors import ConfigError, StoreFull, Unavailable
from tests.control.operations_double import entity, letter

ASK_AS_NOBODY = """
import os, sys, pathlib, anyio
from p21d.control.client import ControlClient
async def ask():
    async with ControlClient(pathlib.Path(sys.argv[1])) as client:
        os.setgroups([]); os.setgid(65533); os.setuid(65533)
        await client.status()
try:
    anyio.run(ask)
except Exception as error:
    print(type(error).__name__, error.exit_code, error.hint)
"""


async def test_status_comes_back_whole(client, operations):
    assert (await client.status()).entities == operations.entities


async def test_entities_come_back(client, operations):
    assert await client.entities() == operations.entities


async def test_cycles_are_asked_for_by_entity(client, operations):
    await client.cycles(entity="customer", limit=7)
    assert operations.asked == [("cycles", "customer", 7)]


async def test_dead_letters_are_asked_for_by_page(client, operations):
    operations.letters = [letter(12)]
    found = await client.dead_letters(entity="customer", key="01|12", limit=5, before=13)
    assert (found, operations.asked) == ([letter(12)], [("dead_letters", "customer", "01|12", 5, 13)])


async def test_a_sync_says_what_became_of_the_keys(client):
    answer = await client.sync(SyncRequest(entity="customer", keys=["1", "2"], wait=True))
    assert answer.tally.delivered == 2


async def test_pause_carries_its_reason(client, operations):
    await client.pause("customer", "month end")
    assert operations.asked == [("pause", "customer", "month end")]


async def test_resume_names_its_entity(client, operations):
    await client.resume("customer")
    assert operations.asked == [("resume", "customer")]


async def test_replay_names_the_cause(client, operations):
    request = DeadLetterRequest(entity="customer", code="E17")
    await client.replay(request)
    assert operations.asked == [("replay", request)]


async def test_discard_carries_its_reason(client, operations):
    request = DeadLetterRequest(entity="customer", keys=["1"], because="a test customer")
    await client.discard(request)
    assert operations.asked == [("discard", request)]


async def test_the_log_level_changes(client, operations):
    await client.set_log_level("debug")
    assert operations.asked == [("log_level", "debug")]


async def test_a_log_level_nobody_knows_is_refused(client):
    with pytest.raises(RefusedByDaemon):
        await client.set_log_level("loud")


async def test_a_refused_reload_is_an_answer(client, operations):
    operations.reload_answer = ReloadAnswer(reloaded=False, error="unknown key", path="sinkk", hint="sink?")
    assert await client.reload() == operations.reload_answer


async def test_a_reload_the_daemon_cannot_do_is_an_error(client, operations):
    operations.error = StoreFull("no room")
    with pytest.raises(RefusedByDaemon, match="no room"):
        await client.reload()


async def test_not_being_ready_is_an_answer(client, operations):
    operations.entities.append(entity("invoice", state="starting", watermark=None))
    assert (await client.ready()).waiting_for == ["invoice"]


async def test_a_refusal_carries_words_hint_and_exit_code(client, operations):
    operations.error = ConfigError("no such entity", path="entities.x", hint="customer?")
    with pytest.raises(RefusedByDaemon) as caught:
        await client.pause("x")
    error = caught.value
    assert (error.message, error.hint, error.exit_code) == ("entities.x: no such entity", "customer?", 78)


@pytest.mark.parametrize("stale", [False, True])
async def test_a_daemon_that_does_not_run_is_unavailable_with_a_hint(socket_path, stale):
    if stale:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(socket_path))
    async with ControlClient(socket_path) as client:
        with pytest.raises(Unavailable) as caught:
            await client.status()
    assert (caught.value.exit_code, "P21D_SOCKET" in caught.value.hint) == (69, True)


async def _answered_by(socket_path, answer, **options):
    async def handle(stream):
        async with stream:
            await stream.receive()
            if answer is None:
                await anyio.sleep_forever()
            await stream.send(answer)

    async with anyio.create_task_group() as tasks, await anyio.create_unix_listener(socket_path) as listener:
        tasks.start_soon(listener.serve, handle)
        async with ControlClient(socket_path, **options) as client:
            with pytest.raises(Unavailable) as caught:
                await client.status()
        tasks.cancel_scope.cancel()
    return caught.value.message


async def test_something_else_at_the_socket_is_named(socket_path):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    assert "no p21d answers" in await _answered_by(socket_path, answer)


async def test_a_daemon_that_ends_meanwhile_is_unavailable(socket_path):
    assert "ended before it answered" in await _answered_by(socket_path, b"HTTP/1.1 200 OK\r\nContent-Le")


async def test_a_daemon_that_never_answers_is_given_up(socket_path):
    assert "did not answer" in await _answered_by(socket_path, None, answer_seconds=0.03)


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")
async def test_a_user_who_may_not_use_the_socket_is_told_the_group(server, socket_path):
    command = [sys.executable, "-c", ASK_AS_NOBODY, str(socket_path)]
    done = await anyio.run_process(command, stderr=subprocess.STDOUT)
    name, code, hint = done.stdout.decode().split(maxsplit=2)
    assert (name, code, "the group root" in hint) == ("PermissionRefused", "77", True)
