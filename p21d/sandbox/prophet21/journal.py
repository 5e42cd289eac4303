"""Write down what clients asked for, and how many asked at once, so that tests can count instead of guess."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime

import anyio
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_KEPT_REQUESTS = 10_000


class SeenRequest(msgspec.Struct, kw_only=True):
    """One request: `status` is 0 until it is answered; a dropped connection keeps the status it was to have."""

    at: datetime
    method: str
    path: str
    query: str
    status: int = 0


class Journal:
    """Keep the last 10,000 requests and counters over all of them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.requests: deque[SeenRequest] = deque(maxlen=_KEPT_REQUESTS)
        self.by_path: Counter[str] = Counter()
        self.by_status: Counter[int] = Counter()
        self.at_once = 0
        self.most_at_once = 0
        self._now = now
        self._entered = anyio.Event()

    def clear(self) -> None:
        """Forget all requests and counters; requests under way stay counted in `at_once`."""
        self.requests.clear()
        self.by_path.clear()
        self.by_status.clear()
        self.most_at_once = self.at_once

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds; it is asked again at every request that comes in."""
        while not condition():
            await self._entered.wait()

    @property
    def middleware(self) -> Middleware:
        """Return the aiohttp middleware that records every request but those to `/_sandbox`."""

        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/_sandbox"):
                return await handler(request)
            seen = self._enter(request)
            try:
                answer = await handler(request)
                seen.status = answer.status
                return answer
            finally:
                self.at_once -= 1
                self.by_status[seen.status] += 1

        return record

    def _enter(self, request: web.Request) -> SeenRequest:
        seen = SeenRequest(at=self._now(), method=request.method, path=request.path, query=request.rel_url.query_string)
        self.requests.append(seen)
        self.by_path[request.path] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self._entered.set()
        self._entered = anyio.Event()
        return seen
