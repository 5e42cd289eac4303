"""The control socket of a real daemon under attack: it goes on delivering, answers, and grows by nothing."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from pathlib import Path

import anyio
import anyio.to_thread

from tests.faults.comparison import assert_in_step, living
from tests.faults.world import Daemon, until, world

CONNECTIONS = 10_000
GIGABYTE = 1 << 30
GROWTH_BYTES = 40_000_000
MOST_OPEN = 450


def connected(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(str(path))  # waits while the backlog is full; with a timeout it would fail at once
    client.settimeout(10)
    return client


def open_many(path: Path) -> None:
    """Open the connections, as many at a time as this process may have; most say nothing, some rubbish."""
    at_once = min(500, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    rubbish = (b"\x00\xff" * 50, b"GET /v1/st", b"POST /v1/sync HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")
    for start in range(0, CONNECTIONS, at_once):
        with contextlib.ExitStack() as opened:
            for number in range(start, start + at_once):
                client = opened.enter_context(connected(path))
                with contextlib.suppress(OSError):  # it may be turned away
                    client.sendall(rubbish[number % len(rubbish)] if number % 20 == 0 else b"")


def send_gigabyte(path: Path) -> int:
    """Send a body of a gigabyte for as long as somebody takes it; return how much went out."""
    sent, part = 0, b" " * 65536
    with connected(path) as client, contextlib.suppress(OSError):
        client.sendall(b"POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % GIGABYTE)
        while sent < GIGABYTE:
            sent += client.send(part)
    return sent


def descriptors(daemon: Daemon) -> int:
    return sum(1 for _ in Path(f"/proc/{daemon.process.pid}/fd").iterdir())


def peak_bytes(daemon: Daemon) -> int:
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def test_the_daemon_does_not_care(tmp_path):
    async with world(tmp_path, "location", entity={"poll_interval": "0.3s"}, prophet21={"settle": 0}) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        before, stat = peak_bytes(here.daemon), here.daemon.socket.stat()
        assert (stat.st_mode & 0o7777, stat.st_uid) == (0o660, os.geteuid())
        answered = most_open = 0
        async with anyio.create_task_group() as attack:
            attack.start_soon(anyio.to_thread.run_sync, open_many, here.daemon.socket)
            attack.start_soon(anyio.to_thread.run_sync, send_gigabyte, here.daemon.socket)
            for number, row in enumerate(living(here.p21, "location")):
                key = {"location_id": row["location_id"]}
                here.p21.database.change("location", key, location_name=f"attacked {number}")
                most_open = max(most_open, descriptors(here.daemon))
                answered += (await here.daemon.status()).pid == here.daemon.process.pid
        shown = await here.daemon.command("status")
        assert shown.returncode == 0, shown.stderr

        async def delivered() -> bool:
            return all(record["name"].startswith("attacked") for record in here.hub.records("location"))

        await until(delivered, "what changed during the attack in the hub")
        assert_in_step(here.p21, here.hub, "location")
        assert answered == len(living(here.p21, "location"))
        assert peak_bytes(here.daemon) - before < GROWTH_BYTES
        assert most_open < MOST_OPEN
        assert not here.daemon.log("Error handling request from ")
        assert await here.daemon.stop() == 0
