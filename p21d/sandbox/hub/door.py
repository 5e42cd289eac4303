"""What stands in front of every handler of the sandbox hub: the bearer, the permission, and how a refusal is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from p21d.clock import Clock
from p21d.sandbox.hub.refusal import RefusedError, render_refusal
from p21d.sandbox.hub.settings import HubSettings
from p21d.sandbox.hub.tokens import Tokens

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Door:
    """Wrap handlers so that they see admitted calls only."""

    def __init__(self, tokens: Tokens, settings: HubSettings, clock: Clock) -> None:
        self._tokens = tokens
        self._settings = settings
        self._clock = clock

    def open(self, handler: Handler) -> Handler:
        """Admit everybody; refusals are rendered."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except RefusedError as refusal:
                return render_refusal(refusal, self._settings)

        return handle

    def data(self, handler: Handler, record_type: str = "") -> Handler:
        """Admit company-level tokens and API keys with the permission for the record type."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self._tokens.admit_data(request.headers)
            if f"{request.method} {record_type}" in self._settings.denied:
                raise RefusedError("AUTZ-1002", f"No permission for {request.method} on {record_type}")
            return await handler(request)

        return self.open(handle)

    def hook(self, handler: Handler) -> Handler:
        """Admit the webhook key only."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self._tokens.admit_hook(request.headers)
            return await handler(request)

        return self.open(handle)

    async def after_commit(self) -> None:
        """Hang, where that is set, between a commit and its answer."""
        if self._settings.hang_after_commit_next > 0:
            self._settings.hang_after_commit_next -= 1
            await self._clock.sleep(self._settings.hang_seconds)


async def read_object(request: web.Request) -> dict[str, Any]:
    """Return a request's JSON object; raises VALD-1003 for no body and VALD-1032 for anything else."""
    raw = await request.read()
    if not raw.strip():
        raise RefusedError("VALD-1003", "The request body is empty")
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError("VALD-1032", "The request body is not a JSON object") from error
