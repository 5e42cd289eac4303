"""Builds what is sent: members under the hub's names, parents' and children's ids, our external ids nested.

Members without a value are left out, as the vendor's clients do; an empty text is sent, for it clears (facts 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from p21d.sinks.ipaas.directory import CUSTOM_FIELD, Directory
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.port import Delivery

ChildIds = Mapping[tuple[str, str], str]
"""(member, external id of the child) -> its id in the hub."""

_NOT_RESENT = frozenset({"external_ids", "extension_fields", "tracking_guid"})
"""Links are kept by calls of their own, and one of a subscription that is gone would be refused; the rest is answer."""


class Bodies:
    """Builds request bodies for one system id."""

    def __init__(self, options: IpaasOptions, directory: Directory) -> None:
        self._system_id = options.system_id
        self._as_numbers = options.write.ids_as_numbers
        self._directory = directory

    def build(
        self, delivery: Delivery, resource: Resource, child_ids: ChildIds, *, link: bool = True
    ) -> dict[str, Any]:
        """Return the whole body; without `link` our external id of the record itself is not sent."""
        parents = {member: self._id(hub_id) for member, hub_id in delivery.parents.items() if member}
        body = self._named(resource, {**delivery.body, **parents})
        if resource.owner_member:
            body.setdefault(resource.owner_member, self._system_id)
        for member in delivery.children:
            name = self._directory.member(resource, member)
            if name:
                body[name] = self._children(delivery, member, child_ids)
        if link:
            body["external_ids"] = [self._link(delivery.external_id)]
        return body

    def resent(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record of the hub as it may be sent back unchanged, children with their ids; nulls are left out."""
        told = ((name, value) for name, value in record.items() if value is not None and name not in _NOT_RESENT)
        return {name: self._resent(name, value) for name, value in told}

    def _resent(self, name: str, value: Any) -> Any:
        if name == "custom_fields" and isinstance(value, list):  # one without a value is refused (VALD-1015)
            value = [item for item in value if not isinstance(item, dict) or item.get("value")]
        if isinstance(value, list):
            return [self.resent(item) if isinstance(item, dict) else item for item in value]
        if isinstance(value, str) and (name == "id" or name.endswith("_id")):
            return self._id(value)
        return _without_nulls(value)

    def _children(self, delivery: Delivery, member: str, child_ids: ChildIds) -> list[dict[str, Any]]:
        resource = self._directory.child(delivery.route, member)
        built = []
        for child in delivery.children[member]:
            hub_id = child_ids.get((member, child.external_id))
            body: dict[str, Any] = {"id": self._id(hub_id)} if hub_id else {}
            body |= self._named(resource, child.body)
            body["external_ids"] = [self._link(child.external_id)]
            built.append(body)
        return built

    def _named(self, resource: Resource, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members under the hub's names, those it keeps as custom fields among the latter."""
        named = {self._directory.member(resource, member): value for member, value in body.items()}
        plain = {name: value for name, value in named.items() if name and value is not None}
        custom = {name: plain.pop(name) for name in list(plain) if name.startswith(CUSTOM_FIELD)}
        fields = [
            {"custom_field_name": name.removeprefix(CUSTOM_FIELD), "value": str(value)}
            for name, value in custom.items()
            if str(value)
        ]
        return {**plain, "custom_fields": [*plain.get("custom_fields", ()), *fields]} if fields else plain

    def _link(self, external_id: str) -> dict[str, Any]:
        return {"system_id": self._system_id, "external_id": external_id}

    def _id(self, hub_id: str) -> int | str:
        """Return an id as a number when it is all digits and fits 64 bits (facts 3, A15461508)."""
        small = hub_id.isascii() and hub_id.isdigit() and len(hub_id) <= 18 and not hub_id.startswith("0")
        return int(hub_id) if self._as_numbers and small else hub_id


def _without_nulls(value: Any) -> Any:
    return {name: item for name, item in value.items() if item is not None} if isinstance(value, dict) else value


def known_child_ids(delivery: Delivery) -> ChildIds:
    """Return the children's ids that the delivery brings."""
    return {
        (member, child.external_id): child.hub_id
        for member, children in delivery.children.items()
        for child in children
        if child.hub_id
    }


def has_new_children(delivery: Delivery, child_ids: ChildIds) -> bool:
    """Tell whether a child's id is not known yet."""
    return any(
        (member, child.external_id) not in child_ids
        for member, children in delivery.children.items()
        for child in children
    )


def same(sent: object, found: object) -> bool:
    """Tell whether two values of a member mean the same: as number or text, without case and outer blanks."""
    if isinstance(sent, bool) or isinstance(found, bool):
        return sent is found
    return _comparable(sent) == _comparable(found)


def _comparable(value: object) -> object:
    if isinstance(value, int | float | Decimal):
        return format(Decimal(str(value)).normalize(), "f")
    return value.strip().casefold() if isinstance(value, str) else value
