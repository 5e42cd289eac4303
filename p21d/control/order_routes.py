"""The routes of the control socket about orders; who asks is named in the order's history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeVar

import msgspec
from aiohttp import web

from p21d.control.asking import BODY_SECONDS, PEER, Nothing, read_body, read_query
from p21d.control.operations import Operations
from p21d.control.order_answers import AdoptRequest, DismissRequest, OrderRequest, OrdersSyncRequest
from p21d.control.order_operations import OrderOperations
from p21d.control.refusing import answer

T = TypeVar("T", bound=msgspec.Struct)


class OrdersQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What `GET /v1/orders` may say: one state, or `all`; else those that are not done with."""

    state: str = ""
    all: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


class OrderRoutes:
    """The handlers, one a route."""

    def __init__(self, operations: Operations, *, body_seconds: float = BODY_SECONDS) -> None:
        self._operations = operations
        self._body_seconds = body_seconds

    def __iter__(self) -> Iterator[web.RouteDef]:
        yield web.get("/v1/orders", self.orders)
        yield web.get("/v1/orders/{id}", self.order)
        yield web.post("/v1/orders/sync", self.sync)
        yield web.post("/v1/orders/retry", self.retry)
        yield web.post("/v1/orders/adopt", self.adopt)
        yield web.post("/v1/orders/dismiss", self.dismiss)
        yield web.post("/v1/orders/acknowledge", self.acknowledge)
        yield web.post("/v1/orders/take-over", self.take_over)

    async def orders(self, request: web.Request) -> web.Response:
        """Answer how orders stand."""
        asked = read_query(request, OrdersQuery)
        return answer(await self._clerk.orders(state=asked.state, everything=asked.all, limit=asked.limit))

    async def order(self, request: web.Request) -> web.Response:
        """Answer all there is about one order."""
        return answer(await self._clerk.order(request.match_info["id"]))

    async def sync(self, request: web.Request) -> web.Response:
        """Read the inbox now, or take up hub orders by name."""
        asked = await self._body(request, OrdersSyncRequest)
        return answer(await self._clerk.sync(asked.ids, request[PEER].name))

    async def retry(self, request: web.Request) -> web.Response:
        """Try an order again."""
        asked = await self._body(request, OrderRequest)
        return answer(await self._clerk.retry(asked.id, request[PEER].name))

    async def adopt(self, request: web.Request) -> web.Response:
        """Take an order that P21 has for the hub order."""
        asked = await self._body(request, AdoptRequest)
        return answer(await self._clerk.adopt(asked, request[PEER].name))

    async def dismiss(self, request: web.Request) -> web.Response:
        """Never write an order."""
        asked = await self._body(request, DismissRequest)
        return answer(await self._clerk.dismiss(asked, request[PEER].name))

    async def acknowledge(self, request: web.Request) -> web.Response:
        """Take note of differences."""
        asked = await self._body(request, OrderRequest)
        return answer(await self._clerk.acknowledge(asked.id, request[PEER].name))

    async def take_over(self, request: web.Request) -> web.Response:
        """Make this store the one writer."""
        await self._body(request, Nothing)
        return answer(await self._clerk.take_over(request[PEER].name))

    @property
    def _clerk(self) -> OrderOperations:
        return self._operations.orders

    async def _body(self, request: web.Request, type_: type[T]) -> T:
        return await read_body(request, type_, self._body_seconds)
