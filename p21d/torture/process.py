"""The daemon as a process of its own, which is killed and started again on the same store."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import yaml
from anyio.abc import Process

from p21d.clock import Clock
from p21d.control.client import ControlClient
from p21d.errors import P21dError, Unavailable

DRIVER = "p21d.torture.daemon"
SETTLE_SECONDS = 1.5
START_SECONDS = 60.0
STOP_SECONDS = 60.0
STEP_SECONDS = 0.05
ASK_SECONDS = 20.0


class Ended(P21dError):
    """The daemon ended by itself, or does not answer at all."""


class DaemonProcess:
    """One configuration in a folder and the process on it; `driver` is the module that is run."""

    def __init__(self, folder: Path, settings: dict[str, Any], clock: Clock, *, driver: str = DRIVER) -> None:
        self.store = Path(settings["store"]["path"])
        self.socket = Path(settings["control"]["socket"])
        self.log = folder / "p21d.log"
        self._folder = folder
        self._config = folder / "p21d.yaml"
        self.settings = settings
        self._driver = driver
        self._clock = clock
        self._process: Process | None = None
        self.write({})

    def write(self, values: dict[str, Any]) -> None:
        """Write the configuration with these top-level keys; a block is merged into the old one."""
        for name, value in values.items():
            old = self.settings.get(name)
            self.settings[name] = {**old, **value} if isinstance(old, dict) else value
        self._config.touch(mode=0o600)
        self._config.write_text(yaml.safe_dump(self.settings))

    async def start(self) -> None:
        """Start it, without waiting for it."""
        with self.log.open("ab") as log:
            self._process = await anyio.open_process(self._command(), stdout=log, stderr=log, cwd=self._folder)

    def _command(self) -> Sequence[str]:
        return [sys.executable, "-m", self._driver, str(self._config), str(SETTLE_SECONDS)]

    async def answering(self) -> None:
        """Return when its control socket answers; raises Ended."""
        with anyio.move_on_after(START_SECONDS):
            while True:
                self.check()
                try:
                    async with self.client() as client:
                        await client.status()
                        return
                except Unavailable:
                    await self._clock.sleep(STEP_SECONDS)
        raise Ended(f"the daemon did not answer within {START_SECONDS:g} s of its start", hint=self.last_words())

    def client(self) -> ControlClient:
        """Return a client of its control socket."""
        return ControlClient(self.socket, answer_seconds=ASK_SECONDS)

    def check(self) -> None:
        """Raise Ended where it has ended and nobody told it to."""
        code = None if self._process is None else self._process.returncode
        if code is not None:
            raise Ended(f"the daemon ended by itself, exit code {code}", hint=self.last_words())

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Let it drain; raises Ended where it does not in time."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        self.check()
        process, self._process = self._process, None
        if process is None:
            return
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_finish, process)
            process.send_signal(number)
            with anyio.move_on_after(STOP_SECONDS):
                code = await process.wait()
                if code not in (0, -number):
                    raise Ended(f"the daemon ended with exit code {code} when it was told to", hint=self.last_words())
                return
        raise Ended(f"the daemon did not end within {STOP_SECONDS:g} s", hint=self.last_words())

    async def clean_up(self) -> None:
        """End it however it stands."""
        if self._process is not None:
            await _finish(self._process)

    def last_words(self) -> str:
        """Return the last line it wrote."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return lines[-1][:300] if lines else ""

    def errors(self) -> list[str]:
        """Return what it logged as errors: only a bug of its own is one."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        found = [
            json.loads(line) for line in lines if line.startswith("{") and '"level":"error"' in line.replace(" ", "")
        ]
        return [" ".join(str(line.get(name, "")) for name in ("event", "entity", "work", "order")) for line in found]


async def _finish(process: Process) -> None:
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.kill()
        await process.wait()
