"""Serves the control socket: HTTP/1.1 and JSON over a Unix socket, for the command line, curl and monitoring.

A slow or rubbish client costs a bounded head, a bounded body and a few seconds, and nobody else waits for it.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog
from aiohttp import web

from p21d.control.asking import BODY_SECONDS, PEER
from p21d.control.operations import Operations
from p21d.control.peer import read_peer
from p21d.control.refusing import Handler, refuse_in_json
from p21d.control.routes import Routes
from p21d.control.socket_file import SocketFile

MAX_BODY_BYTES = 1024 * 1024
HEAD_SECONDS = 15.0
"""How long a connection may stand without a complete head of a request."""
_CLOSING_SECONDS = 1.0


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
    ) -> None:
        self._path = socket_path
        self._routes = Routes(operations, body_seconds=body_seconds)
        self._head_seconds = head_seconds
        self._file: SocketFile | None = None
        self._runner: web.AppRunner | None = None

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
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[refuse_in_json, self._let_in])
        app.add_routes(list(self._routes))
        options: dict[str, Any] = {
            "access_log": None,  # requests that change something are logged by their route
            "auto_decompress": False,  # no client of ours compresses, and a small body could grow large
            "handle_signals": False,
            "keepalive_timeout": self._head_seconds,  # aiohttp counts it for a first request too
            "lingering_time": 1.0,
        }
        self._runner = web.AppRunner(app, shutdown_timeout=_CLOSING_SECONDS, **options)
        await self._runner.setup()
        await web.SockSite(self._runner, file.listener).start()

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._file is not None:
            self._file.close()
            self._file = None

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
