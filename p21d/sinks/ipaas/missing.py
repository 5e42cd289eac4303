"""Reads the ids of records without a link of ours, page by page, in whatever form the hub lists them.

Why so suspicious: the answer's shape and paging are not published (facts 4). It may be one page or many, told by a
header or not, of text, numbers or objects; a server that ignores the page number would repeat its first page for ever.
Whatever the header says, a page with nothing new is the last one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec

from p21d.errors import Unavailable
from p21d.http import HttpAnswer
from p21d.sinks.ipaas.answers import decoded, id_text
from p21d.sinks.ipaas.calls import Call, Calls
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import SYSTEM, Subject

_ID_MEMBERS = ("id", "internal_id")


class Missing:
    """Lists the records of a link table that our system has no link for."""

    def __init__(self, calls: Calls, directory: Directory, system_id: int) -> None:
        self._calls = calls
        self._directory = directory
        self._system_id = system_id

    async def pages(self, resource: Resource) -> AsyncGenerator[Sequence[str], None]:
        """Yield ids as text, each once; raises RecordError where the hub does not know the table.

        A record linked while the pages are read moves the later ones up, so that one may be missed: the next reading
        has it.
        """
        seen: set[str] = set()
        number = 1
        while True:
            answer = await self._page(resource, number)
            found = dict.fromkeys(self._ids(resource, answer))
            fresh = [hub_id for hub_id in found if hub_id not in seen]
            seen.update(fresh)
            if fresh:
                yield fresh
            if not fresh or self._is_last(answer) or not self._directory.query["page"]:
                return
            number += 1

    async def _page(self, resource: Resource, number: int) -> HttpAnswer:
        url = self._directory.missing_url(resource, self._system_id, number)
        doing = f"list of records without our link in table {resource.link_table!r}"
        return await self._calls.make(Call("GET", url, Subject(resource, "View", doing)))

    def _ids(self, resource: Resource, answer: HttpAnswer) -> list[str]:
        items = decoded(answer) if answer.body.strip() else []
        ids = [_id_in(item) for item in items] if isinstance(items, list) else []
        if not isinstance(items, list) or (ids and not any(ids)):
            raise Unavailable(
                f"hub: the list of records without our link in table {resource.link_table!r} holds no ids",
                system=SYSTEM,
                hint="check sink.links.missing",
            )
        return [hub_id for hub_id in ids if hub_id]

    def _is_last(self, answer: HttpAnswer) -> bool:
        """Tell whether the header says that this is the last page; without one the next page tells."""
        try:
            told = msgspec.json.decode(answer.headers.get(self._directory.headers["pagination"], "") or "null")
        except msgspec.DecodeError:
            return False
        members = {str(name).casefold(): value for name, value in told.items()} if isinstance(told, dict) else {}
        current, total = members.get("current_page"), members.get("total_pages")
        return isinstance(current, int) and isinstance(total, int) and current >= total


def _id_in(item: Any) -> str:
    if isinstance(item, dict):
        named = {str(name).casefold(): value for name, value in item.items()}
        return next(filter(None, (id_text(named.get(name)) for name in _ID_MEMBERS)), "")
    return id_text(item)
