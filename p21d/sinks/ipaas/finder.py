"""Finds a record of the hub that stands in the way of a create, and tells whether it may be taken over.

Invariant: a record of another type, or one that carries another external id of ours, is never taken over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from p21d.errors import RecordFailed, RecordRefused
from p21d.sinks.ipaas.answers import decoded, id_text
from p21d.sinks.ipaas.bodies import same
from p21d.sinks.ipaas.calls import Call, Calls
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.echo import Item, our_links
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import BareNotFound, Duplicate, RecordNotFound, Subject
from p21d.sinks.port import Delivery


class Finder:
    """Reads single records and finds them by natural key."""

    def __init__(self, calls: Calls, directory: Directory, system_id: int) -> None:
        self._calls = calls
        self._directory = directory
        self._system_id = system_id

    async def read(self, resource: Resource, hub_id: str) -> dict[str, Any] | None:
        """Return a record by its id, None where the hub says that there is none."""
        subject = Subject(resource, "View", f"GET {resource.name} {hub_id}")
        answer, error = await self._calls.ask(Call("GET", self._directory.record_url(resource, hub_id), subject))
        if isinstance(error, RecordNotFound):
            return None
        if error is not None:
            raise error
        record = decoded(answer)
        if not isinstance(record, dict) or id_text(record.get("id")) not in {hub_id, ""}:
            raise RecordFailed(f"hub: {subject.doing}: the answer is not that record", code="odd-answer")
        return record

    async def by_natural_key(self, delivery: Delivery, resource: Resource, body: Item) -> dict[str, Any] | None:
        """Return the one record that has the natural key and may be taken over, None where there is none.

        Raises RecordRefused where several may.
        """
        matches = [record for record in await self._listed(delivery, resource, body) if self.fits(delivery, record)]
        free = [record for record in matches if not self.obstacle(delivery, body, record)]
        if len(free) > 1:
            ids = ", ".join(id_text(record.get("id")) for record in free[:5])
            raise RecordRefused(
                f"hub: {len(free)} records of {resource.name} have the natural key of {delivery.external_id}: {ids}",
                code="ambiguous",
                hint="merge or deactivate all but one of them in the hub",
            )
        return free[0] if free else None

    async def holder(self, delivery: Delivery, resource: Resource, body: Item, duplicate: Duplicate) -> dict[str, Any]:
        """Return the record that a create met; raises the refusal where none is found that may be taken over."""
        if duplicate.holder_id:
            record = await self._named_holder(resource, duplicate.holder_id)
            if record is not None and self._holds(delivery, body, record, duplicate.message):
                obstacle = self.obstacle(delivery, body, record)
                if obstacle:
                    hint = "the two are told apart by type only; give one of them another number" * resource.typed
                    raise RecordRefused(f"{duplicate.message}; {obstacle}", code=duplicate.code, hint=hint)
                return record
        found = await self.by_natural_key(delivery, resource, body)
        if found is None:
            raise RecordRefused(
                duplicate.message,
                code=duplicate.code,
                hint="the record that has this value was not found, or is of another type or linked to another key",
            ) from duplicate
        return found

    def obstacle(self, delivery: Delivery, body: Item, record: Item) -> str:
        """Return why a record may not be taken over, '' where it may."""
        hub_id = id_text(record.get("id"))
        if "type" in body and "type" in record and not same(body["type"], record["type"]):
            return f"record {hub_id} of the hub is of another type ({record['type']}, not {body['type']})"
        if self.is_others(self._directory.resource(delivery.route), record):
            return f"record {hub_id} of the hub is another system's own"
        others = [link for link in our_links(record, self._system_id) or () if link != delivery.external_id]
        return f"record {hub_id} of the hub is linked to our {others[0]!r}" if others else ""

    def is_others(self, resource: Resource, record: Item) -> bool:
        """Tell whether another subscription owns a record, such as an order of the web shop."""
        owner = id_text(record.get(self._directory.member(resource, resource.owner_member)))
        return bool(resource.owner_member and owner) and owner != str(self._system_id)

    async def _named_holder(self, resource: Resource, hub_id: str) -> dict[str, Any] | None:
        try:
            return await self.read(resource, hub_id)
        except (BareNotFound, RecordRefused):  # the number in the text was no id of this kind
            return None

    async def _listed(self, delivery: Delivery, resource: Resource, body: Item) -> Sequence[dict[str, Any]]:
        route = delivery.route
        parent = delivery.parents.get(route.under, "") if route.under else ""
        value = body.get(self._directory.member(resource, route.natural_key)) if route.natural_key else None
        if not resource.list_path or not (parent or value):
            return ()
        url = self._directory.list_url(resource, field=route.natural_key, value=str(value), parent=parent)
        answer = await self._calls.make(Call("GET", url, Subject(resource, "View", f"list of {resource.name}")))
        records = [] if answer.status == 204 else decoded(answer)
        if not isinstance(records, list):
            raise RecordFailed(f"hub: the list of {resource.name} is not a list", code="odd-answer")
        return [record for record in records if isinstance(record, dict) and id_text(record.get("id"))]

    def fits(self, delivery: Delivery, record: Item) -> bool:
        """Tell whether a listed record really is of this natural key and parent; a hub may ignore the filter.

        Without a natural key the parents together are one: an inventory is its product and location.
        """
        route, whole = delivery.route, {**delivery.body, **delivery.parents}
        keys = {route.natural_key, route.under} if route.natural_key else set(delivery.parents)
        resource = self._directory.resource(route)
        wanted = {self._directory.member(resource, key): whole.get(key) for key in keys if key}
        return bool(wanted) and all(
            value is not None and same(value, record.get(member)) for member, value in wanted.items()
        )

    def _holds(self, delivery: Delivery, body: Item, record: Item, words: str) -> bool:
        """Tell whether the record named in a refusal has the value that it is about: the first id may be another's."""
        if self.fits(delivery, record):
            return True
        told = words.casefold()
        spelt = {member: (member.replace("_", " "), member.replace("_", "")) for member in body if member != "type"}
        named = [member for member, forms in spelt.items() if any(form in told for form in forms)]
        return any(member in record and same(body[member], record[member]) for member in named)
