"""Where the daemon is: its configuration file and its control socket, and how a command asks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from p21d.cli.loop import run
from p21d.config import ControlConfig
from p21d.config_file import control_socket
from p21d.control.client import ControlClient
from p21d.errors import P21dError

DEFAULT_CONFIG = Path("/etc/p21d/p21d.yaml")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Place:
    """The options every command has; click hands it on as `context.obj`."""

    config_path: Path
    socket_option: Path | None = None

    @property
    def socket(self) -> Path:
        """Return the control socket: the option, else the configuration's, else the default.

        A configuration that is broken, absent or not ours to read still lets the operator ask a running daemon.
        """
        if self.socket_option is not None:
            return self.socket_option
        try:
            return control_socket(self.config_path)
        except P21dError:
            return ControlConfig().socket

    def ask(self, question: Callable[[ControlClient], Awaitable[T]]) -> T:
        """Return the daemon's answer; raises P21dError."""

        async def asked() -> T:
            async with ControlClient(self.socket) as client:
                return await question(client)

        return run(asked)
