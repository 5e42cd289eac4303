"""A P21, a hub and a daemon between them: both simulators in this process on loopback, the daemon in its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from p21d.clock import Clock
from p21d.sandbox.hub import COMPANY_ID, HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.serve import name_carriers
from p21d.torture.catalogue import Side
from p21d.torture.found import SYSTEM_ID
from p21d.torture.process import DRIVER, DaemonProcess
from p21d.torture.schedule import WIDE_DAYS, Schedule
from p21d.torture.wanted import COMPANY, ENTITIES, WRITER

KEPT_REQUESTS = 1000


class Simulator:
    """One simulator, up or down; it keeps its port and its data."""

    def __init__(self, sandbox: P21Sandbox | HubSandbox) -> None:
        self._sandbox = sandbox
        self._serving: AbstractAsyncContextManager[str] | None = None
        self.url = ""

    async def up(self) -> None:
        """Serve, on the port it had; nothing where it does already."""
        if self._serving is None:
            serving = self._sandbox.serve(int(self.url.rpartition(":")[2] or 0))
            self.url = await serving.__aenter__()
            self._serving = serving

    async def down(self) -> None:
        """Refuse connections."""
        if self._serving is not None:
            serving, self._serving = self._serving, None
            await serving.__aexit__(None, None, None)


@dataclass(kw_only=True)
class World:
    """Both simulators and the daemon between them."""

    p21: P21Sandbox
    hub: HubSandbox
    servers: dict[Side, Simulator]
    daemon: DaemonProcess
    clock: Clock

    def now_text(self) -> str:
        """Return P21's present as its stamps have it."""
        return self.p21.database.time.text(self.p21.database.time.now())


@asynccontextmanager
async def world(schedule: Schedule, folder: Path, clock: Clock, *, driver: str = DRIVER) -> AsyncIterator[World]:
    """Serve both simulators and prepare a daemon, not started yet; what runs is ended with the block."""
    async with AsyncExitStack() as stack:
        p21 = stack.enter_context(P21Sandbox(rows=schedule.rows, seed=schedule.seed % 1000, clock=clock))
        hub = HubSandbox(clock=clock, keep_requests=KEPT_REQUESTS)
        stack.callback(hub.close)
        name_carriers(hub)
        servers: dict[Side, Simulator] = {"p21": Simulator(p21), "hub": Simulator(hub)}
        for server in servers.values():
            stack.push_async_callback(_down, server)
            await server.up()
        configured = settings(schedule, folder, servers["p21"].url, servers["hub"].url)
        daemon = DaemonProcess(folder, configured, clock, driver=driver)
        stack.push_async_callback(daemon.clean_up)
        yield World(p21=p21, hub=hub, servers=servers, daemon=daemon, clock=clock)


async def _down(server: Simulator) -> None:
    with anyio.CancelScope(shield=True):
        await server.down()


def settings(schedule: Schedule, folder: Path, p21_url: str, hub_url: str) -> dict[str, Any]:
    """Return the daemon's configuration; before trouble begins in step, the look-back is wide."""
    entity = {
        "poll_interval": "1s",
        "overlap": "1s",
        "poll_search_days": WIDE_DAYS if schedule.caught_up else schedule.look_back_days,
    }
    return {
        "prophet21": {
            "api_url": p21_url,
            "username": WRITER,
            "password": "sandbox-password",
            "time_zone": "America/New_York",
            "companies": [COMPANY],
            "settle": "0.5s",
            "timeout": "5s",
            "page_rows": schedule.page_rows,
        },
        "sink": {
            "type": "ipaas",
            "base_url": hub_url,
            "email_address": "daemon@example.com",
            "password": "hub-secret",
            "company_id": COMPANY_ID,
            "system_id": SYSTEM_ID,
        },
        "batch_rows": schedule.batch_rows,
        "entities": {name: dict(entity) for name in ENTITIES},
        "orders": {
            "enabled": True,
            "not_before": "2020-01-01",
            "poll_interval": "1s",
            "max_per_hour": 10_000,
        },
        "store": {"path": str(folder / "p21d.db"), "min_free": "1MB"},
        "control": {"socket": str(folder / "control.sock")},
        "log": {"format": "json"},
    }
