"""The routes of the control socket: each reads its request, asks the daemon, and answers with a Struct as JSON.

Whatever changes something is a POST and is logged with the uid that asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from aiohttp import web

from p21d.control.answers import (
    CyclesAnswer,
    DeadLetterRequest,
    DeadLettersAnswer,
    EntitiesAnswer,
    EntityStatus,
    LogLevelRequest,
    PauseRequest,
    ReadyAnswer,
    SyncRequest,
)
from p21d.control.asking import BODY_SECONDS, Nothing, read_body, read_query
from p21d.control.backup_route import BackupRoute
from p21d.control.event_routes import EventRoutes
from p21d.control.operations import Operations
from p21d.control.order_routes import OrderRoutes
from p21d.control.refusing import answer

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class CyclesQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What `GET /v1/cycles` may say."""

    entity: str = ""
    limit: Limit = 100


class DeadLettersQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What `GET /v1/dead-letters` may say; `before` is the id of the last one seen, 0 for the newest."""

    entity: str = ""
    key: str = ""
    limit: Limit = 100
    before: Annotated[int, msgspec.Meta(ge=0)] = 0


class Routes:
    """The handlers, one a route."""

    def __init__(self, operations: Operations, *, body_seconds: float = BODY_SECONDS) -> None:
        self._operations = operations
        self.events = EventRoutes(operations)
        self._body_seconds = body_seconds

    def __iter__(self) -> Iterator[web.RouteDef]:
        yield web.get("/v1/status", self.status)
        yield web.get("/v1/entities", self.entities)
        yield web.get("/v1/cycles", self.cycles)
        yield web.get("/v1/dead-letters", self.dead_letters)
        yield web.get("/ready", self.ready)
        yield web.post("/v1/sync", self.sync)
        yield web.post("/v1/reload", self.reload)
        yield web.post("/v1/entities/{entity}/pause", self.pause)
        yield web.post("/v1/entities/{entity}/resume", self.resume)
        yield web.post("/v1/dead-letters/replay", self.replay)
        yield web.post("/v1/dead-letters/discard", self.discard)
        yield web.post("/v1/log-level", self.log_level)
        yield from self.events
        yield from BackupRoute(self._operations, body_seconds=self._body_seconds)
        yield from OrderRoutes(self._operations, body_seconds=self._body_seconds)

    async def status(self, _request: web.Request) -> web.Response:
        """Answer the status screen."""
        return answer(await self._operations.status())

    async def entities(self, _request: web.Request) -> web.Response:
        """Answer the entities of the status screen."""
        return answer(EntitiesAnswer(entities=(await self._operations.status()).entities))

    async def cycles(self, request: web.Request) -> web.Response:
        """Answer finished cycles."""
        asked = read_query(request, CyclesQuery)
        found = await self._operations.cycles(entity=asked.entity, limit=asked.limit)
        return answer(CyclesAnswer(cycles=list(found)))

    async def dead_letters(self, request: web.Request) -> web.Response:
        """Answer open dead letters."""
        asked = read_query(request, DeadLettersQuery)
        found = await self._operations.dead_letters(**msgspec.structs.asdict(asked))
        return answer(DeadLettersAnswer(dead_letters=list(found)))

    async def ready(self, _request: web.Request) -> web.Response:
        """Answer 200 when every entity has finished its first window, else 503."""
        entities = (await self._operations.status()).entities
        behind = [entity.entity for entity in entities if not _has_caught_up(entity)]
        return answer(ReadyAnswer(ready=not behind, waiting_for=behind), 503 if behind else 200)

    async def sync(self, request: web.Request) -> web.Response:
        """Run or accept a sync on demand."""
        return answer(await self._operations.sync(await read_body(request, SyncRequest, self._body_seconds)))

    async def reload(self, request: web.Request) -> web.Response:
        """Reload; 409 with the same form of answer when the old configuration works on."""
        await read_body(request, Nothing, self._body_seconds)
        outcome = await self._operations.reload()
        return answer(outcome, 200 if outcome.reloaded else 409)

    async def pause(self, request: web.Request) -> web.Response:
        """Pause an entity."""
        asked = await read_body(request, PauseRequest, self._body_seconds)
        return answer(await self._operations.pause(request.match_info["entity"], asked.because))

    async def resume(self, request: web.Request) -> web.Response:
        """Resume an entity."""
        await read_body(request, Nothing, self._body_seconds)
        return answer(await self._operations.resume(request.match_info["entity"]))

    async def replay(self, request: web.Request) -> web.Response:
        """Replay dead letters."""
        return answer(await self._operations.replay(await read_body(request, DeadLetterRequest, self._body_seconds)))

    async def discard(self, request: web.Request) -> web.Response:
        """Discard dead letters."""
        return answer(await self._operations.discard(await read_body(request, DeadLetterRequest, self._body_seconds)))

    async def log_level(self, request: web.Request) -> web.Response:
        """Change the log level."""
        asked = await read_body(request, LogLevelRequest, self._body_seconds)
        return answer(self._operations.set_log_level(asked.level))


def _has_caught_up(entity: EntityStatus) -> bool:
    # a watermark moves only when a window is complete, so whoever has one and no open first window is past it
    return entity.state == "in step" or (entity.watermark is not None and entity.state != "catching up")
