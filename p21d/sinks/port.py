"""The sink port: what the engine asks of a place where records go.

A sink never decides a fate. It answers each delivery of a batch in order; it raises only for what concerns more than
one record (Unavailable, Unauthorized, Forbidden), after having answered those it has sent. Links it learned travel in
the answer, and the engine commits them together with the fate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec import Struct, field

from p21d.errors import RecordError
from p21d.plugin import Route
from p21d.sinks.inbox import Inbox


class Link(NamedTuple):
    """Our external id beside the sink's own id, in one of the sink's link tables."""

    table: str
    external_id: str
    hub_id: str


class ChildDelivery(Struct, frozen=True, kw_only=True):
    """A child on its way, with the id the sink gave it before; None where it is new."""

    external_id: str
    body: Mapping[str, Any]
    hub_id: str | None = None


class LinkedChild(NamedTuple):
    """A child that the sink has: our external id, and the sink's own id."""

    external_id: str
    hub_id: str


class Delivery(Struct, frozen=True, kw_only=True):
    """One record on its way to the sink.

    `body` has no ids of the sink; `parents` maps a member to the parent's id there. `hub_id` is the known link of the
    record. `active` False means: make it inactive; where nothing else is known of the record, `body` is empty then.
    """

    entity: str
    key: str
    external_id: str
    route: Route
    body: Mapping[str, Any]
    children: Mapping[str, Sequence[ChildDelivery]] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    hub_id: str | None = None
    active: bool = True
    version: int = 0
    """The instant before the row was read, in milliseconds since 1970; the same content read later has another."""
    revive: bool = False
    """True when p21d itself made the record inactive, so that it may bring it back."""
    renamed_from: str = ""
    """The external id the record had before; its link and its children's are moved first."""
    left_behind: Mapping[str, Sequence[LinkedChild]] = field(default_factory=dict)
    """Children delivered before, by member, that the record has no more: to be removed."""
    witnesses: Sequence[str] = ()
    """External ids of other records that the sink is known to have: while it finds them, a 404 may be believed."""
    former: Sequence[str] = ()
    """External ids under which another integration may have made the record: adopted if its natural key agrees."""
    born: bool = False
    """The record came from the sink: only the members of `Route.born` and `Route.born_children` are written over it."""


class Acknowledged(Struct, frozen=True, kw_only=True):
    """The sink has the record. `links` holds the record's own link first, then its children's.

    `left_behind` are the links of children that were to be removed and could not be; `warning` says so in words.
    """

    hub_id: str | None = None
    links: tuple[Link, ...] = ()
    left_behind: tuple[Link, ...] = ()
    warning: str = ""
    born: bool = False
    """The record turned out to be another system's own, and was treated as `Delivery.born` says: so it must stay."""


Answer = Acknowledged | RecordError


class SinkStatistics(Struct, frozen=True, kw_only=True):
    """What a sink shows in status."""

    target: str
    calls: int = 0
    failures: int = 0
    last_answer_at: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


class Sink(Protocol):
    """A place where records go."""

    has_ids: bool
    """Whether records get an id of the sink's own; where not, a parent is known by its own delivery."""

    whole_pages: bool
    """Whether a page is one batch: where no record takes a call of its own, smaller batches only are more commits."""

    @property
    def inbox(self) -> Inbox | None:
        """Return where orders are taken from; None for a sink that gives none."""
        ...

    def identity(self) -> str:
        """Return which sink this is, without secrets; the same text means that its links and records are the same."""
        ...

    def link_table(self, route: Route, member: str = "") -> str:
        """Return the name of the link table of this route's records, or of its children under `member`."""
        ...

    async def deliver(self, batch: Sequence[Delivery], answers: list[Answer]) -> None:
        """Send the batch, one call after the other, appending one answer per delivery in order.

        Raises Unavailable, Unauthorized or Forbidden when the rest of the batch cannot be sent now; what is already in
        `answers` holds.
        """
        ...

    async def find(self, route: Route, external_id: str, *, of_type: bool = False) -> str | None:
        """Return the sink's id of a linked record by our external id, None where it is not linked.

        With `of_type` a record of another type than `route.types` is none either.
        """
        ...

    async def probe(self, route: Route) -> None:
        """Return if the sink answers at all for this route; raise what `deliver` would raise if not."""
        ...

    async def check(self) -> None:
        """Try address and credentials once; raise Unauthorized or Unavailable."""
        ...

    async def aclose(self) -> None:
        """Release connections and files."""
        ...

    def statistics(self) -> SinkStatistics:
        """Return a snapshot for status."""
        ...
