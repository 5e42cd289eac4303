"""`GET /v1/events`: what happens, one JSON object a line, as it happens.

It begins with the last events and, with `follow`, goes on until the client leaves or the daemon ends. A client that
does not read loses the oldest events and finds a line `{"event": "lost", "count": N}` in their place; the daemon does
not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import anyio
import msgspec
from aiohttp import web

from p21d.control.asking import read_query
from p21d.control.event_answers import EventAnswer
from p21d.control.operations import Operations
from p21d.control.schema import SCHEMA_VERSION
from p21d.events import Event, Listener

MOST_LISTENERS = 16
LOOK_SECONDS = 5.0
"""How soon a client that has left is noticed while nothing happens."""
STALLED_SECONDS = 600.0
"""How long a client may leave its events unread before it is let go."""


class EventsQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What `GET /v1/events` may say."""

    entity: str = ""
    follow: bool = True


class EventRoutes:
    """The stream, and those who read it."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._writing: dict[Listener, web.Request] = {}

    def __iter__(self) -> Iterator[web.RouteDef]:
        yield web.get("/v1/events", self.events)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Send the last events, and with `follow` the next ones."""
        asked = read_query(request, EventsQuery)
        feed = self._operations.events
        if feed.listeners >= MOST_LISTENERS:
            raise web.HTTPServiceUnavailable(reason=f"{MOST_LISTENERS} clients listen to the events already")
        listener = feed.listen(asked.entity)
        try:
            response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
            await response.prepare(request)
            going = True
            while True:
                await self._write(request, response, listener)
                if not (going and asked.follow) or request.transport is None:
                    break
                going = await listener.wait(LOOK_SECONDS)
            await response.write_eof()
        except (ConnectionError, TimeoutError):  # it has left, or does not read
            if request.transport is not None:
                request.transport.abort()
        finally:
            feed.leave(listener)
        return response

    async def end(self, _app: web.Application) -> None:
        """Let every client go; one that does not read is not waited for."""
        for request in self._writing.values():
            if request.transport is not None:
                request.transport.abort()
        self._operations.events.end()

    async def _write(self, request: web.Request, response: web.StreamResponse, listener: Listener) -> None:
        lost, events = listener.take()
        self._writing[listener] = request
        try:
            with anyio.fail_after(STALLED_SECONDS):
                for line in _lines(lost, events):
                    await response.write(line)
        finally:
            del self._writing[listener]


def _lines(lost: int, events: Sequence[Event]) -> Iterator[bytes]:
    if lost:
        yield _line(EventAnswer(schema_version=SCHEMA_VERSION, event="lost", count=lost))
    for event in events:
        detail = {name: value for name, value in event.items() if name not in ("event", "at", "level", "entity")}
        yield _line(
            EventAnswer(
                schema_version=SCHEMA_VERSION,
                event=str(event["event"]),
                at=datetime.fromisoformat(event["at"]) if "at" in event else None,
                level=str(event.get("level", "")),
                entity=str(event.get("entity", "")),
                detail=detail,
            )
        )


def _line(answer: EventAnswer) -> bytes:
    return msgspec.json.encode(answer) + b"\n"
