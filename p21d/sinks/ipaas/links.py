"""The hub's link table: our external id to the hub's id, kept by the family that owns the record."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from p21d.errors import RecordFailed
from p21d.sinks.ipaas.answers import id_text
from p21d.sinks.ipaas.calls import Call, Calls
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import BareNotFound, RecordNotFound, Subject, Verb

_DELETED = "DELETED:"


@dataclass(frozen=True, slots=True)
class Linked:
    """What the link table says of an external id; `inactive` where the linked record is."""

    hub_id: str
    inactive: bool = False


class Links:
    """Asks and changes link tables, and remembers a few records that were surely there."""

    def __init__(self, calls: Calls, directory: Directory, system_id: int) -> None:
        self._calls = calls
        self._directory = directory
        self._system_id = system_id
        self._witnesses: dict[str, deque[tuple[Resource, str]]] = {}

    async def lookup(self, resource: Resource, external_id: str) -> Linked | None:
        """Return the record linked to our external id, None where the hub knows no such link.

        A bare 404 means None here: that is the documented answer, and a create after it repeats nothing, because the
        hub refuses an external id that is linked already.
        """
        call = self._call("lookup", "POST", resource, external_id, "View")
        answer, error = await self._calls.ask(call)
        if isinstance(error, RecordNotFound | BareNotFound):
            return None
        if error is not None:
            raise error
        if answer.status != 200 or not answer.body.strip():
            return None
        return read_lookup(answer.body, call.subject.doing)

    async def external_id(self, resource: Resource, hub_id: str) -> str | None:
        """Return our external id of a record of the hub, None where it has none."""
        parts = {"id": hub_id, "system_id": str(self._system_id), "table": resource.link_table}
        url = self._directory.link_url(resource, "external", **parts)
        doing = f"look-up of our external id of {resource.name} {hub_id}"
        answer, error = await self._calls.ask(Call("GET", url, Subject(resource, "View", doing)))
        if isinstance(error, RecordNotFound | BareNotFound):
            return None
        if error is not None:
            raise error
        return read_external_id(answer.body, doing) if answer.status == 200 else None

    async def update(self, resource: Resource, external_id: str, hub_id: str) -> None:
        """Create a record's link, or change the external id it has."""
        await self._calls.make(self._call("update", "POST", resource, external_id, "Edit", hub_id))

    async def delete(self, resource: Resource, external_id: str, hub_id: str) -> None:
        """Remove a link; one that is not there is removed already."""
        call = self._call("delete", "DELETE", resource, external_id, "Edit", hub_id)
        answer, error = await self._calls.ask(call)
        # 405: a hub without this call (its path is inferred, facts 4) changes a link only in its place
        if error is not None and answer.status != 405 and not isinstance(error, RecordNotFound | BareNotFound):
            raise error

    async def move(self, resource: Resource, before: str, external_id: str, hub_id: str) -> None:
        """Give a record's link another external id; raises RecordNotFound where there is no such record.

        The old one is removed as well, for the hub may keep both, and a later record of that name would meet this one.
        """
        await self.update(resource, external_id, hub_id)
        await self.delete(resource, before, hub_id)

    def remember(self, resource: Resource, external_id: str) -> None:
        """Keep a record that has just been delivered as a witness that the hub still finds what it has."""
        known = self._witnesses.setdefault(resource.family, deque(maxlen=2))
        if (resource, external_id) not in known:
            known.append((resource, external_id))

    async def finds_others(self, resource: Resource, external_id: str, told: Sequence[str] = ()) -> bool:
        """Tell whether the hub still finds another record of the family: then a bare 404 may be believed.

        `told` are external ids of the same table that the caller knows to be there.
        """
        known = [*self._witnesses.get(resource.family, ()), *((resource, one) for one in told)]
        for witness in known:
            if witness != (resource, external_id) and await self.lookup(*witness) is not None:
                return True
        return False

    async def probe(self, resource: Resource, external_id: str) -> None:
        """Look up an external id that is not linked; raises BareNotFound where nothing of the family is found any more.

        A gateway that leads astray answers 404 as well, and the hub would seem to be back.
        """
        _, error = await self._calls.ask(self._call("lookup", "POST", resource, external_id, "View"))
        if isinstance(error, BareNotFound):
            if self._witnesses.get(resource.family) and not await self.finds_others(resource, external_id):
                raise error
        elif error is not None and not isinstance(error, RecordNotFound):
            raise error

    def _call(self, name: str, method: str, resource: Resource, external_id: str, verb: Verb, hub_id: str = "") -> Call:
        body = {"table_name": resource.link_table, "system_id": self._system_id, "external_id": external_id}
        doing = f"{name} of the link {external_id!r} in table {resource.link_table!r}"
        url = self._directory.link_url(resource, name)
        return Call(method, url, Subject(resource, verb, doing), body | ({"internal_id": hub_id} if hub_id else {}))


def read_lookup(body: bytes, doing: str) -> Linked | None:
    """Read a lookup's answer: JSON text, text without quotes or with doubled or escaped ones, or a number.

    Raises RecordFailed for anything that is not an id. Quotes must pair: an answer that was cut off, `"812`, would
    otherwise name another record.
    """
    text = body.decode("utf-8-sig", "replace").strip()
    for _ in range(2):  # once for the text, once more for a text inside a text
        text = _unquoted(text)
    inactive = text[: len(_DELETED)].upper() == _DELETED
    hub_id = id_text(text[len(_DELETED) :] if inactive else text)
    if hub_id:
        return Linked(hub_id, inactive)
    if text in {"", "null", "0"}:
        return None
    raise RecordFailed(f"hub: {doing}: the answer is not an id: {text[:100]!r}", code="odd-answer")


def read_external_id(body: bytes, doing: str) -> str | None:
    """Read our external id: JSON text or the raw text, of an inactive record too; None for an empty answer.

    Raises RecordFailed for what is neither, such as an answer that was cut off inside its quotes.
    """
    raw = body.decode("utf-8-sig", "replace").strip()
    text = _unquoted(raw).strip()
    if raw in {"", "null", '""'}:
        return None
    if not text or text[0] in '"{[':
        raise RecordFailed(f"hub: {doing}: the answer is not an external id: {raw[:100]!r}", code="odd-answer")
    return text[len(_DELETED) :] if text[: len(_DELETED)].upper() == _DELETED else text


def _unquoted(text: str) -> str:
    if text.startswith('\\"') and text.endswith('\\"') and len(text) >= 4:
        return text[2:-2]
    try:
        value = msgspec.json.decode(text) if text.startswith('"') else None
    except msgspec.DecodeError:
        return text
    return value.strip() if isinstance(value, str) else text
