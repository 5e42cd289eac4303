"""A hub of the model: a sink that can be down, slow, lose answers and refuse; and that sees when it is used wrongly.

What it must never see stands in `wrongs`: two calls for one record at once, an older version after a newer one, a call
that changes nothing although the hub's answer to the one before it was kept, two records for one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from p21d.errors import ParentMissing, RecordFailed, RecordRefused, RequestTimeout, Unavailable
from p21d.plugin import Route
from p21d.sinks.port import Acknowledged, Answer, Delivery, Link, SinkStatistics
from tests.engine.model.tempo import Tempo

Name = tuple[str, str]
"""An entity and a key."""


@dataclass
class HubRecord:
    """A record as the hub has it, and the place of its row's state in the history of that row."""

    hub_id: str
    owner: Name
    content: tuple[Any, ...]
    active: bool
    place: int = 0


@dataclass
class HubModel:
    """The hub; `history_of` gives what a row has been in P21, None for deleted or gone."""

    tempo: Tempo
    history_of: Callable[[Name], list[str | None]]
    records: dict[tuple[str, str], HubRecord] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)
    known: set[Name] = field(default_factory=set)
    """Records whose present content p21d has in its store as acknowledged."""
    forced: bool = False
    """A person asked for records to be sent though nothing has changed."""
    down: int = 0
    """Calls that will not reach the hub."""
    losing: int = 0
    loses_softly: bool = False
    """A lost answer shows as a failure of its record alone, not of the hub."""
    refused: set[Name] = field(default_factory=set)
    failing: set[Name] = field(default_factory=set)
    latencies: list[float] = field(default_factory=list)
    calls: int = 0
    has_ids: bool = True
    whole_pages: bool = False
    inbox: None = None
    _in_flight: set[Name] = field(default_factory=set)
    _served: int = 0

    def identity(self) -> str:
        return "the hub of the model"

    def link_table(self, route: Route, member: str = "") -> str:
        return f"{route.resource}{member}"

    async def deliver(self, batch: Sequence[Delivery], answers: list[Answer]) -> None:
        """Send the batch, one call after the other."""
        sure = {name for name in map(name_of, batch) if name in self.known}
        self.known -= sure  # from the attempt on, p21d knows no more what the hub has
        for delivery in batch:
            name = name_of(delivery)
            if name in self._in_flight:
                self.wrongs.append(f"two calls for {name} at once")
            self._in_flight.add(name)
            try:
                answers.append(await self._call(delivery, sure=name in sure))
            finally:
                self._in_flight.discard(name)

    async def find(self, route: Route, external_id: str, *, of_type: bool = False) -> str | None:
        """Return the id of a record by our external id."""
        await self._reached("hub is asked")
        record = self.records.get((route.resource, external_id))
        return record.hub_id if record else None

    async def probe(self, route: Route) -> None:
        """Return if the hub is there."""
        await self._reached("hub is asked")

    async def check(self) -> None:
        """Return at once."""

    async def aclose(self) -> None:
        """Return at once."""

    def statistics(self) -> SinkStatistics:
        return SinkStatistics(target="the hub of the model", calls=self.calls)

    def restart(self) -> None:
        """Forget what was under way: p21d has ended."""
        self._in_flight.clear()

    async def _reached(self, step: str) -> None:
        await self.tempo.tick(step)
        if self.down:
            self.down -= 1
            raise Unavailable("the hub cannot be reached", system="the hub")

    async def _call(self, delivery: Delivery, *, sure: bool) -> Answer:
        if self.latencies:
            self.latencies.append(self.latencies.pop(0))
            await self.tempo.clock.sleep(self.latencies[-1])
        await self._reached("hub is asked")
        self.calls += 1
        answer = self._take(delivery, sure=sure)
        await self.tempo.tick("hub has answered")
        if self.losing:
            self.losing -= 1
            if self.loses_softly:
                return RecordFailed("the hub did not answer in time", code="timeout")
            raise RequestTimeout("the hub did not answer in time", system="the hub")
        return answer

    def _take(self, delivery: Delivery, *, sure: bool) -> Answer:
        name = name_of(delivery)
        if name in self.refused:
            return RecordRefused(f"{name} is not wanted", code="refused")
        if name in self.failing:
            return RecordFailed(f"{name} fails", code="500")
        if missing := [hub_id for hub_id in delivery.parents.values() if not self._has(hub_id)]:
            return ParentMissing(f"there is no {missing[0]}", code="parent")
        table = delivery.route.resource
        record = self.records.get((table, delivery.external_id))
        if record is None:
            self._served += 1
            record = HubRecord(f"{table}-{self._served}", name, (), active=False)
            self.records[table, delivery.external_id] = record
        self._watch(delivery, record, sure=sure)
        record.content, record.active = content_of(delivery), delivery.active
        return Acknowledged(hub_id=record.hub_id, links=(Link(table, delivery.external_id, record.hub_id),))

    def _watch(self, delivery: Delivery, record: HubRecord, *, sure: bool) -> None:
        name = name_of(delivery)
        if record.owner != name:
            self.wrongs.append(f"{name} takes the record of {record.owner}")
        if delivery.hub_id not in {None, record.hub_id}:
            self.wrongs.append(f"{name} is sent to {delivery.hub_id}, and is {record.hub_id}")
        if sure and not self.forced and (record.content, record.active) == (content_of(delivery), delivery.active):
            self.wrongs.append(f"{name} is sent again without need: {record.content}")
        history = self.history_of(name)
        present = delivery.body["name"] if delivery.active else None
        places = [place for place in range(record.place, len(history)) if history[place] == present]
        if not places:
            self.wrongs.append(f"{name} goes back to {present!r}, the history since is {history[record.place :]}")
        record.place = places[0] if places else record.place

    def _has(self, hub_id: str) -> bool:
        return any(record.hub_id == hub_id for record in self.records.values())


def name_of(delivery: Delivery) -> Name:
    """Return the entity and key of a delivery."""
    return delivery.entity, delivery.key


def content_of(delivery: Delivery) -> tuple[Any, ...]:
    """Return all that a delivery writes."""
    body: Mapping[str, Any] = delivery.body
    return dict(body), dict(delivery.parents)
