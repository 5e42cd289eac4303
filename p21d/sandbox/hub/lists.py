"""Lists of the hub: bare JSON arrays, filtered by `action=equals&Field=value`, paged by `X-Pagination`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from p21d.sandbox.hub.database import Database, comparable
from p21d.sandbox.hub.declaration import RecordType
from p21d.sandbox.hub.ids import Ids
from p21d.sandbox.hub.refusal import RefusedError
from p21d.sandbox.hub.settings import HubSettings

_NOT_A_FILTER = {"action", "pagenumber", "pagesize", "trackingguid", "sortby", "include", "id", "filter"}
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=\d)")


def find_rows(database: Database, kind: RecordType, query: Mapping[str, str], settings: HubSettings) -> list[int]:
    """Return the rows of the records a list call names, by id; raises VALD-1036 for a field the type does not have."""
    where, values = ["type = ?"], [kind.name]
    if not settings.lists_show_inactive:
        where.append("active = 1")
    if kind.parent and query.get("id"):
        parent = database.get(kind.parent, Ids(settings).read_text(query["id"]))
        where.append(f"parent = {parent.row if parent else 0}")
    if query.get("action") == "equals" and not settings.filter_ignored:
        for name, value in query.items():
            if name.lower() not in _NOT_A_FILTER:
                condition, wanted = _equals(kind, _member(kind, name), value, settings)
                where.append(condition)
                values += wanted
    found = database.rows(f"SELECT row FROM record WHERE {' AND '.join(where)} ORDER BY id", values)  # noqa: S608  # our own conditions
    return [row for (row,) in found]


def page_answer(
    found: list[Any], query: Mapping[str, str], settings: HubSettings, show: Callable[[Any], Any]
) -> web.Response:
    """Return the page that the query asks for, in the manner of paging that is set."""
    if settings.paging == "none":
        return json_answer([show(item) for item in found])
    size = settings.page_rows
    if settings.paging != "size_ignored":
        size = _positive(query, "pageSize", size)
    number = _positive(query, "pageNumber", 1)
    start = 0 if settings.paging == "page_repeated" else (number - 1) * size
    header = _pagination(len(found), size, number, settings)
    return json_answer([show(item) for item in found[start : start + size]], {"X-Pagination": header})


def json_answer(value: Any, headers: dict[str, str] | None = None, *, status: int = 200) -> web.Response:
    """Return a JSON answer."""
    body = msgspec.json.encode(value)
    return web.Response(status=status, body=body, headers=headers, content_type="application/json")


def _pagination(count: int, size: int, number: int, settings: HubSettings) -> str:
    pages = max(1, -(-count // size))
    if settings.paging in {"wrong_totals", "page_repeated"}:
        count, pages = count * 1000 + 1000, pages * 1000
    members = {
        "total_Count": count,
        "page_Size": size,
        "current_Page": number,
        "total_Pages": pages,
        "previous_Page": number - 1 if number > 1 else None,
        "next_Page": number + 1 if number < pages else None,
    }
    return msgspec.json.encode(members).decode()


def _positive(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdigit() or int(text) < 1:
        raise RefusedError("VALD-1022", f"{name} must be greater than 0")
    return int(text)


def _equals(kind: RecordType, member: str, value: str, settings: HubSettings) -> tuple[str, list[str]]:
    """Return condition and values; a unique member is found by its index, which a large hub needs."""
    rule = next((rule for rule in kind.unique if rule.members == (member,)), None)
    if rule and settings.check_unique and kind.name not in settings.unique_within:
        known = "row = (SELECT row FROM unique_value WHERE type = ? AND rule = ? AND value = ?)"
        return known, [kind.name, member, value if rule.with_case else comparable(value)]
    return f"hub_text(json_extract(body, '$.{member}')) = hub_text(?)", [value]


def _member(kind: RecordType, name: str) -> str:
    member = _WORD_START.sub("_", name).lower()
    if member not in kind.members:
        raise RefusedError("VALD-1036", f"{kind.label} cannot be filtered by {name}")
    return member
