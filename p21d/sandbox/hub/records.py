"""The record endpoints: create, read, find, update, deactivate and reactivate, one set for every declared type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from p21d.sandbox.hub.core import Core
from p21d.sandbox.hub.database import Stored
from p21d.sandbox.hub.declaration import RecordType
from p21d.sandbox.hub.door import read_object
from p21d.sandbox.hub.ids import Ids
from p21d.sandbox.hub.lists import find_rows, json_answer, page_answer
from p21d.sandbox.hub.record_types import RECORD_TYPES
from p21d.sandbox.hub.refusal import RefusedError

_Handle = Callable[[RecordType, web.Request], Awaitable[web.Response]]


class RecordRoutes:
    """Answer the record endpoints of all families."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._ids = Ids(core.settings)

    def add(self, router: web.UrlDispatcher) -> None:
        """Add the routes of every type that has paths."""
        for kind in RECORD_TYPES.values():
            if kind.list_path:
                self._route(router, "GET", kind, kind.list_path, self._find)
            if kind.path:
                self._route(router, "POST", kind, kind.path, self._create)
                if kind.own_read:
                    self._route(router, "GET", kind, f"{kind.path}/{{id}}", self._read)
                self._route(router, "PUT", kind, f"{kind.path}/{{id}}", self._update)
                self._route(router, "DELETE", kind, f"{kind.path}/{{id}}", self._deactivate)
                self._route(router, "PUT", kind, f"{kind.path}/Reactivate/{{id}}", self._reactivate)

    def _route(self, router: web.UrlDispatcher, method: str, kind: RecordType, path: str, handle: _Handle) -> None:
        async def of_kind(request: web.Request) -> web.StreamResponse:
            if request.method != "GET" and kind.name in self._core.settings.own_paths_off:
                return web.Response(status=self._core.settings.own_paths_off_status)
            return await handle(kind, request)

        router.add_route(method, f"/{kind.family}/v2/{path}", self._core.door.data(of_kind, kind.name))

    async def _create(self, kind: RecordType, request: web.Request) -> web.Response:
        body = await read_object(request)
        with self._core.database.transaction():
            record = self._core.writer.create(kind, body, parent_id=request.query.get("id"))
            answer = self._core.reader.show(record)
        return await self._written(record, "created", request, answer)

    async def _read(self, kind: RecordType, request: web.Request) -> web.Response:
        return json_answer(self._core.reader.show(self._record(kind, request)))

    async def _find(self, kind: RecordType, request: web.Request) -> web.Response:
        rows = find_rows(self._core.database, kind, request.query, self._core.settings)
        return page_answer(rows, request.query, self._core.settings, self._show_row)

    async def _update(self, kind: RecordType, request: web.Request) -> web.Response:
        record, body = self._record(kind, request), await read_object(request)
        with self._core.database.transaction():
            self._core.writer.update(record, body)
            answer = self._core.reader.show(record)
        return await self._written(record, "updated", request, answer)

    async def _deactivate(self, kind: RecordType, request: web.Request) -> web.Response:
        record = self._record(kind, request)
        with self._core.database.transaction():
            self._core.database.set_active(record, active=False)
        return await self._written(record, "deleted", request, None)

    async def _reactivate(self, kind: RecordType, request: web.Request) -> web.Response:
        record = self._record(kind, request)
        with self._core.database.transaction():
            self._core.database.set_active(record, active=True)
        return await self._written(record, "updated", request, self._core.reader.show(record))

    async def _written(self, record: Stored, action: str, request: web.Request, answer: Any) -> web.Response:
        self._core.activity.committed(record, action, request.query.get("trackingGuid", ""))
        await self._core.door.after_commit()
        status = self._core.settings.write_status
        if answer is None or status == 204:
            return web.Response(status=204)
        if not self._core.settings.write_body:
            return web.Response(status=status)
        return json_answer(answer, status=status)

    def _record(self, kind: RecordType, request: web.Request) -> Stored:
        record_id = self._ids.read_text(request.match_info["id"])
        record = self._core.database.get(kind.name, record_id)
        if record is None:
            raise RefusedError("NFND-1001", f"{kind.label} {record_id} does not exist")
        return record

    def _show_row(self, row: int) -> dict[str, Any]:
        record = self._core.database.at(row)
        return self._core.reader.show(record) if record else {}
