"""What happens when a create meets a record that exists: the four forms of the vendor (facts 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from p21d.errors import RecordRefused
from p21d.sinks.ipaas.answers import id_text
from p21d.sinks.ipaas.bodies import same
from p21d.sinks.ipaas.echo import Item
from p21d.sinks.ipaas.inactive import Activity, refusal
from p21d.sinks.ipaas.options import CollisionForm
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import Duplicate, InactiveTwin
from p21d.sinks.ipaas.write import Tools, Writer
from p21d.sinks.port import Acknowledged, Delivery


@dataclass(frozen=True, slots=True)
class CollisionRule:
    """An entity's `collision` and `match_first`."""

    form: CollisionForm = "update_and_link"
    match_first: bool = False


class Collision:
    """Settles collisions by each entity's rule."""

    def __init__(
        self,
        tools: Tools,
        writer: Writer,
        activity: Activity,
        rules: Mapping[str, CollisionRule],
        default_rule: CollisionRule,
    ) -> None:
        self._tools = tools
        self._writer = writer
        self._activity = activity
        self._rules = rules
        self._default_rule = default_rule

    async def match_first(self, delivery: Delivery, resource: Resource, body: dict[str, Any]) -> Acknowledged | None:
        """Take over an existing record before any create, where the rule wants that and there is one."""
        if not self._rule(delivery).match_first:
            return None
        record = await self._tools.finder.by_natural_key(delivery, resource, body)
        return None if record is None else await self._take_over(delivery, resource, body, record)

    async def settle(
        self, delivery: Delivery, resource: Resource, body: dict[str, Any], duplicate: Duplicate
    ) -> Acknowledged:
        """Go on after a create was refused because a value or an external id is taken."""
        if isinstance(duplicate, InactiveTwin):
            if delivery.revive and duplicate.holder_id:
                return await self._activity.revive(delivery, resource, duplicate.holder_id)
            raise refusal(delivery, duplicate.holder_id) from duplicate
        if duplicate.code == "BIZL-1003" or "external id" in duplicate.message.casefold():
            # Linked since the look-up: by an attempt whose answer was lost, or by a person.
            linked = await self._tools.links.lookup(resource, delivery.external_id)
            if linked is None or linked.inactive:
                raise duplicate
            await self._check_owner(delivery, resource, body, linked.hub_id, duplicate)
            return await self._writer.update_found(delivery, resource, linked.hub_id)
        record = await self._tools.finder.holder(delivery, resource, body, duplicate)
        return await self._take_over(delivery, resource, body, record)

    async def _check_owner(
        self, delivery: Delivery, resource: Resource, body: Item, hub_id: str, duplicate: Duplicate
    ) -> None:
        """Refuse a record that has our external id but neither our type nor our natural key."""
        record = await self._writer.read(delivery, resource, hub_id)
        obstacle = self._tools.finder.obstacle(delivery, body, record or {})
        if record is None or obstacle or not self._tools.finder.fits(delivery, record):
            raise RecordRefused(
                f"{duplicate.message}; record {hub_id} has that external id and is {obstacle or 'another one'}",
                code=duplicate.code,
                hint="correct the external ids of that record in the hub",
            )

    async def _take_over(
        self, delivery: Delivery, resource: Resource, body: dict[str, Any], record: dict[str, Any]
    ) -> Acknowledged:
        form, hub_id = self._rule(delivery).form, id_text(record.get("id"))
        if form == "error" and not _is_ours(body, record):
            raise RecordRefused(
                f"hub: record {hub_id} of {resource.name} has the natural key of {delivery.external_id} already",
                code="collision",
                hint="link it in the hub, or set collision to update_and_link",
            )
        if form == "remap_and_link":
            await self._tools.links.update(resource, delivery.external_id, hub_id)
        ids = self._tools.acknowledgement.child_ids_in(delivery, resource, record)
        return await self._writer.update(delivery, resource, hub_id, ids, link=form != "update_and_no_link")

    def _rule(self, delivery: Delivery) -> CollisionRule:
        return self._rules.get(delivery.entity, self._default_rule)


def _is_ours(body: Item, record: Item) -> bool:
    """Tell whether a record is word for word what we send: made by an attempt of ours whose link was lost.

    One that any system has linked was made by that one.
    """
    told = [name for name, value in body.items() if isinstance(value, str | int | float | Decimal)]
    return not record.get("external_ids") and all(same(body[name], record.get(name)) for name in told)
