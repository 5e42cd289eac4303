"""Serves both simulators beside each other, prints a configuration for them, and lets the distributor live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from p21d.clock import Clock, SystemClock
from p21d.sandbox.distributor.life import tick
from p21d.sandbox.distributor.seeding import CARRIERS
from p21d.sandbox.faults import FaultFile
from p21d.sandbox.hub import COMPANY_ID, HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox

CONFIG = """\
# A p21d configuration for the sandbox that printed it.
prophet21:
  api_url: {p21_url}
  username: p21d
  password: sandbox-password
  time_zone: America/New_York
  companies: ["01", "02"]
sink:
  type: ipaas
  base_url: {hub_url}
  email_address: daemon@example.com
  password: hub-secret
  company_id: {company_id}
  system_id: 5120
entities:
  company: {{external_id: "{{company_id}}-{{customer_id}}"}}  # a customer id is unique within its company only
  product_inventory: {{poll_interval: 1m}}
orders: {{enabled: true, not_before: {today}, poll_interval: 5s}}  # the hub's orders go into P21; by default every 1m
store: {{path: {folder}/p21d.db}}
control: {{socket: {folder}/control.sock}}
"""


@dataclass(frozen=True, kw_only=True)
class Served:
    """Both simulators at work, and where."""

    p21: P21Sandbox
    hub: HubSandbox
    p21_url: str
    hub_url: str

    def config(self, folder: Path) -> str:
        """Return a configuration for them as YAML; store and socket lie in `folder`."""
        return CONFIG.format(
            p21_url=self.p21_url,
            hub_url=self.hub_url,
            company_id=COMPANY_ID,
            today=self.p21.database.time.local_now().date().isoformat(),
            folder=folder,
        )


@asynccontextmanager
async def serve(
    *,
    rows: int,
    seed: int,
    port: int = 0,
    hub_port: int = 0,
    tick_seconds: float = 0,
    faults: FaultFile | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Served]:
    """Serve both on loopback until the block ends; `tick_seconds` 0 lets nothing change by itself."""
    faults = faults or FaultFile()
    clock = clock or SystemClock()
    p21 = P21Sandbox(rows=rows, seed=seed, faults=list(faults.prophet21), clock=clock)
    hub = HubSandbox(clock=clock)
    name_carriers(hub)
    for fault in faults.hub:
        hub.faults.add(fault)
    async with p21.serve(port) as p21_url, hub.serve(hub_port) as hub_url, anyio.create_task_group() as tasks:
        if tick_seconds:
            tasks.start_soon(_live, p21, clock, tick_seconds)
        yield Served(p21=p21, hub=hub, p21_url=p21_url, hub_url=hub_url)
        tasks.cancel_scope.cancel()


def name_carriers(hub: HubSandbox) -> None:
    """Give the hub a shipping method for each carrier of the distributor, named by its id: the hub wants them first."""
    for carrier_id in CARRIERS:
        hub.create("shipping_method", name=str(carrier_id))


async def _live(p21: P21Sandbox, clock: Clock, tick_seconds: float) -> None:
    while True:
        await clock.sleep(tick_seconds)
        tick(p21.database, clock.now())
