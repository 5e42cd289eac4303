"""The external-id endpoints of each family: look up, list the unlinked, link and unlink."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from p21d.sandbox.hub.core import Core
from p21d.sandbox.hub.database import Stored
from p21d.sandbox.hub.door import Handler, read_object
from p21d.sandbox.hub.ids import Ids
from p21d.sandbox.hub.lists import json_answer, page_answer
from p21d.sandbox.hub.record_types import FAMILIES
from p21d.sandbox.hub.refusal import RefusedError

_GHOST = 999_999_999


class ExternalRoutes:
    """Answer `/{family}/v2/External...` of all families."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._ids = Ids(core.settings)
        self.changes = 0

    def add(self, router: web.UrlDispatcher) -> None:
        """Add the routes of every family."""
        routes: tuple[tuple[str, str, Handler], ...] = (
            ("POST", "External/LookupSpecial", self._lookup_by_body),
            ("GET", "External/LookupSpaceport/{system}/{table}/{external}", self._lookup_by_path),
            ("GET", "External/LookupExternal/{id}/{system}/{table}", self._lookup_external),
            ("GET", "External/Missing/{system}/{table}", self._missing),
            ("POST", "External/UpdateExternalId", self._update),
            ("DELETE", "External", self._remove),
        )
        for family in FAMILIES:
            for method, path, handle in routes:
                router.add_route(method, f"/{family}/v2/{path}", self._core.door.data(handle, "external"))

    async def _lookup_by_body(self, request: web.Request) -> web.Response:
        table, system, external_id = self._link_of(request, await read_object(request))
        return self._found(self._core.links.find(table, system, external_id))

    async def _lookup_by_path(self, request: web.Request) -> web.Response:
        table, system = self._path_table(request)
        return self._found(self._core.links.find(table, system, request.match_info["external"]))

    async def _lookup_external(self, request: web.Request) -> web.Response:
        table, system = self._path_table(request)
        record = self._core.links.record_of(table, self._ids.read_text(request.match_info["id"]))
        external_id = self._core.links.external_id(table, system, record) if record else None
        return self._miss() if external_id is None else self._text(external_id)

    async def _missing(self, request: web.Request) -> web.Response:
        table, system = self._path_table(request)
        rows = self._core.links.missing(table, system)
        shown = [*rows, -1] if self._core.settings.missing_ghost else rows
        answer = page_answer(shown, request.query, self._core.settings, self._show_missing)
        if rows and self._core.settings.missing_taken_next > 0:
            self._core.settings.missing_taken_next -= 1
            self._take(table, system, rows[0])
        return answer

    async def _update(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        table, system, external_id = self._link_of(request, body)
        internal = self._ids.read_text(body.get("internal_id"), "Internal id")
        record = self._core.links.record_of(table, internal)
        if record is None:
            raise RefusedError("NFND-1005", f"Internal id {internal} does not exist in table {table}")
        with self._core.database.transaction():
            self._core.links.save(table, system, external_id, record)
        self.changes += 1
        await self._core.door.after_commit()
        names = ("table_name", "system_id", "external_id", "internal_id")
        return json_answer({name: body[name] for name in names})

    async def _remove(self, request: web.Request) -> web.Response:
        table, system, external_id = self._link_of(request, await read_object(request))
        if not self._core.links.remove(table, system, external_id):
            raise RefusedError("NFND-1004", f"External id {external_id} is not linked in table {table}")
        self.changes += 1
        await self._core.door.after_commit()
        return web.Response(status=204)

    def _link_of(self, request: web.Request, body: dict[str, Any]) -> tuple[str, int, str]:
        table = self._core.links.check_table(_family(request), body.get("table_name"))
        system = self._core.links.check_system(body.get("system_id"))
        external_id = body.get("external_id")
        if not isinstance(external_id, str) or not external_id:
            raise RefusedError("VALD-1002", "The external_id field is required")
        return table, system, external_id

    def _path_table(self, request: web.Request) -> tuple[str, int]:
        table = self._core.links.check_table(_family(request), request.match_info["table"])
        text = request.match_info["system"]
        return table, self._core.links.check_system(int(text) if text.isdigit() else text)

    def _found(self, record: Stored | None) -> web.Response:
        if record is None:
            return self._miss()
        return self._text(f"{'' if record.active else 'DELETED:'}{self._ids.show_text(record.id)}")

    def _miss(self) -> web.Response:
        form = self._core.settings.lookup_answer
        if form in {"empty", "no_content"}:
            return web.Response(status=200 if form == "empty" else 204)
        raise RefusedError("NFND-1002", "The external id is not linked")

    def _text(self, text: str) -> web.Response:
        form = self._core.settings.lookup_answer
        if form == "bare":
            return web.Response(text=text)
        if form == "escaped":
            escaped = "".join(f"\\u{ord(sign):04x}" for sign in text if ord(sign) < 0x10000)
            return web.Response(body=f'"{escaped}"'.encode(), content_type="application/json")
        return json_answer(text)

    def _show_missing(self, row: int) -> Any:
        record = self._core.database.at(row)
        record_id = record.id if record else _GHOST
        form = self._core.settings.missing_answer
        if form == "numbers":
            return self._ids.show_number(record_id)
        if form == "internal_ids":
            return {"internal_id": self._ids.show_text(record_id), "external_id": None}
        if form == "objects":
            return {"id": self._ids.show_number(record_id), "type": record.body.get("type") if record else "Order"}
        return self._ids.show_text(record_id)

    def _take(self, table: str, system: int, row: int) -> None:
        record = self._core.database.at(row)
        if record is not None:
            self._core.links.save(table, system, f"taken-{record.id}", record)


def _family(request: web.Request) -> str:
    return request.path.split("/", 2)[1]
