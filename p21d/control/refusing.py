"""Turns whatever goes wrong in a request into a Refusal: one form of error for every client, never a traceback."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from aiohttp import web

from p21d.control.answers import Refusal
from p21d.errors import AlreadyRunning, ConfigError, P21dError, ReadRefused, RecordError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(body: msgspec.Struct, status: int = 200) -> web.Response:
    """Return a Struct as a JSON answer."""
    return web.Response(body=msgspec.json.encode(body) + b"\n", status=status, content_type="application/json")


@web.middleware
async def refuse_in_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request that fails with a Refusal."""
    try:
        return await handler(request)
    except P21dError as error:
        path = error.path if isinstance(error, ConfigError) else ""
        refusal = Refusal(error=error.message, hint=error.hint, path=path, exit_code=error.exit_code)
        return answer(refusal, _status(error))
    except web.HTTPException as error:
        return _http_refusal(request, error)
    except Exception as error:  # noqa: BLE001  # a route: a fault of ours must not close the door on the operator
        structlog.get_logger().exception("control request failed", route=request.path)
        return answer(Refusal(error=f"internal error: {type(error).__name__}", hint="the log has more"), 500)


def _status(error: P21dError) -> int:
    if isinstance(error, AlreadyRunning):
        return 409
    asked_wrong = isinstance(error, (ConfigError, RecordError, ReadRefused)) or error.exit_code == os.EX_USAGE
    return 400 if asked_wrong else 503


def _http_refusal(request: web.Request, error: web.HTTPException) -> web.Response:
    words = {
        400: error.text or error.reason,
        404: f"no such route: {request.method} {request.path}",
        405: f"{request.path} does not take {request.method}",
        413: "the request is too large",
    }
    message = words.get(error.status, error.reason)
    if error.status == 403:
        return answer(Refusal(error=message, hint=error.text or "", exit_code=os.EX_NOPERM), 403)
    return answer(Refusal(error=message, exit_code=os.EX_USAGE), error.status)
