"""The simulated P21 as one object: database, settings, faults and the HTTP server around them.

Paths are matched by a small table of our own because P21 ignores their case; a further API (order writing) adds its
routes to that table.
"""

from __future__ import annotations

import re
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from p21d.clock import Clock, SystemClock
from p21d.sandbox.distributor import seed_distributor
from p21d.sandbox.faults import Fault, Faults
from p21d.sandbox.prophet21 import answers
from p21d.sandbox.prophet21.admin import add_admin_routes
from p21d.sandbox.prophet21.database import Database
from p21d.sandbox.prophet21.journal import Journal, SeenRequest
from p21d.sandbox.prophet21.odata import ODataService
from p21d.sandbox.prophet21.settings import Settings
from p21d.sandbox.prophet21.tokens import Credentials, Tokens, bearer_of
from p21d.sandbox.prophet21.transaction import TransactionApi
from p21d.sandbox.prophet21.wall_time import WallTime

Endpoint = Callable[..., Awaitable[web.Response]]
_ROUTER_PATH = "/api/ui/router/v1"
_LONGEST_LINE = 2**16  # aiohttp's own limit would answer 400, which P21 does not


class P21Sandbox:
    """Simulate one P21: `async with P21Sandbox(rows=100).serve() as url`.

    `database`, `settings`, `faults`, `requests`, `journal`, `tokens`, `odata`, `transactions` are there for tests to
    read and change.
    """

    def __init__(
        self,
        database_path: Path | str = ":memory:",
        *,
        rows: int = 100,
        seed: int = 1,
        zone: str = "America/New_York",
        username: str = "p21d",
        password: str = "sandbox-password",  # noqa: S107  # opens this simulator only
        consumer_key: str = "5f0e8a4c-7f0b-4a51-9a63-1f4be2a6d1c7",
        settings: Settings | None = None,
        faults: list[Fault] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.settings = settings or Settings(zone=zone)
        self.credentials = Credentials(username, password, consumer_key)
        self.database = Database(database_path, WallTime(self.settings, self.clock))
        if self.database.empty:
            seed_distributor(self.database, rows=rows, seed=seed)
        self.faults = Faults(faults, sleep=self.clock.sleep)
        self.journal = Journal(self.clock.now)
        self.tokens = Tokens(self.credentials, self.settings, self.clock)
        self.odata = ODataService(self.database, self.settings, self.clock)
        self.transactions = TransactionApi(self.database, self.settings, self.clock, username)
        self._open_routes = self._routes_without_token()
        self._routes = self._routes_with_token()

    @property
    def requests(self) -> deque[SeenRequest]:
        """Return the last requests, oldest first."""
        return self.journal.requests

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def app(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(middlewares=[self.journal.middleware, self.faults.middleware], client_max_size=2**26)
        app.on_response_prepare.append(self._set_headers)
        add_admin_routes(app, self)
        app.router.add_route("*", "/{path:.*}", self._dispatch)
        return app

    @asynccontextmanager
    async def serve(
        self, port: int = 0, host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[str]:
        """Serve until the block ends and yield the base URL, https with `tls`; port 0 takes a free one."""
        # Hanging requests would hold the end of the server back for their whole time otherwise.
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=0.05, max_line_size=_LONGEST_LINE)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, ssl_context=tls).start()
            yield f"http{'s' if tls else ''}://{host}:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def _routes_without_token(self) -> list[tuple[str, re.Pattern[str], Endpoint]]:
        return [
            _route("POST", "/api/security/token/v2/?", self.tokens.mint_v2),
            _route("POST", "/api/security/token/?", self.tokens.mint_v1),
        ]

    def _routes_with_token(self) -> list[tuple[str, re.Pattern[str], Endpoint]]:
        surface = "/odataservice/odata/(?P<surface>table|view)/"
        return [
            _route("GET", f"{_ROUTER_PATH}/", self._router),
            _route("GET", _ROUTER_PATH, self._router_without_slash),
            _route("GET", "/uiserver0/ui/common/v1/serverinfo", self._server_info),
            _route("GET", "/uiserver0/api/v2/(?P<rest>.+)", self.transactions.answer),
            _route("POST", "/uiserver0/api/v2/(?P<rest>.+)", self.transactions.answer),
            _route("GET", surface + r"\$metadata", self.odata.metadata),
            _route("GET", surface + "(?P<name>[^/$]+)", self.odata.rows),
        ]

    async def _dispatch(self, request: web.Request) -> web.Response:
        self.transactions.background.catch_up()
        if self.settings.empty_500_without_accept and "Accept" not in request.headers:
            return web.Response(status=500)
        found = _find(self._open_routes, request)
        if found is None:
            token = bearer_of(request)
            if token is None:
                return answers.no_bearer()
            if not self.tokens.alive(token):
                return answers.dead_token()
            found = _find(self._routes, request)
        if found is None:
            return _nowhere(request)
        endpoint, parts = found
        return await endpoint(request, **parts)

    async def _router(self, request: web.Request) -> web.Response:
        body = {"Url": f"{request.url.origin()}/uiserver0"}
        return answers.json_or_xml(request, "RouterResponse", body, self.settings)

    async def _router_without_slash(self, request: web.Request) -> web.Response:
        target = request.url.with_path(f"{_ROUTER_PATH}/", keep_query=True)
        return web.Response(status=307, headers={"Location": str(target)})

    async def _server_info(self, _request: web.Request) -> web.Response:
        if not self.settings.version:
            return answers.iis_not_found()
        return answers.json_answer({"Version": self.settings.version, "ServerName": "uiserver0"})

    async def _set_headers(self, _request: web.Request, answer: web.StreamResponse) -> None:
        answer.headers["Date"] = format_datetime(self.database.time.now(), usegmt=True)
        answer.headers["Server"] = "Microsoft-IIS/10.0"


def _route(method: str, pattern: str, endpoint: Endpoint) -> tuple[str, re.Pattern[str], Endpoint]:
    return method, re.compile(pattern, re.IGNORECASE), endpoint


def _find(
    routes: list[tuple[str, re.Pattern[str], Endpoint]], request: web.Request
) -> tuple[Endpoint, dict[str, Any]] | None:
    for method, pattern, endpoint in routes:
        match = pattern.fullmatch(request.path)
        if match and method == request.method:
            return endpoint, match.groupdict()
    return None


def _nowhere(request: web.Request) -> web.Response:
    """Answer an unknown path: empty inside the OData service, IIS's page elsewhere."""
    return answers.not_found() if request.path.lower().startswith("/odataservice/") else answers.iis_not_found()
