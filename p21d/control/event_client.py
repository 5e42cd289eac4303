"""Reads `GET /v1/events`: what happens in a running daemon, event by event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec

from p21d.control.answers import Refusal
from p21d.control.client import ANSWER_SECONDS, RefusedByDaemon, unreached
from p21d.control.event_answers import EventAnswer


async def read_events(socket_path: Path, *, entity: str = "", follow: bool = False) -> AsyncIterator[EventAnswer]:
    """Yield the last events, of one entity where it is named, and with `follow` the next ones until the daemon ends.

    Raises Unavailable, PermissionRefused or RefusedByDaemon.
    """
    query = {"entity": entity, "follow": str(follow).lower()}
    timeout = aiohttp.ClientTimeout(total=None, sock_read=None if follow else ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(socket_path)), timeout=timeout) as session,
            session.get("http://p21d/v1/events", params=query) as response,
        ):
            if response.status != 200:
                raise RefusedByDaemon(msgspec.json.decode(await response.read(), type=Refusal))
            async for line in response.content:
                yield msgspec.json.decode(line, type=EventAnswer)
    except aiohttp.ClientPayloadError:
        return  # it was ended in the middle of a line
    except (aiohttp.ClientError, OSError) as error:
        raise unreached(socket_path, error) from error
