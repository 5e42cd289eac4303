"""A real daemon on a real notify socket: what systemd is told of a start, a hold, a reload, a hang and an end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from p21d.sandbox.faults import Fault
from tests.faults.world import Daemon, World, until, world

WATCHDOG_SECONDS = 0.3
HANGING = """
import sys, anyio
from pathlib import Path
import p21d.daemon
p21d.daemon.stuck_seconds = lambda config: 0.5
from functools import partial
p21d.daemon.Watchdog = partial(p21d.daemon.Watchdog, restart_seconds=0.2)
if sys.argv[2] == "swallowed":
    from p21d.sinks.ipaas.sink import IpaasSink
    async def deliver(self, deliveries, answers):
        with anyio.CancelScope(shield=True):
            await anyio.sleep_forever()
    IpaasSink.deliver = deliver
sys.exit(p21d.daemon.run(Path(sys.argv[1])))
"""


class Systemd:
    """The other end of `NOTIFY_SOCKET`, and everything that was told."""

    def __init__(self, path: Path) -> None:
        self.channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.channel.bind(str(path))
        self.told: list[list[str]] = []
        # always read, as systemd does: a full queue would hold up the daemon
        threading.Thread(target=self._read, daemon=True).start()
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1_000_000))}

    def _read(self) -> None:
        while datagram := self.channel.recv(65536):
            self.told.append(datagram.decode().split("\n"))

    def hear(self) -> list[list[str]]:
        """Return all that was told so far, a list of lines for each datagram."""
        return list(self.told)

    def close(self) -> None:
        self.channel.shutdown(socket.SHUT_RDWR)
        self.channel.close()

    def count(self, line: str) -> int:
        return sum(line in lines for lines in self.hear())

    async def until_told(self, words: str, *, after: int = 0) -> list[str]:
        """Return the first datagram behind that many that holds these words in a line."""

        async def found() -> list[str] | None:
            return next((lines for lines in self.hear()[after:] if any(words in line for line in lines)), None)

        told = await until(found, f"{words!r} told to systemd")
        assert isinstance(told, list)
        return told


@pytest.fixture
def systemd(tmp_path, monkeypatch) -> Iterator[Systemd]:
    made = Systemd(tmp_path / "notify")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


async def test_systemd_is_told_of_start_progress_hold_reload_and_end(tmp_path, systemd):
    async with world(tmp_path, "location", "product", rows=5) as here:
        await here.daemon.start()
        assert (await systemd.until_told("READY=1"))[1].startswith("STATUS=2 entities run")
        await here.daemon.until_in_step()
        fed = systemd.count("WATCHDOG=1")
        await until(lambda: more(systemd, fed + 2), "two more signs of life")

        here.p21.settings.forbidden_tables = {"inv_mast"}
        await resumed(here.daemon)
        here.daemon.signal(signal.SIGHUP)
        reloading = await systemd.until_told("RELOADING=1")
        assert reloading[1].startswith("MONOTONIC_USEC=")
        at = systemd.told.index(reloading)
        assert int(reloading[1].partition("=")[2]) > 0
        assert (await systemd.until_told("READY=1", after=at))[0] == "READY=1"
        held = await systemd.until_told("1 of 2 entities held; product: ", after=at)
        assert "inv_mast" in held[0]

        before = len(systemd.hear())
        await here.daemon.stop()
        assert (await systemd.until_told("STOPPING=1", after=before))[1] == "STATUS=draining"


async def more(systemd: Systemd, count: int) -> bool:
    return systemd.count("WATCHDOG=1") >= count


async def resumed(daemon: Daemon) -> None:
    """Write what a reload proves anew."""
    daemon.write(prophet21={"concurrent_requests": 3})


def start_hanging(here: World, how: str) -> None:
    """Start a daemon for which half a second without a step is a hang."""
    with here.daemon.log_path.open("ab") as log:
        command = [sys.executable, "-c", HANGING, str(here.daemon.config), how]
        here.daemon._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=here.folder)


async def test_a_hang_of_one_entity_is_no_matter_of_systemds(tmp_path, systemd):
    async with world(tmp_path, "location", rows=5) as here:
        here.hub.faults.add(Fault(kind="hang", path="*/Location*", seconds=600, times=1))
        start_hanging(here, "once")
        await until(lambda: logged(here, "begun anew"), "the entity begun anew")
        fed = systemd.count("WATCHDOG=1")
        await here.daemon.until_in_step()
        await until(lambda: more(systemd, fed + 3), "signs of life")
        [stuck] = here.daemon.log("stuck")
        assert [work["stage"] for work in stuck["work"]] == ["deliver"]
        assert any("http.py" in line for line in stuck["tasks"])
        assert [call.partition(":")[0] for call in stuck["calls"]] == ["Prophet 21", "hub"]
        assert all(" s ago, " in call for call in stuck["calls"])
        assert "sandbox-password" not in str(stuck)
        assert {record["writes"] for record in here.hub.records("location")} == {1}


async def test_a_daemon_that_hangs_gives_no_sign_of_life_and_leaves_its_stacks(tmp_path, systemd):
    async with world(tmp_path, "location", rows=5) as here:
        start_hanging(here, "swallowed")
        await systemd.until_told("STATUS=hangs: location sweep has not moved")
        fed = systemd.count("WATCHDOG=1")
        at = len(systemd.hear())
        for _ in range(4):
            await systemd.until_told("STATUS=hangs", after=at)
            at = len(systemd.hear())
        assert systemd.count("WATCHDOG=1") == fed

        here.daemon.signal(signal.SIGABRT)  # as systemd does at WatchdogSec
        assert await here.daemon.ended() == -signal.SIGABRT
        assert "Fatal Python error: Aborted" in here.daemon.log_path.read_text()


async def logged(here: World, event: str) -> bool:
    return bool(here.daemon.log(event))
