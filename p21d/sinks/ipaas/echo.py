"""Reads a saved record as the hub echoes it: is it one, which links does it show, which child is which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from p21d.errors import RecordFailed
from p21d.http import HttpAnswer
from p21d.sinks.ipaas.answers import decoded, id_text, words_of
from p21d.sinks.ipaas.bodies import same

Item = Mapping[str, Any]


def record_in(answer: HttpAnswer, sent: Item, doing: str, hub_id: str = "") -> dict[str, Any] | None:
    """Return the record in a good answer, None where it has no body.

    Raises RecordFailed for rubbish: something else than an object, one that shares no member with what was sent and
    has no id, or one with another id than `hub_id`.
    """
    if answer.body.strip() in {b"", b"null", b"{}"}:
        return None
    record = decoded(answer)
    if isinstance(record, dict):
        told = id_text(record.get("id"))
        if (told and told == (hub_id or told)) or (not told and any(member in sent for member in record)):
            return record
    raise RecordFailed(
        f"hub: {doing}: {answer.status} with something that is not the record: {words_of(answer)[:200]}",
        code="odd-answer",
    )


def our_links(item: Item, system_id: int) -> list[str] | None:
    """Return the external ids of our system that an item shows, None where it shows no links at all."""
    shown = item.get("external_ids")
    if not isinstance(shown, list):
        return None
    return [
        str(link.get("external_id", "")).strip()
        for link in shown
        if isinstance(link, dict) and str(link.get("system_id", "")) == str(system_id)
    ]


def match_children(
    sent: Mapping[str, Item], items: Sequence[Item], known: Mapping[str, str], system_id: int, *, by_position: bool
) -> dict[str, Item]:
    """Return which item of an answer each child (external id -> body) has become.

    By our external id first, then by the id the child had, then by equal content, then by its place in a transaction or
    its name, for what lost its links may have changed since; at last `by_position`, which only the echo of a write may
    be trusted with; never an item that shows another external id of ours. A child that cannot be told is left out.
    """
    matched = _by_link(sent, items, system_id)
    taken = {id(item) for item in matched.values()}
    free = [item for item in items if id(item) not in taken and not our_links(item, system_id)]
    for external_id, body in sent.items():
        if external_id in matched:
            continue
        hits = [item for item in free if known.get(external_id) and id_text(item.get("id")) == known[external_id]]
        hits = hits or [item for item in free if _agrees(body, item)]
        if len(hits) == 1:
            matched[external_id] = hits[0]
            free = [item for item in free if item is not hits[0]]
    left = {external_id: body for external_id, body in sent.items() if external_id not in matched}
    matched |= _by_place(left, free)
    left = {external_id: body for external_id, body in left.items() if external_id not in matched}
    free = [item for item in free if all(item is not taken for taken in matched.values())]
    return matched | (_by_position(left, free) if by_position else {})


def _by_link(sent: Mapping[str, Item], items: Sequence[Item], system_id: int) -> dict[str, Item]:
    shown = {link: item for item in items for link in our_links(item, system_id) or ()}
    return {external_id: shown[external_id] for external_id in sent if external_id in shown}


def _by_place(left: Mapping[str, Item], free: Sequence[Item]) -> dict[str, Item]:
    """Match by what no two children of one record share, with items that nobody has linked."""
    wanted = Counter(filter(None, map(_place, left.values())))
    nobodys = [item for item in free if not item.get("external_ids") and _place(item)]
    shown = Counter(map(_place, nobodys))
    by_place = {_place(item): item for item in nobodys}
    return {
        external_id: by_place[place]
        for external_id, body in left.items()
        if (place := _place(body)) and wanted[place] == shown[place] == 1
    }


def _place(child: Item) -> tuple[str, ...]:
    """Return the number and type of a line or note, else the name of a unit; empty where neither is told."""
    number, kind, name = child.get("sequence_number"), child.get("type"), child.get("name")
    if kind:
        return (str(number or ""), str(kind).casefold())
    return (str(name).casefold(),) if name else ()


def _by_position(left: Mapping[str, Item], free: Sequence[Item]) -> dict[str, Item]:
    if len(left) != len(free):
        return {}
    pairs = dict(zip(left, free, strict=True))
    alike = all(_agrees(left[external_id], item) for external_id, item in pairs.items())
    return pairs if alike or len(pairs) == 1 else {}


def _agrees(body: Item, item: Item) -> bool:
    told = [name for name, value in body.items() if name in item and isinstance(value, str | int | float)]
    return bool(told) and all(same(body[name], item[name]) for name in told)
