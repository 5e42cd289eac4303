"""Counts and logs every call of the sandbox hub, and answers 429 above the limit that is set."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from p21d.clock import Clock
from p21d.sandbox.hub.refusal import RefusedError, render_refusal
from p21d.sandbox.hub.settings import HubSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Call:
    """One call as it came; `status` is 0 while it has no answer, `body` is empty for sign-in calls."""

    at: datetime
    method: str
    path: str
    body: str
    status: int = 0


class Traffic:
    """The log and counters of one sandbox; calls under `/_sandbox` are not counted."""

    def __init__(self, settings: HubSettings, clock: Clock, *, keep_requests: int) -> None:
        self.requests: deque[Call] = deque(maxlen=keep_requests)
        self.calls: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.at_once = 0
        self.most_at_once = 0
        self._settings = settings
        self._clock = clock
        self._times: deque[float] = deque()

    def clear(self) -> None:
        """Forget what was counted and logged."""
        self.requests.clear()
        self.calls.clear()
        self.statuses.clear()
        self.most_at_once = self.at_once

    def summary(self) -> dict[str, Any]:
        """Return calls by method and path template, calls by status, and the most that ran at once."""
        return {
            "calls": dict(self.calls),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "at_once": self.at_once,
            "most_at_once": self.most_at_once,
        }

    @property
    def middleware(self) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
        """Return the aiohttp middleware; it stands outside all others."""

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/_sandbox"):
                return await handler(request)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                return await self._answer(request, handler)
            finally:
                self.at_once -= 1

        return watch

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        body = await request.read()
        hidden = request.path.startswith("/sso/")
        text = "" if hidden else body.decode("utf-8", "replace")
        call = Call(self._clock.now(), request.method, request.path_qs, text)
        self.requests.append(call)
        self.calls[f"{request.method} {_template(request)}"] += 1
        answer = self._over_limit() or await handler(request)
        call.status = answer.status
        self.statuses[answer.status] += 1
        return answer

    def _over_limit(self) -> web.Response | None:
        settings = self._settings
        if not settings.limit_calls and not settings.limit_at_once:
            return None
        now, wait = self._clock.monotonic(), 1.0
        while self._times and self._times[0] <= now - settings.limit_seconds:
            self._times.popleft()
        if settings.limit_calls and len(self._times) >= settings.limit_calls:
            wait = self._times[0] + settings.limit_seconds - now
        elif not settings.limit_at_once or self.at_once <= settings.limit_at_once:
            self._times.append(now)
            return None
        answer = render_refusal(RefusedError("RATE-0000", "Too many requests"), settings)
        if settings.retry_after:
            answer.headers["Retry-After"] = str(max(1, round(wait + 0.5)))
        return answer


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else request.path
