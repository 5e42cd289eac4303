"""Brings one record into the hub, once: PUT under its known link, else look up, else POST with its link inside.

Every step may be the last before a crash: the next attempt starts from the link table again, and the link is in the
hub from the moment the record is. A create is never sent without a look-up before it in the same attempt.

Calls: 1 for a known record (2 with a new child), 2 for a new one, 3 for a new one inside another (the hub refuses no
second one there, so the parent is read before); more only where something was renamed, removed, lost or refused.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from p21d.errors import P21dError, ParentMissing, RecordFailed, RecordRefused
from p21d.sinks.ipaas.answers import id_text
from p21d.sinks.ipaas.born import Born
from p21d.sinks.ipaas.collision import Collision
from p21d.sinks.ipaas.former import Former
from p21d.sinks.ipaas.inactive import Activity
from p21d.sinks.ipaas.removal import Removal
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import BareNotFound, Duplicate, RecordNotFound
from p21d.sinks.ipaas.write import Tools, Writer
from p21d.sinks.port import Acknowledged, Delivery


class Upsert:
    """Decides how a record goes into the hub."""

    def __init__(
        self, tools: Tools, writer: Writer, activity: Activity, collision: Collision, removal: Removal, born: Born
    ) -> None:
        self._removal = removal
        self._born = born
        self._former = Former(tools, writer)
        self._tools = tools
        self._writer = writer
        self._activity = activity
        self._collision = collision

    async def send(self, delivery: Delivery) -> Acknowledged:
        """Bring one record into its state; raises RecordError for it alone, anything else for the batch."""
        resource = self._tools.directory.resource(delivery.route)
        if delivery.born:
            return await self._send_born(delivery, resource)
        if not delivery.active:
            return await self._deactivate(delivery, resource)
        if delivery.hub_id is None:
            done = await self._send_unknown(delivery, resource)
        else:
            done = await self._send_known(delivery, resource, delivery.hub_id)
        if any(delivery.left_behind.values()):
            done = await self._removal.remove(delivery, resource, done)
        self._tools.links.remember(resource, delivery.external_id)
        return done

    async def _send_born(self, delivery: Delivery, resource: Resource) -> Acknowledged:
        """Update a record of the hub's own; one that is gone is never made anew."""
        links, hub_id = self._tools.links, delivery.hub_id
        if hub_id is None:
            linked = await links.lookup(resource, delivery.external_id)
            if linked is None or linked.inactive:
                raise _gone(delivery, "has no active record that is linked to it")
            hub_id = linked.hub_id
        try:
            if delivery.renamed_from:
                await self._rename(delivery, resource, hub_id)
            done = await self._born.update(delivery, resource, hub_id)
        except (RecordNotFound, BareNotFound) as gone:
            if isinstance(gone, BareNotFound) and not await links.finds_others(
                resource, delivery.external_id, delivery.witnesses
            ):
                raise
            raise _gone(delivery, f"has record {hub_id} no more") from gone
        links.remember(resource, delivery.external_id)
        return done

    async def _deactivate(self, delivery: Delivery, resource: Resource) -> Acknowledged:
        if delivery.renamed_from and delivery.hub_id:
            with suppress(RecordNotFound):  # gone altogether, which is inactive enough
                await self._rename(delivery, resource, delivery.hub_id)
        return await self._activity.deactivate(delivery, resource)

    async def _rename(self, delivery: Delivery, resource: Resource, hub_id: str) -> None:
        """Move the links to the new external id before anything else, the children's too.

        In this order: where the name is taken, nothing was changed; where a kill follows, the next attempt finds the
        old name in our store, and each move may be repeated.
        """
        links, directory = self._tools.links, self._tools.directory
        await links.move(resource, delivery.renamed_from, delivery.external_id, hub_id)
        for member, children in delivery.children.items():
            child_resource = directory.child(delivery.route, member)
            for child in children:
                if child.hub_id:
                    before = delivery.renamed_from + child.external_id.removeprefix(delivery.external_id)
                    with suppress(RecordNotFound):  # the update finds out what became of it
                        await links.move(child_resource, before, child.external_id, child.hub_id)

    async def _send_known(self, delivery: Delivery, resource: Resource, hub_id: str) -> Acknowledged:
        try:
            if delivery.renamed_from:
                await self._rename(delivery, resource, hub_id)
            if delivery.revive and not delivery.route.inactive:
                return await self._activity.revive(delivery, resource, hub_id)
            return await self._writer.update(delivery, resource, hub_id)
        except (RecordNotFound, BareNotFound) as gone:
            return await self._find_again(delivery, resource, hub_id, gone)

    async def _send_unknown(self, delivery: Delivery, resource: Resource) -> Acknowledged:
        linked = await self._tools.links.lookup(resource, delivery.external_id)
        if linked is None:
            return await self._former.adopt(delivery, resource) or await self._create(delivery, resource)
        if linked.inactive:
            return await self._activity.revive(delivery, resource, linked.hub_id)
        try:
            return await self._update_found(delivery, resource, linked.hub_id)
        except RecordNotFound:
            return await self._update_with_present_children(delivery, resource, linked.hub_id)

    async def _update_found(self, delivery: Delivery, resource: Resource, hub_id: str) -> Acknowledged:
        """Update a record that only the hub links, carefully where another system owns it.

        Orders that the vendor's integration brought from the shop into P21 are linked so: the shop's own, never ours.
        """
        if not resource.owner_member:
            return await self._writer.update_found(delivery, resource, hub_id)
        record = await self._tools.finder.read(resource, hub_id)
        if record is None or not self._tools.finder.is_others(resource, record):
            return await self._writer.update_found(delivery, resource, hub_id, record)
        self._writer.check_type(delivery, resource, record)
        return replace(await self._born.update(delivery, resource, hub_id), born=True)

    async def _find_again(self, delivery: Delivery, resource: Resource, hub_id: str, gone: P21dError) -> Acknowledged:
        """Go on after a 404 for a known id: the record has moved or has gone, or what it points to has."""
        links = self._tools.links
        if isinstance(gone, BareNotFound) and not await links.finds_others(
            resource, delivery.external_id, delivery.witnesses
        ):
            raise gone
        linked = await links.lookup(resource, delivery.external_id)
        if linked is None:
            return await self._create(delivery, resource)
        if linked.inactive:
            return await self._activity.revive(delivery, resource, linked.hub_id)
        if linked.hub_id != hub_id:
            return await self._update_found(delivery, resource, linked.hub_id)
        return await self._update_with_present_children(delivery, resource, hub_id)

    async def _update_with_present_children(self, delivery: Delivery, resource: Resource, hub_id: str) -> Acknowledged:
        """Update once more with the ids of children that are really there; what is still missing is a parent."""
        record = await self._present(delivery, resource, hub_id)
        if record is None:
            raise RecordFailed(
                f"hub: the link of {delivery.external_id!r} points to record {hub_id}, which does not exist",
                code="link-dangling",
                hint="remove that external id in the hub",
            )
        ids = self._tools.acknowledgement.child_ids_in(delivery, resource, record)
        try:
            return await self._writer.update(delivery, resource, hub_id, ids)
        except RecordNotFound as missing:
            raise ParentMissing(missing.message, code=missing.code) from missing

    async def _present(self, delivery: Delivery, resource: Resource, hub_id: str) -> dict[str, Any] | None:
        try:
            return await self._writer.read(delivery, resource, hub_id)
        except BareNotFound:
            if not await self._tools.links.finds_others(resource, delivery.external_id, delivery.witnesses):
                raise
            return None

    async def _create(self, delivery: Delivery, resource: Resource) -> Acknowledged:
        body = self._tools.bodies.build(delivery, resource, {})
        matched = await self._collision.match_first(delivery, resource, body)
        if matched is not None:
            return matched
        unlinked = await self._tools.nested.unlinked(delivery, resource, body)
        if unlinked:
            return await self._writer.update(delivery, resource, unlinked)
        try:
            record = await self._writer.post(delivery, resource, body)
        except Duplicate as duplicate:
            return await self._collision.settle(delivery, resource, body, duplicate)
        hub_id = id_text(record.get("id")) if record else ""
        if not hub_id:
            linked = await self._tools.links.lookup(resource, delivery.external_id)
            if linked is None:
                message = f"hub: POST {resource.name} for {delivery.external_id} is answered without an id"
                raise RecordFailed(message, code="not-confirmed", hint="the next attempt looks it up again")
            hub_id = linked.hub_id
        return await self._tools.acknowledgement.of(delivery, resource, hub_id, record, {})


def _gone(delivery: Delivery, words: str) -> RecordRefused:
    return RecordRefused(
        f"hub: the record of {delivery.external_id} came from the hub, which {words}",
        code="gone-in-hub",
        hint="p21d makes no second one; link the hub's record to it again, then replay",
    )
