"""Removes children that a record has no more: by their own call, else sent as inactive, else told to be left behind.

What a PUT does to a child it does not name is not published (facts 3), so nothing is left to that: each child is
removed by name after the record was written, and one that is gone by then is done.

Invariant: a child counts as removed only when its link is gone too, so that a child of that name may come again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from p21d.sinks.ipaas.answers import id_text
from p21d.sinks.ipaas.bodies import ChildIds
from p21d.sinks.ipaas.calls import Call
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import BareNotFound, RecordNotFound, Subject
from p21d.sinks.ipaas.write import Tools, Writer
from p21d.sinks.port import Acknowledged, Delivery, Link, LinkedChild

Children = Mapping[str, Sequence[LinkedChild]]


class Removal:
    """Removes left-behind children of records that were just written."""

    def __init__(self, tools: Tools, writer: Writer) -> None:
        self._tools = tools
        self._writer = writer

    async def remove(self, delivery: Delivery, resource: Resource, done: Acknowledged) -> Acknowledged:
        """Return the acknowledgement with the links of the children that could not be removed."""
        kept: dict[str, list[LinkedChild]] = {}
        for member, children in delivery.left_behind.items():
            child_resource = self._tools.directory.child(delivery.route, member)
            present = {link.hub_id for link in done.links if link.table == child_resource.link_table}
            for child in children:
                if child.hub_id in present:  # the hub's record of that child is another child's now
                    await self._tools.links.delete(child_resource, child.external_id, child.hub_id)
                elif not await self._removed(delivery, resource, child_resource, child):
                    kept.setdefault(member, []).append(child)
        return await self._settle_kept(delivery, resource, done, kept) if kept else done

    async def _removed(
        self, delivery: Delivery, parent_resource: Resource, resource: Resource, child: LinkedChild
    ) -> bool:
        """Remove a child by its own call and tell whether it is gone; False where the hub has no such call."""
        if not resource.path:
            return False
        subject = Subject(resource, "Edit", f"DELETE {resource.name} {child.hub_id} for {child.external_id}")
        call = Call("DELETE", self._tools.directory.record_url(resource, child.hub_id), subject)
        answer, error = await self._tools.calls.ask(call)
        links = self._tools.links
        if error is not None and not isinstance(error, RecordNotFound):
            # a bare 404 or a 405: no such call here, if the hub itself has answered
            no_call = isinstance(error, BareNotFound) or answer.status == 405
            if no_call and await links.finds_others(parent_resource, "", [delivery.external_id]):
                return False
            raise error
        await links.delete(resource, child.external_id, child.hub_id)
        return True

    async def _settle_kept(
        self, delivery: Delivery, resource: Resource, done: Acknowledged, children: Children
    ) -> Acknowledged:
        """Send as inactive what the hub still shows, where the route says how; tell of the rest."""
        record = await self._tools.finder.read(resource, done.hub_id or "") or {}
        kept: list[Link] = []
        told: list[str] = []
        silent: dict[str, list[dict[str, Any]]] = {}
        for member, left in children.items():
            child_resource = self._tools.directory.child(delivery.route, member)
            shown = self._shown(resource, member, record)
            for child in left:
                if shown is not None and child.hub_id not in shown:
                    await self._tools.links.delete(child_resource, child.external_id, child.hub_id)
                    continue
                kept.append(Link(child_resource.link_table, *child))
                if shown is not None and member in delivery.route.inactive_children:
                    silent.setdefault(member, []).append(self._inactive(delivery, member, shown[child.hub_id]))
                else:
                    told.append(child.external_id)
        if silent:
            await self._send_inactive(delivery, resource, done, silent)
        return replace(done, left_behind=tuple(kept), warning=_warning(delivery, done, told))

    def _shown(self, resource: Resource, member: str, record: Mapping[str, Any]) -> dict[str, Mapping[str, Any]] | None:
        items = record.get(self._tools.directory.member(resource, member))
        if not isinstance(items, list):
            return None
        return {id_text(item.get("id")): item for item in items if isinstance(item, dict)}

    def _inactive(self, delivery: Delivery, member: str, item: Mapping[str, Any]) -> dict[str, Any]:
        resource = self._tools.directory.child(delivery.route, member)
        inactive = delivery.route.inactive_children[member]
        members = {self._tools.directory.member(resource, name): value for name, value in inactive.items()}
        return {name: value for name, value in item.items() if isinstance(value, str | int | Decimal)} | members

    async def _send_inactive(
        self,
        delivery: Delivery,
        resource: Resource,
        done: Acknowledged,
        silent: Mapping[str, Sequence[Mapping[str, Any]]],
    ) -> None:
        body = self._tools.bodies.build(delivery, resource, self._ids(delivery, done))
        for member, items in silent.items():
            body.setdefault(self._tools.directory.member(resource, member), []).extend(items)
        await self._writer.put(delivery, resource, done.hub_id or "", body)

    def _ids(self, delivery: Delivery, done: Acknowledged) -> ChildIds:
        ids = {(link.table, link.external_id): link.hub_id for link in done.links}
        found = {}
        for member, children in delivery.children.items():
            table = self._tools.directory.child(delivery.route, member).link_table
            for child in children:
                if (table, child.external_id) in ids:
                    found[member, child.external_id] = ids[table, child.external_id]
        return found


def _warning(delivery: Delivery, done: Acknowledged, left: Sequence[str]) -> str:
    if not left:
        return done.warning
    words = f"the hub cannot remove children that {delivery.external_id} has no more: {', '.join(left[:5])}"
    return f"{done.warning}; {words}" if done.warning else words
