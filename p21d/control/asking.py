"""Reads what a request asks for: its body or its query, as the Struct that a route takes, and logs who asked."""

from __future__ import annotations

from typing import Any, TypeVar

import anyio
import msgspec
import structlog
from aiohttp import web

from p21d.control.peer import Peer

PEER = web.RequestKey("peer", Peer)
BODY_SECONDS = 10.0
T = TypeVar("T", bound=msgspec.Struct)


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """A request that says nothing but its route."""


async def read_body(request: web.Request, type_: type[T], body_seconds: float = BODY_SECONDS) -> T:
    """Return what a request asks for, and log who asked; a body that dribbles in is given up."""
    try:
        with anyio.fail_after(body_seconds):
            raw = await request.read()
        asked = msgspec.json.decode(raw or b"{}", type=type_)
    except TimeoutError as error:
        raise web.HTTPBadRequest(text=f"the request did not arrive within {body_seconds:g} s") from error
    except (ConnectionError, web.RequestPayloadError) as error:
        raise web.HTTPBadRequest(text="the request broke off") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise web.HTTPBadRequest(text=f"the request is not what {request.path} takes: {error}") from error
    peer = request[PEER]
    structlog.get_logger().info(
        "control request", route=request.path, uid=peer.uid, pid=peer.pid, asked=_summary(asked)
    )
    return asked


def read_query(request: web.Request, type_: type[T]) -> T:
    """Return what the query of a request asks for."""
    try:
        return msgspec.convert(dict(request.query), type_, strict=False)
    except msgspec.ValidationError as error:
        raise web.HTTPBadRequest(text=f"{request.path}: {error}") from error


def _summary(asked: msgspec.Struct) -> dict[str, Any]:
    said = {name: value for name, value in msgspec.to_builtins(asked).items() if value}
    for name in ("keys", "ids"):
        if len(said.get(name, ())) > 10:
            said[name] = f"{len(said[name])} {name}"
    return said
