"""A plan: an entity together with its settings, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from p21d.config import EntityConfig
from p21d.keys import key_text, match_text
from p21d.mapping import Fields
from p21d.order import OrderMark
from p21d.plugin import Entity, Row
from p21d.prophet21.reading import Reading


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """One entity as it runs: what to read, how to name its records, and which plug-in says so.

    `content` changes with the plug-in's file; `has_children` is true when records of another entity may wait for this
    one's.
    """

    entity: Entity[Any]
    settings: EntityConfig
    reading: Reading[Any]
    plugin: str
    content: str = ""
    fields: Fields = field(default_factory=Fields)
    has_children: bool = False
    mark: Callable[[Any], OrderMark] | None = None
    """By what a row is recognised as an order that was written for the sink; None where orders come back otherwise."""

    @property
    def name(self) -> str:
        """Return the entity's name."""
        return self.entity.name

    @cached_property
    def template(self) -> str:
        """Return the external-id template, the configured one before the plug-in's."""
        return self.settings.external_id or self.entity.external_id

    @property
    def signature(self) -> str:
        """Return a text that changes when a window's key reached no longer fits what is read."""
        reading = self.reading
        select = reading.columns.select
        parts = (reading.surface, reading.table, select, reading.page_by, reading.filter, reading.modified)
        return blake2b(repr(parts).encode(), digest_size=8).hexdigest()

    @property
    def mapping(self) -> str:
        """Return a text that changes when the same rows may become other records, or other rows are read."""
        settings, select = self.settings, self.reading.columns.select
        parts = (self.reading.filter, select, settings.fields, settings.options, self.template, self.content)
        return blake2b(repr(parts).encode(), digest_size=8).hexdigest()

    @property
    def full_sweep_seconds(self) -> float:
        """Return the time between backfills, the configured one before the plug-in's; 0 for none."""
        configured = self.settings.full_sweep_interval
        return self.entity.full_sweep_seconds if configured is None else configured

    def external_id_of(self, values: Mapping[str, object]) -> str:
        """Return the external id for these values; raises KeyError for a template that asks for another."""
        return self.template.format_map({name: match_text(value) for name, value in values.items()})

    @cached_property
    def _key(self) -> Callable[[Row], tuple[object, ...]]:
        return self.reading.columns.getter(self.entity.key)

    @cached_property
    def _page_key(self) -> Callable[[Row], tuple[object, ...]] | None:
        """Take what a row is paged by, None where that is its key."""
        same = tuple(self.reading.page_by) == tuple(self.entity.key)
        return None if same else self.reading.columns.getter(self.reading.page_by)

    def key_of(self, row: Row) -> str:
        """Return the key of a row as text."""
        return key_text(self._key(row))

    def keys_of(self, row: Row) -> tuple[str, str]:
        """Return the key of a row and the columns it was paged by, both as text."""
        key = self.key_of(row)
        return key, key_text(self._page_key(row)) if self._page_key is not None else key


def content_of(plugin: str) -> str:
    """Return a hash of a plug-in's file; for one of a package its origin, which names the version."""
    file = Path(plugin)
    return blake2b(file.read_bytes(), digest_size=8).hexdigest() if file.is_file() else plugin
