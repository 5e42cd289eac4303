"""Everything a plug-in author imports, and nothing else.

A plug-in is one file without I/O. It declares what to read in Prophet 21 (a `Row`, a table, keys, related tables),
what to send (`records`, `parents`) and how the sink knows it (a `Route`). The core does all the rest and names no
entity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

import pluggy

from p21d.address import Address, complete_address, hub_address, split_name
from p21d.row import P21Time, Row, clean

__all__ = [
    "Address",
    "Child",
    "Decimal",
    "DeleteConvention",
    "Entity",
    "P21Time",
    "Parent",
    "Record",
    "Related",
    "RelatedRows",
    "Route",
    "Row",
    "Skip",
    "Trigger",
    "clean",
    "complete_address",
    "hookimpl",
    "hub_address",
    "number",
    "present",
    "split_name",
    "yes",
]

hookspec = pluggy.HookspecMarker("p21d")
hookimpl = pluggy.HookimplMarker("p21d")

R = TypeVar("R", bound=Row)
P = TypeVar("P", bound=Row)


class DeleteConvention(Enum):
    """How a table says that a row is deleted (facts 4.1)."""

    NONE = "none"
    DELETE_FLAG = "delete_flag"  # 'Y'
    ROW_STATUS_FLAG = "row_status_flag"  # 700
    ROW_STATUS = "row_status"  # 700


@dataclass(frozen=True, kw_only=True, eq=False)
class Related(Generic[R]):
    """A child or look-up table that the core reads for a page of parents.

    `match` maps a column of this table to a column of the parent row, or of the related table named by `of`.
    `key` is this table's own identity, by which its answers are paged.
    """

    table: str
    row: type[R]
    key: tuple[str, ...]
    match: Mapping[str, str]
    of: Related[Any] | None = None
    filter: str = ""
    surface: str = "table"
    optional: bool = False
    """A site may lack this table, or the account its permission: then it reads as empty."""


class RelatedRows(Protocol):
    """The related rows of one page."""

    def rows(self, related: Related[R], parent: Row) -> Sequence[R]:
        """Return the rows of `related` that belong to `parent`, in key order."""
        ...

    def first(self, related: Related[R], parent: Row) -> R | None:
        """Return the first of them, None where there is none."""
        ...


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A related table whose change means that the parent must be read again.

    `hops` lead up: the first matches the columns of the changed row, each further one those of the hop before it; the
    last one's rows hold the entity's key. Without hops the changed row holds it itself.
    """

    table: str
    key: tuple[str, ...]
    """Unique, and what the table is paged by."""
    hops: Sequence[Related[Any]] = ()
    modified: str = "date_last_modified"
    name: str = ""
    """Needed only where two triggers of an entity lead up over the same tables."""


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
    children.
    """

    external_id: Mapping[str, object]
    body: Mapping[str, Any]
    children: Mapping[str, Sequence[Child]] = field(default_factory=dict)


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
    family: str = ""
    path: str = ""
    link_table: str = ""


def present(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that have a value; a null is left out, as the hub's own clients do (facts 3).

    Write `clean(text)` for a member P21 owns, so that emptying it in P21 empties it in the hub, and `clean(text) or
    None` for one the hub may know better.
    """
    return {name: value for name, value in members.items() if value is not None}


def number(value: Decimal | None) -> Decimal | None:
    """Return an amount in one form only, so that 40, 40.000000000 and 4E+1 have one fingerprint; null stays null."""
    if value is None:
        return None
    return Decimal(format(value.normalize(), "f")) if value else Decimal(0)


def yes(flag: str | None) -> bool:
    """Return whether a P21 flag column says yes: `Y`, padded or not."""
    return clean(flag).upper() == "Y"


def no_parents(_row: Row, _related: RelatedRows) -> Sequence[Parent]:
    """Return no parents, for entities that stand alone."""
    return ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Entity(Generic[P]):
    """A kind of record: where it is read, what is sent, how the sink knows it.

    `external_id` is a template such as `{item_id}|{location_id}`, filled from `Record.external_id`; the configuration
    may replace it. `page_by` are the columns to page by when they are not the key.
    """

    name: str
    row: type[P]
    table: str
    key: tuple[str, ...]
    external_id: str
    records: Callable[[P, RelatedRows], Record | Sequence[Record] | Skip]
    route: Route
    parents: Callable[[P, RelatedRows], Sequence[Parent]] = no_parents
    parent_entities: tuple[str, ...] = ()
    """Names of the entities `parents` may name; needed to read them first and to refuse cycles."""
    optional_parents: tuple[str, ...] = ()
    """Those of them that `parents` names with `required=False` only; they alone may form a cycle."""
    page_by: tuple[str, ...] = ()
    modified: str = "date_last_modified"
    filter: str = ""
    company: str = ""
    """The company column; empty where the table has none."""
    external_id_values: tuple[str, ...] = ()
    """What `Record.external_id` holds beside the template's own values, for the templates of a configuration."""
    unique_without_company: bool = False
    """True where P21 gives no two companies one external id: location, contact and item ids, not customer ids."""
    deleted: DeleteConvention = DeleteConvention.DELETE_FLAG
    surface: str = "table"
    related: Sequence[Related[Any]] = ()
    triggers: Sequence[Trigger] = ()
    full_sweep_seconds: float = 7 * 86_400.0
    """How often every key is read whatever its stamp says, unless the configuration says otherwise."""


@hookspec
def p21d_entities() -> Iterable[Entity[Any]]:  # type: ignore[empty-body]  # a hookspec has no body
    """Return the entities of this plug-in."""
