"""What a plug-in makes of a row: records with their children and parents, and how the sink knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Skip:
    """Says that a row is not sent, and why; not an error."""

    reason: str


@dataclass(frozen=True, slots=True)
class Child:
    """A record inside a record: an address, a line, a unit. Its external id is the parent's, a bar, and `id`."""

    id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record as delivered.

    `external_id` holds the values for the entity's external-id template. `body` and the children's bodies are JSON-safe
    (text, numbers, Decimal, bool, None, lists and mappings of these). `children` maps a member of the route to its
    children. `former` are external ids, ready, under which another integration may have made the same record: it is
    looked for there too before it is created, and adopted where it agrees.
    """

    external_id: Mapping[str, object]
    body: Mapping[str, Any]
    children: Mapping[str, Sequence[Child]] = field(default_factory=dict)
    former: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A record that must be in the sink first (`required`), or whose id is sent once it is there.

    `key` is its key in P21, in the order of the parent entity's `key`, so that the core can read it at once;
    `external_id` are the values for the parent entity's template, so that its link can be found; its id in the sink
    goes into `member`.
    """

    entity: str
    key: tuple[object, ...]
    external_id: Mapping[str, object]
    member: str = ""
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class Route:
    """How the sink knows this kind of record.

    `resource` names the line of the sink's table of paths and link tables; `family`, `path` and `link_table` are
    needed only for a resource that table does not have.
    """

    resource: str
    types: Sequence[str] = ()
    """What the member `type` of its records may say, where several kinds of record share one link table of the sink."""
    natural_key: str = ""
    """The member by which an existing record is found when a create collides: `sku`, `email_address`, `name`."""
    children: Mapping[str, str] = field(default_factory=dict)
    """Member that holds children -> their resource: `{"addresses": "address"}`."""
    under: str = ""
    """The member with the parent's id that the create call also carries as `?id=`."""
    inactive: Mapping[str, Any] = field(default_factory=dict)
    """Members that make the record inactive; empty: the sink's own call for it."""
    inactive_children: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Member that holds children -> members that make such a child inactive, where the sink cannot remove it."""
    born: Sequence[str] = ()
    """Members that are still written on a record that the sink gave us and P21 took over; all others are the sink's."""
    born_children: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Member that holds children -> their members of that kind: `{"lines": ("qty_shipped",)}`."""
    family: str = ""
    path: str = ""
    link_table: str = ""


def present(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that have a value; a null is left out, as the hub's own clients do (facts 3).

    Write `clean(text)` for a member P21 owns, so that emptying it in P21 empties it in the hub, and `clean(text) or
    None` for one the hub may know better.
    """
    return {name: value for name, value in members.items() if value is not None}
