"""The hub as the source of orders: what is not linked to ours yet, each order as it is now, and its link.

Invariant: a link is made only where neither the record nor our external id has another one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from p21d.errors import RecordError, RecordRefused, Unavailable
from p21d.order import HubOrder
from p21d.plugin import Route
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.finder import Finder
from p21d.sinks.ipaas.links import Links
from p21d.sinks.ipaas.missing import Missing
from p21d.sinks.ipaas.reading import OrderReader
from p21d.sinks.ipaas.subscription import Subscription
from p21d.sinks.ipaas.table import Resource
from p21d.sinks.ipaas.verdicts import SYSTEM, BareNotFound, Duplicate


class IpaasInbox:
    """See `p21d.sinks.inbox.Inbox`."""

    def __init__(
        self,
        directory: Directory,
        finder: Finder,
        links: Links,
        missing: Missing,
        subscription: Subscription,
        system_id: int,
    ) -> None:
        self._directory = directory
        self._finder = finder
        self._links = links
        self._missing = missing
        self._subscription = subscription
        self._system_id = system_id
        self._reader = OrderReader(directory, system_id)
        self._present: deque[tuple[Resource, str]] = deque(maxlen=2)

    @property
    def system_id(self) -> int:
        """Return the subscription that is ours."""
        return self._system_id

    async def unlinked(self, route: Route) -> AsyncIterator[Sequence[str]]:
        """Yield the ids of records without our link, a page at a time, each once."""
        try:
            async with aclosing(self._missing.pages(self._directory.resource(route))) as pages:
                async for page in pages:
                    yield page
        except RecordError as error:
            # no single record is meant: it is the list itself that the hub does not give
            raise Unavailable(error.message, system=SYSTEM, hint=error.hint or "check sink.links.missing") from error

    async def order(self, route: Route, hub_id: str) -> HubOrder | None:
        """Return a record as it is now, None where it is gone; a bare 404 is believed only beside a found record."""
        resource = self._directory.resource(route)
        record = await self._record(resource, hub_id)
        return None if record is None else self._reader.read(resource, hub_id, record)

    async def external_id(self, route: Route, hub_id: str) -> str | None:
        """Return our external id of a record, None where it has none."""
        return await self._links.external_id(self._directory.resource(route), hub_id)

    async def link(self, route: Route, external_id: str, hub_id: str, *, member: str = "") -> None:
        """Link a record, or with `member` one of its children; raises RecordRefused naming who has which link."""
        directory = self._directory
        resource = directory.child(route, member) if member else directory.resource(route)
        if not await self._is_linked(resource, external_id, hub_id):
            other = await self._links.external_id(resource, hub_id)
            if other and other != external_id:
                raise _refusal(resource, f"record {hub_id} has our external id {other!r}, not {external_id!r}")
            try:
                await self._links.update(resource, external_id, hub_id)
            except Duplicate:
                # linked since the look-up: by an attempt whose answer was lost, or to another record
                if not await self._is_linked(resource, external_id, hub_id):
                    raise
        if not member:
            self._links.remember(resource, external_id)

    async def writer(self) -> str | None:
        """Return the store id that the subscription names as its one writer of orders."""
        return await self._subscription.writer()

    async def set_writer(self, store_id: str) -> None:
        """Name this store as the one writer of orders."""
        await self._subscription.set_writer(store_id)

    async def _record(self, resource: Resource, hub_id: str) -> dict[str, Any] | None:
        try:
            record = await self._finder.read(resource, hub_id)
        except BareNotFound:
            if not await self._finds_others(resource, hub_id):
                raise
            return None
        if record is not None and (resource, hub_id) not in self._present:
            self._present.append((resource, hub_id))
        return record

    async def _finds_others(self, resource: Resource, hub_id: str) -> bool:
        """Tell whether the hub still gives another record by the same call."""
        for witness in list(self._present):
            if witness != (resource, hub_id):
                try:
                    if await self._finder.read(*witness) is not None:
                        return True
                except BareNotFound:
                    continue
        return False

    async def _is_linked(self, resource: Resource, external_id: str, hub_id: str) -> bool:
        linked = await self._links.lookup(resource, external_id)
        if linked is not None and linked.hub_id != hub_id:
            raise _refusal(resource, f"our external id {external_id!r} has record {linked.hub_id}, not {hub_id}")
        return linked is not None


def _refusal(resource: Resource, words: str) -> RecordRefused:
    return RecordRefused(
        f"hub: in table {resource.link_table!r} {words}",
        code="linked-otherwise",
        hint="correct the external ids of that record in the hub, then try again",
    )
