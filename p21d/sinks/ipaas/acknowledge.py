"""Turns the echo of a saved record into an acknowledgement: every link proven, a lost one repaired first.

Why before the acknowledgement: a record whose link the hub lost would be created a second time by anyone who does not
know our store, and be listed as missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from p21d.sinks.ipaas.answers import id_text
from p21d.sinks.ipaas.bodies import ChildIds, has_new_children, known_child_ids
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.echo import Item, match_children, our_links
from p21d.sinks.ipaas.finder import Finder
from p21d.sinks.ipaas.links import Links
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.port import Acknowledged, Delivery, Link


class Acknowledgement:
    """Reads links from echoes and repairs those that are not shown."""

    def __init__(self, links: Links, finder: Finder, directory: Directory, system_id: int) -> None:
        self._links = links
        self._finder = finder
        self._directory = directory
        self._system_id = system_id

    async def of(
        self,
        delivery: Delivery,
        resource: Resource,
        hub_id: str,
        record: Item | None,
        child_ids: ChildIds,
        *,
        link: bool = True,
    ) -> Acknowledged:
        """Acknowledge a record from its echo, which is read from the hub where it is needed and was not sent.

        Without `link` the record was written but is not to be linked.
        """
        if not self._tells_children(delivery, resource, record) and has_new_children(delivery, child_ids):
            record = await self._finder.read(resource, hub_id) or record
        own: tuple[Link, ...] = ()
        if link:
            await self._prove(resource, delivery.external_id, hub_id, record)
            own = (Link(resource.link_table, delivery.external_id, hub_id),)
        children, left_out = [], 0
        for member in delivery.children:
            linked = await self._children(delivery, member, record, child_ids)
            children += linked
            left_out += len(delivery.children[member]) - len(linked)
        warning = f"the hub did not keep {left_out} of the children of {delivery.external_id}" if left_out else ""
        return Acknowledged(hub_id=hub_id, links=(*own, *children), warning=warning)

    def _tells_children(self, delivery: Delivery, resource: Resource, record: Item | None) -> bool:
        return record is not None and all(
            isinstance(record.get(self._directory.member(resource, member)), list) for member in delivery.children
        )

    async def _prove(self, resource: Resource, external_id: str, hub_id: str, shown: Item | None) -> None:
        links = None if shown is None else our_links(shown, self._system_id)
        if links is not None and external_id not in links:
            await self._links.update(resource, external_id, hub_id)

    async def _children(self, delivery: Delivery, member: str, record: Item | None, child_ids: ChildIds) -> list[Link]:
        resource = self._directory.child(delivery.route, member)
        items = (record or {}).get(self._directory.member(self._directory.resource(delivery.route), member))
        found = self._match(delivery, member, items, child_ids, by_position=True)
        linked = []
        for child in delivery.children[member]:
            item = found.get(child.external_id)
            hub_id = id_text(item.get("id")) if item else ""
            if not hub_id and not isinstance(items, list):  # nothing told: what was known holds
                hub_id = child_ids.get((member, child.external_id), "")
            if hub_id:
                await self._prove(resource, child.external_id, hub_id, item)
                linked.append(Link(resource.link_table, child.external_id, hub_id))
        return linked

    def child_ids_in(self, delivery: Delivery, resource: Resource, record: Item) -> ChildIds:
        """Return the ids of the children that a record of the hub already has, by our external ids or equal content.

        By content too, for a lost answer may have lost the links: sent as new, such a child would be there twice.
        """
        known = known_child_ids(delivery)
        return {
            (member, external_id): id_text(item.get("id"))
            for member in delivery.children
            for external_id, item in self._match(
                delivery, member, record.get(self._directory.member(resource, member)), known, by_position=False
            ).items()
            if id_text(item.get("id"))
        }

    def _match(
        self, delivery: Delivery, member: str, items: Any, child_ids: ChildIds, *, by_position: bool
    ) -> Mapping[str, Item]:
        """Return which item each child of `member` has become."""
        if not isinstance(items, list):
            return {}
        resource = self._directory.child(delivery.route, member)
        sent = {
            child.external_id: {self._directory.member(resource, name): value for name, value in child.body.items()}
            for child in delivery.children[member]
        }
        known = {external_id: hub_id for (of, external_id), hub_id in child_ids.items() if of == member}
        return match_children(
            sent, [item for item in items if isinstance(item, dict)], known, self._system_id, by_position=by_position
        )
