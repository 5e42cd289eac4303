from __future__ import annotations

import os
import socket

import pytest

from p21d.systemd import Notifier
from p21d.testing import FakeClock


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path):
    """A datagram socket as systemd has it, and the environment it gives a service."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        name = str(tmp_path / "notify") if request.param == "path" else f"@p21d-test-{os.getpid()}"
        channel.bind(name.replace("@", "\0") if request.param == "abstract" else name)
        channel.settimeout(1)
        yield channel, {"NOTIFY_SOCKET": name}


def told(systemd, tell):
    channel, environment = systemd
    clock = FakeClock()
    clock.advance(12.5)
    tell(Notifier(clock, environment=environment))
    return channel.recv(4096).decode().split("\n")


def test_ready_comes_with_a_status(systemd):
    assert told(systemd, lambda notifier: notifier.ready("8 entities")) == ["READY=1", "STATUS=8 entities"]


def test_reloading_carries_the_monotonic_time(systemd):
    assert told(systemd, lambda notifier: notifier.reloading()) == ["RELOADING=1", "MONOTONIC_USEC=12500000"]


def test_stopping_is_told(systemd):
    assert told(systemd, lambda notifier: notifier.stopping()) == ["STOPPING=1"]


def test_a_status_stays_one_line(systemd):
    assert told(systemd, lambda notifier: notifier.status("a\nREADY=1")) == ["STATUS=a READY=1"]


def test_the_watchdog_is_fed(systemd):
    assert told(systemd, lambda notifier: notifier.watchdog()) == ["WATCHDOG=1"]


def test_without_systemd_nothing_is_sent():
    Notifier(FakeClock(), environment={}).ready("x")


def test_a_socket_that_went_away_does_not_stop_the_daemon(tmp_path):
    Notifier(FakeClock(), environment={"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_interval_is_for_this_process_only(environment, seconds):
    assert Notifier(FakeClock(), environment=environment).watchdog_seconds == seconds
