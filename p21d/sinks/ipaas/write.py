"""Writes one record by POST or PUT and reads the echo; which of the two, and when, is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from p21d.errors import ParentMissing, RecordRefused
from p21d.sinks.ipaas.acknowledge import Acknowledgement
from p21d.sinks.ipaas.answers import id_text
from p21d.sinks.ipaas.bodies import Bodies, ChildIds, has_new_children, known_child_ids, same
from p21d.sinks.ipaas.calls import Call, Calls
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.echo import record_in
from p21d.sinks.ipaas.finder import Finder
from p21d.sinks.ipaas.links import Links
from p21d.sinks.ipaas.nested import Nested
from p21d.sinks.ipaas.references import make_explained
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import BareNotFound, CallUnknown, RecordNotFound, Subject
from p21d.sinks.port import Acknowledged, Delivery


@dataclass(frozen=True, slots=True)
class Tools:
    """What writing a record needs."""

    calls: Calls
    directory: Directory
    bodies: Bodies
    links: Links
    finder: Finder
    acknowledgement: Acknowledgement
    nested: Nested


class Writer:
    """Writes records."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def put(
        self, delivery: Delivery, resource: Resource, hub_id: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        """PUT a body and return the record as the hub echoes it, None where it says nothing."""
        nested = self._tools.nested
        if nested.applies(resource):
            return await nested.write(delivery, resource, body, hub_id)
        subject = Subject(resource, "Edit", f"PUT {resource.name} {hub_id} for {delivery.external_id}")
        try:
            answer = await make_explained(
                self._tools.calls, Call("PUT", self._tools.directory.record_url(resource, hub_id), subject, body)
            )
        except (BareNotFound, CallUnknown):
            # the record is there, so it is this call that is not
            if not resource.inside or await nested.read(delivery, resource, hub_id) is None:
                raise
            nested.begin(resource)
            return await nested.write(delivery, resource, body, hub_id)
        return record_in(answer, body, subject.doing, hub_id)

    async def post(self, delivery: Delivery, resource: Resource, body: dict[str, Any]) -> dict[str, Any] | None:
        """POST a body, under its parent where the route says so, and return the echo; raises ParentMissing."""
        under = delivery.route.under
        parent_id = delivery.parents.get(under, "") if under else ""
        if under and not parent_id:
            raise RecordRefused(f"hub: {delivery.external_id} has no parent {under!r}", code="no-parent")
        nested = self._tools.nested
        if nested.applies(resource):
            return await nested.write(delivery, resource, body)
        subject = Subject(resource, "Create", f"POST {resource.name} for {delivery.external_id}")
        url = self._tools.directory.create_url(resource, parent_id)
        try:
            answer = await make_explained(self._tools.calls, Call("POST", url, subject, body))
        except RecordNotFound as missing:
            raise ParentMissing(missing.message, code=missing.code) from missing
        except (BareNotFound, CallUnknown) as missing:
            if await nested.has_parent(delivery, resource):
                nested.begin(resource)
                return await nested.write(delivery, resource, body)
            known = isinstance(missing, BareNotFound) and under
            if known and await self._tools.links.finds_others(resource, delivery.external_id, delivery.witnesses):
                raise ParentMissing(missing.message, code="HTTP-404") from missing
            raise
        return record_in(answer, body, subject.doing)

    async def read(self, delivery: Delivery, resource: Resource, hub_id: str) -> dict[str, Any] | None:
        """Return a record as the hub shows it, inside its parent where that is the place; None where it is not."""
        if resource.inside:
            return await self._tools.nested.read(delivery, resource, hub_id)
        return await self._tools.finder.read(resource, hub_id)

    async def update(
        self,
        delivery: Delivery,
        resource: Resource,
        hub_id: str,
        child_ids: ChildIds | None = None,
        *,
        link: bool = True,
    ) -> Acknowledged:
        """PUT all members, and all children with their ids; without `child_ids` those known and those in the hub.

        A child that is sent without an id is made, a second time where its link was lost: hence the look before.
        """
        ids = known_child_ids(delivery) if child_ids is None else child_ids
        if child_ids is None and has_new_children(delivery, ids):
            shown = await self._tools.finder.read(resource, hub_id) or {}
            ids = {**ids, **self._tools.acknowledgement.child_ids_in(delivery, resource, shown)}
        body = self._tools.bodies.build(delivery, resource, ids, link=link)
        record = await self.put(delivery, resource, hub_id, body)
        return await self._tools.acknowledgement.of(delivery, resource, hub_id, record, ids, link=link)

    async def update_found(
        self, delivery: Delivery, resource: Resource, hub_id: str, record: dict[str, Any] | None = None
    ) -> Acknowledged:
        """Update a record whose link only the hub knew; its type and its children's ids are read first, if need be."""
        ids = known_child_ids(delivery)
        if resource.typed or has_new_children(delivery, ids):
            record = record or await self._tools.finder.read(resource, hub_id) or {}
            self.check_type(delivery, resource, record)
            ids = {**ids, **self._tools.acknowledgement.child_ids_in(delivery, resource, record)}
        return await self.update(delivery, resource, hub_id, ids)

    def check_type(self, delivery: Delivery, resource: Resource, record: dict[str, Any]) -> None:
        """Refuse to write an order over an invoice of the same number, which stand in one link table (facts 7)."""
        told, sent = record.get("type"), delivery.body.get("type")
        ours = delivery.route.types if sent is None else (sent,)
        if resource.typed and told is not None and ours and not any(same(one, told) for one in ours):
            raise RecordRefused(
                f"hub: {delivery.external_id!r} in table {resource.link_table!r} is record {id_text(record.get('id'))} "
                f"of type {told}; {delivery.entity} {delivery.key} is of type {' or '.join(map(str, ours))}",
                code="other-type",
                hint=f"P21's numbers can be equal: give entities.{delivery.entity}.external_id, or that of the other "
                "entity, a prefix",
            )
