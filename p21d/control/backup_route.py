"""`POST /v1/backup`: a copy of the store as it is now, whole, as the answer's body.

Why the bytes and not a path: under systemd the daemon sees a file system of its own, on which it may write next to
nothing; the copy goes where the one who asks may write.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
from aiohttp import web

from p21d.control.asking import BODY_SECONDS, Nothing, read_body
from p21d.control.operations import Operations

PART_BYTES = 1_000_000
STALLED_SECONDS = 60.0
"""How long a client may leave a part of the copy unread."""


class BackupRoute:
    """The handler of the one route."""

    def __init__(self, operations: Operations, *, body_seconds: float = BODY_SECONDS) -> None:
        self._operations = operations
        self._body_seconds = body_seconds

    def __iter__(self) -> Iterator[web.RouteDef]:
        yield web.post("/v1/backup", self.backup)

    async def backup(self, request: web.Request) -> web.StreamResponse:
        """Copy the store and send the copy."""
        await read_body(request, Nothing, self._body_seconds)
        async with self._operations.backup() as copy:
            return await self._send(request, copy)

    async def _send(self, request: web.Request, copy: Path) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/vnd.sqlite3"})
        async with await anyio.open_file(copy, "rb") as file:
            response.content_length = (await anyio.Path(copy).stat()).st_size
            await response.prepare(request)
            try:
                while part := await file.read(PART_BYTES):
                    with anyio.fail_after(STALLED_SECONDS):
                        await response.write(part)
            except (ConnectionError, TimeoutError):  # it has left, or does not read: a cut answer is no backup
                if request.transport is not None:
                    request.transport.abort()
        return response
