"""Tells systemd how the service is, in the datagrams of sd_notify(3); without systemd nothing is sent.

Why no library: the protocol is one datagram of `KEY=value` lines, and what fails here must never stop the daemon.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

import structlog

from p21d.clock import Clock

SEND_TIMEOUT_SECONDS = 1.0


class Notifier:
    """The service's line to systemd, from `$NOTIFY_SOCKET`."""

    def __init__(self, clock: Clock, *, environment: Mapping[str, str] = os.environ) -> None:
        """Open nothing; `watchdog_seconds` is how often systemd expects a sign of life, None where it does not."""
        self._clock = clock
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_seconds = _watchdog_seconds(environment)

    def ready(self, status: str = "") -> None:
        """Say that the daemon runs, after the start or after a reload."""
        self._send("READY=1", *_status(status))

    def reloading(self) -> None:
        """Say that a reload begins; `ready` ends it. systemd wants the monotonic time with it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.monotonic() * 1_000_000)}")

    def stopping(self, status: str = "") -> None:
        """Say that the daemon drains and ends."""
        self._send("STOPPING=1", *_status(status))

    def status(self, status: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send(*_status(status))

    def watchdog(self) -> None:
        """Give the sign of life; call it on progress, never from a timer alone."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address or not lines:
            return
        # a leading @ stands for the zero byte of an abstract socket
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(SEND_TIMEOUT_SECONDS)
                channel.connect(address)
                channel.send("\n".join(lines).encode())
        except OSError as error:
            structlog.get_logger().warning("systemd not told", told=lines[0], error=str(error))


def _status(status: str) -> tuple[str, ...]:
    return (f"STATUS={' '.join(status.split())}",) if status else ()


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    micros = environment.get("WATCHDOG_USEC", "")
    # the variables are inherited; WATCHDOG_PID says for which process they are
    if not micros.isdigit() or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(micros) / 1_000_000 or None
