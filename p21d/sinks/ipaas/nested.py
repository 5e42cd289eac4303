"""Writes a record inside its parent's PUT, where the hub has no call of its own for it (facts 9: tracking).

That the call is not there is believed of a 404 or 405 only while the parent is found; it is remembered as long as this
sink lives, and forgotten when the hub does not keep what stands inside the parent either.

The parent is sent back as it was read just before, because the hub may replace what a PUT leaves out. What another
system changes between the two calls is lost; the hub has nothing to tell by, so the time between them is kept short.
"""

from __future__ import annotations

from typing import Any

from p21d.errors import ParentMissing, RecordFailed, RecordRefused
from p21d.sinks.ipaas.answers import id_text
from p21d.sinks.ipaas.bodies import Bodies, same
from p21d.sinks.ipaas.calls import Call, Calls
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.echo import match_children, record_in
from p21d.sinks.ipaas.finder import Finder
from p21d.sinks.ipaas.references import make_explained
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import BareNotFound, RecordNotFound, Subject
from p21d.sinks.port import Delivery


class Nested:
    """Reads and writes records that the hub shows inside their parent."""

    def __init__(self, calls: Calls, directory: Directory, bodies: Bodies, finder: Finder, system_id: int) -> None:
        self._calls = calls
        self._directory = directory
        self._bodies = bodies
        self._finder = finder
        self._system_id = system_id
        self._without_calls: set[str] = set()

    def applies(self, resource: Resource) -> bool:
        """Tell whether the hub was seen to have no calls of its own for these records."""
        return resource.name in self._without_calls

    def begin(self, resource: Resource) -> None:
        """Remember that the hub has no calls of its own for these records."""
        self._without_calls.add(resource.name)

    async def has_parent(self, delivery: Delivery, resource: Resource) -> bool:
        """Tell whether the record's parent is found; raises ParentMissing where the hub says that it is not there."""
        if not resource.inside:
            return False
        try:
            await self._present(delivery, resource)
        except BareNotFound:  # proves nothing
            return False
        return True

    async def read(self, delivery: Delivery, resource: Resource, hub_id: str) -> dict[str, Any] | None:
        """Return a record as its parent shows it, with the parent's id; None where it is not there."""
        parent = await self._parent(delivery, resource)
        shown = [item for item in _items(parent or {}, resource) if id_text(item.get("id")) == hub_id]
        return {delivery.route.under: _parent_id(delivery), **shown[0]} if shown else None

    async def unlinked(self, delivery: Delivery, resource: Resource, body: dict[str, Any]) -> str:
        """Return the id of the record in its parent that has its natural key and nobody's link, '' without one.

        For records without a unique value: one whose link and whose answer were lost is found in no other way.
        """
        key = self._directory.member(resource, delivery.route.natural_key)
        if not resource.inside or not body.get(key):
            return ""
        try:
            parent = await self._parent(delivery, resource) or {}
        except BareNotFound:  # proves nothing
            return ""
        items = [
            item
            for item in _items(parent, resource)
            if item.get("external_ids") == [] and item.get(key) is not None and same(body[key], item[key])
        ]
        return id_text(items[0].get("id")) if items else ""

    async def write(
        self, delivery: Delivery, resource: Resource, body: dict[str, Any], hub_id: str = ""
    ) -> dict[str, Any]:
        """PUT the parent with the record inside and return the record as the hub shows it then.

        Raises ParentMissing without the parent, RecordNotFound where the record of `hub_id` is not in it.
        """
        parent = await self._present(delivery, resource)
        own = {name: value for name, value in body.items() if name != delivery.route.under}
        item = self._match(delivery, own, _items(parent, resource), hub_id)
        if hub_id and item is None:
            raise RecordNotFound(f"hub: {resource.name} {hub_id} of {delivery.external_id} is not there", code="gone")
        whole = self._bodies.resent(parent)
        whole[resource.inside_member] = self._laid_in(whole, resource, own, id_text(item.get("id")) if item else "")
        saved = await self._put(delivery, resource, whole) or await self._parent(delivery, resource) or {}
        kept = self._match(delivery, own, _items(saved, resource), hub_id)
        if kept is None:
            self._without_calls.discard(resource.name)
            raise RecordFailed(
                f"hub: {delivery.external_id} was sent inside its {resource.inside}, and is not there",
                code="not-confirmed",
                hint=f"check sink.paths.{resource.name}",
            )
        return dict(kept)

    def _laid_in(
        self, whole: dict[str, Any], resource: Resource, own: dict[str, Any], hub_id: str
    ) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = list(whole.get(resource.inside_member) or ())
        for position, item in enumerate(items):
            if hub_id and id_text(item.get("id")) == hub_id:
                items[position] = {**item, **own}
                return items
        return [*items, own]

    def _match(
        self, delivery: Delivery, own: dict[str, Any], items: list[dict[str, Any]], hub_id: str
    ) -> dict[str, Any] | None:
        """Return the item that is the record: by our external id, by its id, by equal texts."""
        name, texts = delivery.external_id, {member: value for member, value in own.items() if isinstance(value, str)}
        found = match_children({name: texts}, items, {name: hub_id}, self._system_id, by_position=False).get(name)
        return None if found is None else dict(found)

    async def _present(self, delivery: Delivery, resource: Resource) -> dict[str, Any]:
        parent = await self._parent(delivery, resource)
        if parent is None:
            raise ParentMissing(
                f"hub: {resource.inside} {_parent_id(delivery)} of {delivery.external_id} is not there",
                code="no-parent-record",
            )
        return parent

    async def _parent(self, delivery: Delivery, resource: Resource) -> dict[str, Any] | None:
        hub_id = _parent_id(delivery)
        if not hub_id:
            raise RecordRefused(f"hub: {delivery.external_id} has no parent {delivery.route.under!r}", code="no-parent")
        return await self._finder.read(self._directory.named(resource.inside), hub_id)

    async def _put(self, delivery: Delivery, resource: Resource, whole: dict[str, Any]) -> dict[str, Any] | None:
        parent, hub_id = self._directory.named(resource.inside), _parent_id(delivery)
        doing = f"PUT {parent.name} {hub_id} with {resource.name} {delivery.external_id} inside"
        call = Call("PUT", self._directory.record_url(parent, hub_id), Subject(parent, "Edit", doing), whole)
        try:
            answer = await make_explained(self._calls, call)
        except RecordNotFound as missing:  # it was there a moment ago
            raise RecordFailed(missing.message, code="changed-meanwhile") from missing
        return record_in(answer, whole, doing, hub_id)


def _parent_id(delivery: Delivery) -> str:
    return delivery.parents.get(delivery.route.under, "")


def _items(parent: dict[str, Any], resource: Resource) -> list[dict[str, Any]]:
    items = parent.get(resource.inside_member)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
