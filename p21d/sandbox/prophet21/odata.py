"""Answer the v4 surfaces: `/odataservice/odata/{table|view}/{name}` and their `$metadata`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web

from p21d.sandbox.prophet21 import answers
from p21d.sandbox.prophet21.filter_grammar import QueryRefused
from p21d.sandbox.prophet21.metadata import metadata_document
from p21d.sandbox.prophet21.query import Page, Reader
from p21d.sandbox.prophet21.schema import Table, find_table

if TYPE_CHECKING:
    from p21d.clock import Clock
    from p21d.sandbox.prophet21.database import Database
    from p21d.sandbox.prophet21.settings import Settings

_HEADERS = {
    "Content-Type": "application/json; odata.metadata=minimal; odata.streaming=true",
    "OData-Version": "4.0",
}


class ODataService:
    """Serve the tables and views of one database.

    `after_page`, where set, is called with the table's name when a page is read and not yet sent: there a test
    changes rows behind or ahead of the reader.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self.after_page: Callable[[str], None] | None = None

    async def metadata(self, _request: web.Request, surface: str) -> web.Response:
        """Answer `/{surface}/$metadata`."""
        answer = answers.json_answer(metadata_document(surface.lower(), self._settings))
        answer.headers["OData-Version"] = "4.0"
        return answer

    async def rows(self, request: web.Request, surface: str, name: str) -> web.Response:
        """Answer `/{surface}/{name}`: rows, 401 without permission, 404 for everything P21 does not understand."""
        if name.lower() == "bin" or len(request.rel_url.raw_query_string) > self._settings.longest_query:
            return answers.iis_not_found()
        table = find_table(surface.lower(), name)
        if table is None or table.name in self._settings.missing_tables:
            return answers.not_found()
        if table.name in self._settings.forbidden_tables:
            return answers.forbidden()
        if self._settings.answer_floor_seconds:
            await self._clock.sleep(self._settings.answer_floor_seconds)
        reader = Reader(table, surface.lower(), self._settings, self._database)
        try:
            page = reader.read(request.query)
        except QueryRefused as refused:
            return answers.not_found(str(refused))
        if self.after_page is not None:
            self.after_page(table.name)
        return self._answer(request, surface.lower(), table, page)

    def _answer(self, request: web.Request, surface: str, table: Table, page: Page) -> web.Response:
        rows = page.rows
        if self._settings.repeat_last_row and rows:
            rows = [*rows, rows[-1]]
        name = table.name if surface == "table" else f"p21_view_{table.name}"
        head = f'{{"@odata.context":"{request.url.origin()}/odataservice/odata/{surface}/$metadata#{name}"'
        if page.count is not None:
            head += f',"@odata.count":{page.count}'
        body = b"".join((head.encode(), b',"value":[', b",".join(rows), b"]}"))
        return web.Response(body=body, headers=_HEADERS)
