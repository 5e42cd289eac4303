"""Everything a plug-in author imports, and nothing else.

A plug-in is one file without I/O. It declares what to read in Prophet 21 (a `Row`, a table, keys, related tables),
what to send (`records`, `parents`) and how the sink knows it (a `Route`). The core does all the rest and names no
entity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

from p21d.address import Address, complete_address, hub_address, split_name
from p21d.fulfilment import Progress, order_status
from p21d.hooks import hookimpl
from p21d.hub_lines import SortedLines, sort_lines
from p21d.options import Count, Options, field
from p21d.order import (
    Found,
    Held,
    HubAddress,
    HubLine,
    HubOrder,
    Order,
    OrderLine,
    OrderMapping,
    OrderMark,
    P21Customer,
    P21Item,
    P21Location,
    P21ShipTo,
)
from p21d.record import Child, Parent, Record, Route, Skip, present
from p21d.row import P21Time, Row, clean, number, shortened, yes
from p21d.sale import (
    CatalogueItem,
    SaleLine,
    SaleOptions,
    ShippingOptions,
    amount,
    in_catalogue,
    make_sale,
    printed_address,
    ratio,
    sale_address,
)
from p21d.ship_to import choose_ship_to

__all__ = [
    "Address",
    "CatalogueItem",
    "Child",
    "Count",
    "Decimal",
    "DeleteConvention",
    "Entity",
    "Found",
    "Held",
    "HubAddress",
    "HubLine",
    "HubOrder",
    "Options",
    "Order",
    "OrderLine",
    "OrderMapping",
    "OrderMark",
    "P21Customer",
    "P21Item",
    "P21Location",
    "P21ShipTo",
    "P21Time",
    "Parent",
    "Progress",
    "Record",
    "Related",
    "RelatedRows",
    "Route",
    "Row",
    "SaleLine",
    "SaleOptions",
    "ShippingOptions",
    "Skip",
    "SortedLines",
    "Trigger",
    "amount",
    "choose_ship_to",
    "clean",
    "complete_address",
    "field",
    "hookimpl",
    "hub_address",
    "in_catalogue",
    "make_sale",
    "number",
    "order_status",
    "present",
    "printed_address",
    "ratio",
    "sale_address",
    "shortened",
    "sort_lines",
    "split_name",
    "yes",
]

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
    unique: bool = True
    """False where no key of the table is known: `key` only orders its rows then, and may repeat."""


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
    options: type[Options] | None = None
    """What an operator may set under `entities.NAME.options`; this declaration is the entity with their defaults."""
    with_options: Callable[[Any], Entity[Any]] | None = None
    """Builds the entity for other options; raises ValueError, in words for the operator, where they do not fit."""
