"""The `/_sandbox` calls: what another process needs to watch and disturb the simulated P21."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from p21d.sandbox.distributor import advance, tick
from p21d.sandbox.faults import Fault
from p21d.sandbox.prophet21.answers import json_answer

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.sandbox import P21Sandbox


class ChangeOrder(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /_sandbox/change`: an update of the rows with `key`, or an insert, or a delete."""

    table: str
    key: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    action: str = "change"
    stamp: bool = True


def add_admin_routes(app: web.Application, sandbox: P21Sandbox) -> None:
    """Add every `/_sandbox` route to the application."""
    routes = _Admin(sandbox)
    app.router.add_get("/_sandbox/requests", routes.requests)
    app.router.add_delete("/_sandbox/requests", routes.forget_requests)
    app.router.add_get("/_sandbox/counters", routes.counters)
    app.router.add_get("/_sandbox/settings", routes.settings)
    app.router.add_put("/_sandbox/settings", routes.change_settings)
    app.router.add_get("/_sandbox/faults", routes.faults)
    app.router.add_post("/_sandbox/faults", routes.add_fault)
    app.router.add_delete("/_sandbox/faults", routes.clear_faults)
    app.router.add_delete("/_sandbox/tokens", routes.kill_tokens)
    app.router.add_post("/_sandbox/change", routes.change)
    app.router.add_get("/_sandbox/writes", routes.writes)
    app.router.add_post("/_sandbox/tick", routes.tick)
    app.router.add_post("/_sandbox/orders/{order_no}/advance", routes.advance)


class _Admin:
    """The handlers, one per route."""

    def __init__(self, sandbox: P21Sandbox) -> None:
        self._sandbox = sandbox

    async def requests(self, _request: web.Request) -> web.Response:
        return json_answer(list(self._sandbox.requests))

    async def forget_requests(self, _request: web.Request) -> web.Response:
        self._sandbox.journal.clear()
        return json_answer({})

    async def counters(self, _request: web.Request) -> web.Response:
        journal = self._sandbox.journal
        return json_answer(
            {
                "requests": journal.by_path.total(),
                "by_path": journal.by_path,
                "by_status": journal.by_status,
                "at_once": journal.at_once,
                "most_at_once": journal.most_at_once,
                "tokens_minted": self._sandbox.tokens.minted,
            }
        )

    async def settings(self, _request: web.Request) -> web.Response:
        return json_answer(self._sandbox.settings)

    async def change_settings(self, request: web.Request) -> web.Response:
        try:
            self._sandbox.settings.update(msgspec.json.decode(await request.read(), type=dict[str, Any]))
        except msgspec.DecodeError as error:
            return json_answer({"error": str(error)}, status=400)
        return json_answer(self._sandbox.settings)

    async def faults(self, _request: web.Request) -> web.Response:
        return json_answer(self._sandbox.faults.list())

    async def add_fault(self, request: web.Request) -> web.Response:
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
        except msgspec.DecodeError as error:
            return json_answer({"error": str(error)}, status=400)
        return json_answer({"id": self._sandbox.faults.add(fault)})

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._sandbox.faults.clear()
        return json_answer({})

    async def kill_tokens(self, _request: web.Request) -> web.Response:
        self._sandbox.tokens.kill_all()
        return json_answer({})

    async def change(self, request: web.Request) -> web.Response:
        try:
            order = msgspec.json.decode(await request.read(), type=ChangeOrder)
            return json_answer({"rows": self._carry_out(order)})
        except (msgspec.DecodeError, KeyError) as error:
            return json_answer({"error": str(error)}, status=400)

    async def writes(self, _request: web.Request) -> web.Response:
        return json_answer(self._sandbox.transactions.writes)

    async def tick(self, _request: web.Request) -> web.Response:
        database = self._sandbox.database
        return json_answer({"changes": tick(database, database.time.now())})

    async def advance(self, request: web.Request) -> web.Response:
        database = self._sandbox.database
        return json_answer({"changes": advance(database, database.time.now(), request.match_info["order_no"])})

    def _carry_out(self, order: ChangeOrder) -> int:
        database = self._sandbox.database
        if order.action == "delete":
            return database.delete(order.table, order.key)
        if order.action == "insert":
            database.insert(order.table, **order.columns)
            return 1
        return database.change(order.table, order.key, stamp=order.stamp, **order.columns)
