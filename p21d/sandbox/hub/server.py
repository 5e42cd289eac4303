"""The sandbox hub as one object: build it, serve it, look inside."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from p21d.clock import Clock, SystemClock
from p21d.sandbox.faults import Faults
from p21d.sandbox.hub.core import Core
from p21d.sandbox.hub.external import ExternalRoutes
from p21d.sandbox.hub.inspection import Inspection
from p21d.sandbox.hub.orders import OrderSeeder
from p21d.sandbox.hub.records import RecordRoutes
from p21d.sandbox.hub.settings import OTHER_SYSTEM, HubSettings
from p21d.sandbox.hub.sign_in import SignInRoutes
from p21d.sandbox.hub.subscriptions import SubscriptionRoutes
from p21d.sandbox.hub.tokens import Identity
from p21d.sandbox.hub.traffic import Call, Traffic

COMPANY_ID = "6b0f0d0e-1111-4222-8333-444455556666"
_MAX_BODY_BYTES = 16 * 1024 * 1024


class HubSandbox:
    """A simulated iPaaS.com hub: an HTTP server over SQLite, with direct access for tests.

    Public parts: `settings` (switches), `faults` (scripted faults), `counters` and `requests` (what was called),
    `activity` (hooks and log headers), `tokens` (to end them at once).
    """

    def __init__(
        self,
        database: Path | str = ":memory:",
        *,
        email: str = "daemon@example.com",
        password: str = "hub-secret",  # noqa: S107  # a sandbox's
        company_id: str = COMPANY_ID,
        api_keys: tuple[str, ...] = ("hub-key",),
        webhook_api_key: str = "hub-webhook-key",
        system_id: int = 5120,
        settings: HubSettings | None = None,
        clock: Clock | None = None,
        keep_requests: int = 5000,
    ) -> None:
        clock, self.settings = clock or SystemClock(), settings or HubSettings()
        self.settings.systems = {system_id: "Prophet 21", OTHER_SYSTEM: "Web shop", **self.settings.systems}
        identity = Identity(
            email=email,
            password=password,
            company_id=company_id,
            api_keys=api_keys,
            webhook_api_key=webhook_api_key,
            system_id=system_id,
        )
        self._core = Core(database, identity, self.settings, clock)
        self.faults = Faults(sleep=clock.sleep)
        self.counters = Traffic(self.settings, clock, keep_requests=keep_requests)
        self.activity, self.tokens = self._core.activity, self._core.tokens
        self._seeder = OrderSeeder(self._core)
        self._inspection = Inspection(self._core, self.counters, self.faults, self._seeder)
        self._external = ExternalRoutes(self._core)

    def app(self) -> web.Application:
        """Return the aiohttp application with all families and `/_sandbox`."""
        # Outermost first: a call that a fault then drops is counted too.
        middlewares: list[Any] = [self.counters.middleware, self.faults.middleware]
        app = web.Application(middlewares=middlewares, client_max_size=_MAX_BODY_BYTES)
        core = self._core
        rooms = (
            SignInRoutes(core),
            RecordRoutes(core),
            self._external,
            SubscriptionRoutes(core),
            self._inspection,
        )
        for room in rooms:
            room.add(app.router)
        return app

    @asynccontextmanager
    async def serve(
        self, port: int = 0, host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[str]:
        """Serve until the block ends and give the base URL, https with `tls`; port 0 takes a free one."""
        # A call that hangs on purpose must not hold up the end of a test.
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, ssl_context=tls).start()
            yield f"http{'s' if tls else ''}://{host}:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def close(self) -> None:
        """Close the database."""
        self._core.database.close()

    @property
    def requests(self) -> list[Call]:
        """Return the latest calls, oldest first."""
        return list(self.counters.requests)

    @property
    def writes(self) -> int:
        """Return how many record POST, PUT and DELETE calls were committed."""
        return self._core.activity.writes

    @property
    def link_writes(self) -> int:
        """Return how many calls changed or removed a link by the External endpoints."""
        return self._external.changes

    def records(self, type_name: str) -> list[dict[str, Any]]:
        """Return all records of a type, with children, links, `active` and `writes`; raises KeyError."""
        return self._inspection.records(type_name)

    def linked(self, table: str, external_id: str) -> dict[str, Any] | None:
        """Return the record linked to an external id of ours, as `records` does; None where there is none."""
        record = self._core.links.find(table.lower(), self._core.identity.system_id, external_id)
        return None if record is None else self._core.reader.inspect(record)

    def duplicates(self) -> dict[str, int]:
        """Return, by type, how many active records repeat a natural key."""
        return self._inspection.duplicates()

    def seed_orders(self, count: int, **wishes: Any) -> list[int]:
        """Create transactions of another system; wishes are `OrderSeeder.seed`'s: types, skus, company_ids, ..."""
        return self._seeder.seed(count, **wishes)

    def create(self, type_name: str, **members: Any) -> dict[str, Any]:
        """Create a record without a call, as `records` shows it; a child names its `parent_id`."""
        return self._inspection.create(type_name, members)

    def change(self, type_name: str, record_id: int, **members: Any) -> dict[str, Any]:
        """Set members of a record without a call, as a person in the portal would, and return it as `records` does."""
        return self._inspection.change(type_name, record_id, members)
