"""Serves the control socket: HTTP/1.1 and JSON over a Unix socket, for the command line, curl and monitoring.

A slow or rubbish client costs a bounded head, a bounded body, one of a bounded number of connections and a few seconds,
and nobody else waits for it.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from p21d.control.asking import BODY_SECONDS, PEER
from p21d.control.connections import MOST_CONNECTIONS, BoundedRunner
from p21d.control.operations import Operations
from p21d.control.peer import read_peer
from p21d.control.refusing import Handler, refuse_in_json
from p21d.control.routes import Routes
from p21d.control.socket_file import SocketFile

MAX_BODY_BYTES = 1024 * 1024
HEAD_SECONDS = 15.0
"""How long a connection may stand without a complete head of a request."""
READ_SECONDS = 60.0
"""How long a client may take to read its answer."""
_CLOSING_SECONDS = 1.0
_BACKLOG = 256


class ControlServer:
    """Serve the daemon's operations at `socket_path` while the context is open.

    Opening raises ConfigError (path `control.socket`), PermissionRefused, or AlreadyRunning when somebody listens.
    """

    def __init__(
        self,
        socket_path: Path,
        operations: Operations,
        *,
        head_seconds: float = HEAD_SECONDS,
        body_seconds: float = BODY_SECONDS,
        read_seconds: float = READ_SECONDS,
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        self._path = socket_path
        self._routes = Routes(operations, body_seconds=body_seconds)
        self._head_seconds = head_seconds
        self._read_seconds = read_seconds
        self._most_connections = most_connections
        self._file: SocketFile | None = None
        self._runner: BoundedRunner | None = None

    async def __aenter__(self) -> Self:
        self._file = SocketFile(self._path)
        try:
            await self._start(self._file)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _start(self, file: SocketFile) -> None:
        middlewares = [self._answer, refuse_in_json, self._let_in]
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=middlewares)
        app.add_routes(list(self._routes))
        app.on_shutdown.append(self._routes.events.end)
        options: dict[str, Any] = {
            "access_log": None,  # requests that change something are logged by their route
            "logger": _own_log(),
            "auto_decompress": False,  # no client of ours compresses, and a small body could grow large
            "handle_signals": False,
            "keepalive_timeout": self._head_seconds,  # aiohttp counts it for a first request too
            "lingering_time": 1.0,
        }
        self._runner = BoundedRunner(app, shutdown_timeout=_CLOSING_SECONDS, **options)
        await self._runner.setup_bounded(self._most_connections)
        await web.SockSite(self._runner, file.listener, backlog=_BACKLOG).start()

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._file is not None:
            self._file.close()
            self._file = None

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer, and give up on a client that does not read; sent here, since aiohttp sends without a deadline."""
        connection, busy = request.transport, self._runner.connections.busy if self._runner else set()
        busy.add(connection)
        try:
            response = await handler(request)
            with contextlib.suppress(ConnectionError), anyio.move_on_after(self._read_seconds) as reading:
                await response.prepare(request)
                await response.write_eof()
            if reading.cancelled_caught and connection is not None:
                connection.abort()
            return response
        finally:
            busy.discard(connection)

    @web.middleware
    async def _let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = request.transport.get_extra_info("socket") if request.transport else None
        if connection is None or self._file is None:
            raise web.HTTPServiceUnavailable(reason="the connection is closing")
        peer = read_peer(connection)
        if not peer.may_enter(self._file.group()):
            structlog.get_logger().warning("control request refused", route=request.path, uid=peer.uid, pid=peer.pid)
            raise web.HTTPForbidden(reason=f"user {peer.uid} may not use this socket", text="join the socket's group")
        request[PEER] = peer
        return await handler(request)


def _own_log() -> logging.Logger:
    """Return the log of aiohttp's server without what rubbish clients make it say, a traceback for each of them."""
    log = logging.getLogger("p21d.control.http")
    if not log.filters:
        log.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))
    return log
