"""Updates a record that came from the hub: the few members P21 answers for, laid over the record as it is now.

Invariant: nothing else of it is changed, created or removed, whatever the hub does to members and children that a PUT
leaves out: all of them are sent back as they were read just before. What another system changes between the two calls
is lost; the hub has nothing to tell by, so the time between them is kept short, and without a change there is no PUT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from p21d.errors import ParentMissing, RecordFailed
from p21d.sinks.ipaas.answers import id_text
from p21d.sinks.ipaas.bodies import ChildIds, same
from p21d.sinks.ipaas.echo import Item, our_links
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import RecordNotFound
from p21d.sinks.ipaas.write import Tools, Writer
from p21d.sinks.port import Acknowledged, ChildDelivery, Delivery


class Born:
    """Lays members over records of the hub's own."""

    def __init__(self, tools: Tools, writer: Writer, system_id: int) -> None:
        self._tools = tools
        self._writer = writer
        self._system_id = system_id

    async def update(self, delivery: Delivery, resource: Resource, hub_id: str) -> Acknowledged:
        """Write what differs; raises RecordNotFound without the record, RecordFailed where it changed meanwhile."""
        record = await self._tools.finder.read(resource, hub_id)
        if record is None:
            raise RecordNotFound(f"hub: {resource.name} {hub_id} of {delivery.external_id} is not there", code="gone")
        ids = self._child_ids(delivery, resource, record)
        body = self._tools.bodies.resent(record)
        changed = self._lay_over(body, self._members(delivery, resource))
        for member, members in self._children(delivery, ids).items():
            for item in _items(body, self._tools.directory.member(resource, member)):
                changed |= self._lay_over(item, self._named(delivery, member, members.get(id_text(item.get("id")), {})))
        saved = await self._put(delivery, resource, hub_id, body) if changed else None
        return await self._tools.acknowledgement.of(_with(delivery, ids), resource, hub_id, saved or record, ids)

    def _lay_over(self, item: dict[str, Any], members: Mapping[str, Any]) -> bool:
        """Set what differs and tell whether anything did."""
        different = {name: value for name, value in members.items() if not same(value, item.get(name))}
        item.update(different)
        return bool(different)

    def _members(self, delivery: Delivery, resource: Resource) -> dict[str, Any]:
        whole = {**delivery.body, **({} if delivery.active else delivery.route.inactive)}
        told = {name: whole[name] for name in delivery.route.born if whole.get(name) is not None}
        named = {self._tools.directory.member(resource, name): value for name, value in told.items()}
        return {name: value for name, value in named.items() if name}

    def _children(self, delivery: Delivery, ids: ChildIds) -> dict[str, dict[str, Mapping[str, Any]]]:
        """Return, by member and the hub's id, what P21 says of each child that is known there."""
        told: dict[str, dict[str, Mapping[str, Any]]] = {}
        for member in delivery.route.born_children:
            bodies = told.setdefault(member, {})
            for child in delivery.children.get(member, ()):
                if (member, child.external_id) in ids:
                    bodies[ids[member, child.external_id]] = child.body
        return told

    def _named(self, delivery: Delivery, member: str, body: Mapping[str, Any]) -> dict[str, Any]:
        resource = self._tools.directory.child(delivery.route, member)
        names = [name for name in delivery.route.born_children[member] if body.get(name) is not None]
        return {self._tools.directory.member(resource, name): body[name] for name in names}

    def _child_ids(self, delivery: Delivery, resource: Resource, record: Item) -> ChildIds:
        """Return the ids of the children that the hub still shows: by the id we know, else by our external id there."""
        found: dict[tuple[str, str], str] = {}
        for member, children in delivery.children.items():
            items = _items(record, self._tools.directory.member(resource, member))
            shown = {id_text(item.get("id")): our_links(item, self._system_id) or [] for item in items}
            for child in children:
                hub_id = child.hub_id if child.hub_id in shown else _linked(shown, child.external_id)
                if hub_id:
                    found[member, child.external_id] = hub_id
        return found

    async def _put(
        self, delivery: Delivery, resource: Resource, hub_id: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        try:
            return await self._writer.put(delivery, resource, hub_id, body)
        except (RecordNotFound, ParentMissing) as missing:
            # of what was read a moment ago: somebody removed it since, or the hub refuses what it has itself
            raise RecordFailed(missing.message, code="changed-meanwhile") from missing


def _with(delivery: Delivery, ids: ChildIds) -> Delivery:
    """Return the delivery with the children only that the hub has: those it lacks are not its own."""
    children: dict[str, Sequence[ChildDelivery]] = {
        member: [child for child in items if (member, child.external_id) in ids]
        for member, items in delivery.children.items()
    }
    return replace(delivery, children=children)


def _items(record: Item, name: str) -> list[dict[str, Any]]:
    items = record.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _linked(shown: Mapping[str, Sequence[str]], external_id: str) -> str:
    return next((hub_id for hub_id, links in shown.items() if external_id in links), "")
