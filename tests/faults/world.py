"""A whole installation on this machine: a P21 and a hub that can go down and come back, and a real daemon process.

Nothing is waited for by time: a test waits for what the daemon's status, its log or the simulators show, under a
deadline that only a broken daemon meets.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import yaml

from p21d.control.answers import EntityStatus, Status, SyncAnswer, SyncRequest
from p21d.control.client import ControlClient
from p21d.errors import Unavailable
from p21d.sandbox.hub import COMPANY_ID, HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.serve import name_carriers
from p21d.torture.wanted import COMPANY, ENTITIES
from p21d.torture.world import Simulator

DEADLINE_SECONDS = 40.0
LOOK_SECONDS = 0.02


async def until(condition: Callable[[], Awaitable[Any]], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """Return the condition's first true answer; fail after the deadline, saying what was waited for."""
    with anyio.move_on_after(seconds):
        while not (found := await condition()):  # noqa: ASYNC110  # what is waited for is in another process
            await anyio.sleep(LOOK_SECONDS)
        return found
    raise AssertionError(f"not within {seconds:g} s: {what}")


class Daemon:
    """One configuration and the `p21d run` process on it, which may be started again and again."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        self.settings = settings
        self.config = folder / "p21d.yaml"
        self.log_path = folder / "p21d.log"
        self.store = Path(settings["store"]["path"])
        self.socket = Path(settings["control"]["socket"])
        self._process: subprocess.Popen[bytes] | None = None
        self.write()

    def write(self, **blocks: Any) -> None:
        """Write the configuration, with these top-level keys changed; a block is merged, not replaced."""
        for name, block in blocks.items():
            old = self.settings.get(name)
            self.settings[name] = {**old, **block} if isinstance(old, dict) else block
        self.config.touch(mode=0o600)
        self.config.write_text(yaml.safe_dump(self.settings))

    async def start(self, *, ready: bool = True) -> None:
        """Start it; with `ready`, return when its control socket answers."""
        with self.log_path.open("ab") as log:
            command = self._command("run")
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)  # noqa: ASYNC220  # brief
        if ready:
            await until(self._answers, f"an answer on {self.socket}")

    async def _answers(self) -> bool:
        assert self.process.poll() is None, f"the daemon ended with {self.process.returncode}"
        try:
            await self.status()
        except Unavailable:
            return False
        return True

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def ended(self, seconds: float = DEADLINE_SECONDS) -> int:
        """Return the exit code once the process has ended."""
        return await anyio.to_thread.run_sync(lambda: self.process.wait(seconds))

    async def stop(self) -> int:
        """Drain it and return its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.signal(signal.SIGKILL)
        await self.ended()

    def clean_up(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self.log_path.exists():
            sys.stdout.write(self.log_path.read_text()[-20_000:])  # pytest shows it when the test fails

    def log(self, event: str = "") -> list[dict[str, Any]]:
        """Return the log's lines, of one event where it is named; what is no JSON has the event `raw`."""
        texts = self.log_path.read_text().splitlines()
        lines = [json.loads(text) if text.startswith("{") else {"event": "raw", "text": text} for text in texts]
        return [line for line in lines if event in ("", line["event"])]

    async def status(self) -> Status:
        async with ControlClient(self.socket) as client:
            return await client.status()

    async def entity(self, name: str) -> EntityStatus:
        return next(entity for entity in (await self.status()).entities if entity.entity == name)

    async def until_in_step(self, *names: str) -> None:
        """Wait until these entities (all that run) have caught up and nothing of them is on its way."""

        async def in_step() -> bool:
            entities = [entity for entity in (await self.status()).entities if not names or entity.entity in names]
            return all(e.state == "in step" and not (e.waiting or e.triggered or e.running) for e in entities)

        await until(in_step, f"{names or 'all entities'} in step")

    async def until_held(self, name: str, *words: str, seconds: float = DEADLINE_SECONDS) -> EntityStatus:
        """Wait until an entity is held for a reason that holds these words, and return it."""

        async def held() -> EntityStatus | None:
            entity = await self.entity(name)
            good = entity.state == "held" and all(word in entity.reason + entity.hint for word in words)
            return entity if good else None

        found = await until(held, f"{name} held for {words}", seconds)
        assert isinstance(found, EntityStatus)
        return found

    async def sync(self, entity: str, **wishes: Any) -> SyncAnswer:
        async with ControlClient(self.socket) as client:
            return await client.sync(SyncRequest(entity=entity, wait=True, **wishes))

    async def resume_all(self) -> None:
        """Let held entities ask again now, as an administrator would, instead of at their own time."""
        async with ControlClient(self.socket) as client:
            for entity in await client.entities():
                await client.resume(entity.entity)

    async def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a p21d command against this configuration."""
        return await run(*self._command(*arguments), cwd=self.folder)

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "p21d", f"--config={self.config}", *arguments]


def install_plugin(file: Path, text: str) -> None:
    """Write a plug-in as an administrator leaves it: whoever runs the daemon may not write it."""
    file.parent.mkdir(exist_ok=True)
    file.parent.chmod(0o755)
    file.unlink(missing_ok=True)
    file.write_text(text)
    file.chmod(0o444)
    file.parent.chmod(0o555)


async def run(*command: str, cwd: Path, seconds: float = DEADLINE_SECONDS) -> subprocess.CompletedProcess[str]:
    """Run a command to its end without holding up the simulators of this process."""
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}

    def call() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )

    return await anyio.to_thread.run_sync(call)


class World:
    """Both simulators and the daemon between them."""

    def __init__(self, folder: Path, p21: P21Sandbox, hub: HubSandbox) -> None:
        self.folder = folder
        self.p21 = p21
        self.hub = hub
        self.p21_server = Simulator(p21)
        self.hub_server = Simulator(hub)
        self.daemon: Daemon

    def settings(self, *entities: str, **entity_settings: Any) -> dict[str, Any]:
        """Return a configuration for both; only the named entities are on, all where none is."""
        entity_settings = {"poll_search_days": 3650, "poll_interval": "1h", **entity_settings}
        return {
            "prophet21": {
                "api_url": self.p21_server.url,
                "username": "p21d",
                "password": "sandbox-password",
                "time_zone": "America/New_York",
                "companies": [COMPANY],
            },
            "sink": {
                "type": "ipaas",
                "base_url": self.hub_server.url,
                "email_address": "daemon@example.com",
                "password": "hub-secret",
                "company_id": COMPANY_ID,
                "system_id": 5120,
            },
            "entities": {name: {"enabled": not entities or name in entities, **entity_settings} for name in ENTITIES},
            "store": {"path": str(self.folder / "p21d.db"), "min_free": "1MB"},
            "control": {"socket": str(self.folder / "control.sock")},
            "log": {"format": "json"},
        }


@asynccontextmanager
async def world(folder: Path, *entities: str, rows: int = 40, seed: int = 1, **settings: Any) -> AsyncIterator[World]:
    """Serve both simulators and prepare a daemon for these entities (all by default); `settings` are top-level keys.

    The daemon is not started; what runs is ended with the block.
    """
    entity_settings = settings.pop("entity", {})
    p21 = P21Sandbox(rows=rows, seed=seed)
    hub = HubSandbox(keep_requests=100_000)
    name_carriers(hub)
    made = World(folder, p21, hub)
    await made.p21_server.up()
    await made.hub_server.up()
    made.daemon = Daemon(folder, made.settings(*entities, **entity_settings))
    made.daemon.write(**settings)
    try:
        yield made
    finally:
        made.daemon.clean_up()
        with anyio.CancelScope(shield=True):
            await made.p21_server.down()
            await made.hub_server.down()
        p21.close()
        hub.close()
