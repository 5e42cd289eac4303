"""Adopts a record that another integration made under its own form of external id, where it really is the same one."""

from __future__ import annotations

from p21d.sinks.ipaas.bodies import same
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import RecordNotFound
from p21d.sinks.ipaas.write import Tools, Writer
from p21d.sinks.port import Acknowledged, Delivery


class Former:
    """Looks a record up under the external ids that others may have given it."""

    def __init__(self, tools: Tools, writer: Writer) -> None:
        self._tools = tools
        self._writer = writer

    async def adopt(self, delivery: Delivery, resource: Resource) -> Acknowledged | None:
        """Take over the record whose natural key agrees and move its link; None where there is none.

        Two parcels may share a former id, which names one of them only: the other is left as it is.
        """
        for external_id in dict.fromkeys(delivery.former):
            hub_id = await self._agreeing(delivery, resource, external_id)
            if hub_id:
                await self._tools.links.move(resource, external_id, delivery.external_id, hub_id)
                return await self._writer.update_found(delivery, resource, hub_id)
        return None

    async def _agreeing(self, delivery: Delivery, resource: Resource, external_id: str) -> str:
        key = delivery.route.natural_key
        sent = delivery.body.get(key)
        if external_id == delivery.external_id or not sent:
            return ""
        linked = await self._tools.links.lookup(resource, external_id)
        if linked is None or linked.inactive:
            return ""
        try:
            record = await self._writer.read(delivery, resource, linked.hub_id)
        except RecordNotFound:
            return ""
        told = (record or {}).get(self._tools.directory.member(resource, key))
        return linked.hub_id if told is not None and same(sent, told) else ""
