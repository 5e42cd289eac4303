"""Reads `POST /v1/backup`: the copy of a running daemon's store, into a file."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import anyio
import msgspec

from p21d.control.answers import Refusal
from p21d.control.client import RefusedByDaemon, unreached

COPY_SECONDS = 600.0
"""How long the daemon may take to copy; 526 MB took 4 s."""
PART_BYTES = 1_000_000


async def read_backup(socket_path: Path, target: Path) -> None:
    """Write the copy into the file `target`; raises Unavailable, PermissionRefused, RefusedByDaemon and OSError."""
    timeout = aiohttp.ClientTimeout(total=None, sock_read=COPY_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(socket_path)), timeout=timeout) as session,
            session.post("http://p21d/v1/backup") as response,
        ):
            if response.status != 200:
                raise RefusedByDaemon(msgspec.json.decode(await response.read(), type=Refusal))
            await _write(response, target)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise unreached(socket_path, error) from error


async def _write(response: aiohttp.ClientResponse, target: Path) -> None:
    async with await anyio.open_file(target, "wb") as file:
        async for part in response.content.iter_chunked(PART_BYTES):
            await file.write(part)
