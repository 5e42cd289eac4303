"""What is read of one table: the columns, the key, and the filter that never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from p21d.keys import key_parts
from p21d.plugin import Entity, Related, Trigger
from p21d.prophet21.columns import Columns, Kind, columns_of
from p21d.prophet21.odata import MAX_URL_CHARS, after, all_of, any_of, encoded_length, query_url
from p21d.row import Row

R = TypeVar("R", bound=Row)

LONG_VALUE = "'" + 40 * "0" + "'"
"""Room kept for a value of the key in the URL of a second page."""


@dataclass(frozen=True, kw_only=True)
class Reading(Generic[R]):
    """One table or view as p21d reads it.

    `key` is the row's identity, `page_by` what it is paged by, `modified` the column windows are cut by (may be empty),
    `filter` holds in every request; `unique` False says that keys may repeat. Raises ConfigError where the Row lacks a
    column of the key.
    """

    table: str
    row: type[R]
    key: tuple[str, ...]
    page_by: tuple[str, ...]
    surface: str = "table"
    modified: str = ""
    filter: str = ""
    company: str = ""
    unique: bool = True

    def __post_init__(self) -> None:
        self.columns.need((*self.key, *self.page_by), table=self.table)

    @classmethod
    def of_entity(cls, entity: Entity[R], companies: Sequence[str] = (), extra_filter: str = "") -> Reading[R]:
        """Return how an entity is read: its own filter, the operator's, and the configured companies."""
        columns = columns_of(entity.row)
        named = any_of(f"{entity.company} eq {columns.literal(entity.company, company)}" for company in companies)
        return cls(
            table=entity.table,
            row=entity.row,
            key=entity.key,
            page_by=entity.page_by or entity.key,
            surface=entity.surface,
            modified=entity.modified,
            filter=all_of([entity.filter, extra_filter, named if entity.company else ""]),
            company=entity.company,
        )

    @classmethod
    def of_related(cls, related: Related[R]) -> Reading[R]:
        """Return how a related table is read."""
        reading = cls(
            table=related.table,
            row=related.row,
            key=related.key,
            page_by=related.key,
            surface=related.surface,
            filter=related.filter,
            unique=related.unique,
        )
        reading.columns.need(related.match, table=related.table)
        return reading

    @classmethod
    def of_trigger(cls, trigger: Trigger, entity: Entity[Any]) -> Reading[Row]:
        """Return how a trigger's table is read: its key, its stamp and the columns that lead up to the parent.

        A trigger declares no Row, so its values keep the type in which P21 prints them.
        """
        upward = trigger.hops[0].match.values() if trigger.hops else entity.key
        names = dict.fromkeys([*trigger.key, *upward, *([trigger.modified] if trigger.modified else [])])
        fields: list[tuple[str, Any, Any]] = [(name, int | str | None, None) for name in names]
        row = msgspec.defstruct(f"{trigger.table}_trigger", fields, bases=(Row,), frozen=True, kw_only=True)
        return Reading(
            table=trigger.table,
            row=row,  # type: ignore[arg-type]  # defstruct is typed as a plain Struct
            key=trigger.key,
            page_by=trigger.key,
            modified=trigger.modified,
        )

    @cached_property
    def columns(self) -> Columns:
        """Return the columns of the Row."""
        return columns_of(self.row)

    @property
    def text_key(self) -> bool:
        """Return whether the order of keys is P21's collation, which nobody but P21 knows."""
        return any(self.columns.kind(column) is not Kind.NUMBER for column in self.page_by)

    @property
    def path(self) -> str:
        """Return the path of the table, without query."""
        return f"/odataservice/odata/{self.surface}/{self.table}"

    def url(
        self,
        *conditions: str,
        top: int,
        after_key: Sequence[Any] | None = None,
        skip: int = 0,
        count: bool = False,
        descending: bool = False,
    ) -> str:
        """Return the request for one page: the fixed filter, these conditions, and keys after `after_key`."""
        return query_url(
            self.path,
            select=self.columns.select,
            filter_text=all_of([self.filter, *conditions, self.after(after_key) if after_key else ""]),
            order_by=[f"{column} desc" for column in self.page_by] if descending else self.page_by,
            top=top,
            skip=skip,
            count=count,
        )

    def after(self, key: Sequence[Any]) -> str:
        """Return the condition for keys after this one."""
        literals = [self.columns.literal_of(column, part) for column, part in zip(self.page_by, key, strict=True)]
        return after(self.page_by, literals)

    def up_to(self, key: Sequence[Any] | None) -> str:
        """Return the condition for keys up to this one, of one column; empty without one."""
        if key is None:
            return ""
        (column,), (part,) = self.page_by, key
        return f"{column} le {self.columns.literal_of(column, part)}"

    def page_key(self, text: str) -> tuple[Any, ...] | None:
        """Return the page key that a key text stands for, None for the empty text."""
        if not text:
            return None
        parts = zip(self.page_by, key_parts(text), strict=True)
        return tuple(self.columns.convert(column, part) for column, part in parts)

    def since(self, low: str | None) -> str:
        """Return the condition for rows modified at or after a literal; empty without one."""
        return f"{self.modified} ge {low}" if low and self.modified else ""

    def room(self, top: int) -> int:
        """Return how many encoded characters of one URL an or-chain may take, its second page included."""
        longest = after(self.page_by, [LONG_VALUE] * len(self.page_by))
        fixed = self.url("()", f"{longest}", top=top)
        return MAX_URL_CHARS - encoded_length(fixed)
