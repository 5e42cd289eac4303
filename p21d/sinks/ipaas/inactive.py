"""Makes records inactive and brings them back; the hub deletes nothing for good (facts 3.1).

Invariant: a record that somebody else made inactive stays so.
"""

from __future__ import annotations

from msgspec.structs import replace

from p21d.errors import RecordRefused
from p21d.sinks.ipaas.calls import Call
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import BareNotFound, CallUnknown, InactiveTwin, RecordNotFound, Subject
from p21d.sinks.ipaas.write import Tools, Writer
from p21d.sinks.port import Acknowledged, Delivery, Link


class Activity:
    """Switches records off and on."""

    def __init__(self, tools: Tools, writer: Writer) -> None:
        self._tools = tools
        self._writer = writer

    async def deactivate(self, delivery: Delivery, resource: Resource) -> Acknowledged:
        """Make a record inactive; one that is gone, or never was there, is done."""
        hub_id = delivery.hub_id
        if hub_id is None:
            linked = await self._tools.links.lookup(resource, delivery.external_id)
            if linked is None:
                return Acknowledged(warning=f"{delivery.external_id} was not in the hub")
            if linked.inactive:
                return _acknowledged(delivery, resource, linked.hub_id)
            if not await self._is_of_our_type(delivery, resource, linked.hub_id):
                words = f"record {linked.hub_id} may be of another kind than {delivery.external_id}, and was left alone"
                return Acknowledged(warning=words)
            hub_id = linked.hub_id
        try:
            await self._switch_off(delivery, resource, hub_id)
        except RecordNotFound:
            pass
        except (BareNotFound, CallUnknown) as missing:
            if isinstance(missing, CallUnknown) and not resource.inside:
                raise
            if not await self._tools.links.finds_others(resource, delivery.external_id, delivery.witnesses):
                raise
            if resource.inside:  # it may be the call that is not there, and not the record
                warning = f"the hub has no call to remove {delivery.external_id}, and may still show it"
                return replace(_acknowledged(delivery, resource, hub_id), warning=warning)
        return _acknowledged(delivery, resource, hub_id)

    async def revive(self, delivery: Delivery, resource: Resource, hub_id: str) -> Acknowledged:
        """Bring back a record that p21d itself made inactive: by PUT, the documented way, else by the hub's own call.

        Raises RecordRefused where somebody else made it inactive.
        """
        if not delivery.revive:
            raise refusal(delivery, hub_id)
        try:
            done = await self._writer.update(delivery, resource, hub_id)
        except (RecordNotFound, InactiveTwin):
            await self._reactivate(delivery, resource, hub_id)
            return await self._writer.update(delivery, resource, hub_id)
        linked = await self._tools.links.lookup(resource, delivery.external_id)
        if linked is not None and linked.inactive:
            await self._reactivate(delivery, resource, hub_id)
        return done

    async def _is_of_our_type(self, delivery: Delivery, resource: Resource, hub_id: str) -> bool:
        """Tell whether a record that only the hub links is surely of our type; raises RecordRefused where it is not."""
        if not resource.typed:
            return True
        if "type" not in delivery.body and not delivery.route.types:
            return False
        record = await self._tools.finder.read(resource, hub_id)
        self._writer.check_type(delivery, resource, record or {})
        return True

    async def _switch_off(self, delivery: Delivery, resource: Resource, hub_id: str) -> None:
        if delivery.route.inactive:
            try:
                marked = replace(delivery, body={**delivery.body, **delivery.route.inactive})
                await self._writer.update(marked, resource, hub_id)
            except RecordNotFound:
                raise
            except RecordRefused:
                if delivery.body:
                    raise
                # of a record that its row has no more nothing else is known, and the hub wants more than that
            else:
                return
        subject = Subject(resource, "Edit", f"DELETE {resource.name} {hub_id} for {delivery.external_id}")
        await self._tools.calls.make(Call("DELETE", self._tools.directory.record_url(resource, hub_id), subject))

    async def _reactivate(self, delivery: Delivery, resource: Resource, hub_id: str) -> None:
        subject = Subject(resource, "Edit", f"reactivation of {resource.name} {hub_id} for {delivery.external_id}")
        await self._tools.calls.make(Call("PUT", self._tools.directory.reactivate_url(resource, hub_id), subject))


def refusal(delivery: Delivery, hub_id: str) -> RecordRefused:
    """Return the refusal of a record that is inactive in the hub and was not made so by p21d."""
    which = f"record {hub_id}" if hub_id else "the record"
    return RecordRefused(
        f"hub: {which} of {delivery.external_id} is inactive there, and p21d did not make it so",
        code="inactive-in-hub",
        hint="reactivate it in the hub, then replay; or leave it",
    )


def _acknowledged(delivery: Delivery, resource: Resource, hub_id: str) -> Acknowledged:
    return Acknowledged(hub_id=hub_id, links=(Link(resource.link_table, delivery.external_id, hub_id),))
