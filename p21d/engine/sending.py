"""One attempt of a batch: from works to deliveries, through the sink, and its answers back onto the works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from p21d.clock import to_millis
from p21d.engine.connection import Connection
from p21d.engine.fate import Fate
from p21d.engine.plan import Plan
from p21d.engine.work import Outgoing, Work
from p21d.errors import (
    Forbidden,
    ParentMissing,
    RecordError,
    RecordFailed,
    RecordRefused,
    Unauthorized,
    Unavailable,
)
from p21d.keys import key_text
from p21d.sinks.port import Acknowledged, Answer, ChildDelivery, Delivery
from p21d.store.dead_letter import DeadLetter
from p21d.store.link import StoredLink
from p21d.store.waiting import WaitingRow

Outage = Unavailable | Unauthorized | Forbidden


class Sending:
    """Sends works of one entity; leaves each with a fate, or without one when it may be tried again."""

    def __init__(self, plan: Plan, connection: Connection) -> None:
        self._plan = plan
        self._connection = connection
        self._route = plan.entity.route
        self._encoder = msgspec.json.Encoder(decimal_format="number")

    async def attempt(self, works: Sequence[Work]) -> Outage | None:
        """Send all unsent records of the works once; return what stopped the rest, None where all got an answer."""
        records = [(work, record) for work in works for record in work.unsent()]
        links = await self._links(record for _, record in records)
        # linked owners first: a row that took over another's id must not push that one out
        sendable = self._first_of_each([pair for pair in records if not self._is_taken(*pair, links)])
        await self._note_attempts(sendable)
        deliveries = [self._delivery(work, record, links) for work, record in sendable]
        answers: list[Answer] = []
        outage: Outage | None = None
        try:
            async with self._connection.slots.hold():
                await self._connection.sink.deliver(deliveries, answers)
        except (Unavailable, Unauthorized, Forbidden) as error:
            outage = error
        for (work, record), answer in zip(sendable, answers, strict=False):
            self._take(work, record, answer)
        await self._refuse_doubles(works)
        for work in works:
            if work.fate is None and work.records and not work.unsent():
                work.fate = Fate.DELIVERED
        return outage

    async def _links(self, records: Iterable[Outgoing]) -> Mapping[tuple[str, str], StoredLink]:
        """Return the known links of the records and their children, by (link table, external id)."""
        wanted: dict[str, list[str]] = {}
        for record in records:
            wanted.setdefault(self._table(), []).append(record.external_id)
            for member, children in record.children.items():
                ids = [child_id(record, child.id) for child in children]
                wanted.setdefault(self._table(member), []).extend(ids)
        found: dict[tuple[str, str], StoredLink] = {}
        if self._connection.sink.has_ids:
            for table, external_ids in wanted.items():
                links = await self._connection.store.read.links.by_external_id(table, external_ids)
                found |= {(table, external_id): link for external_id, link in links.items()}
        return found

    def _first_of_each(self, records: Sequence[tuple[Work, Outgoing]]) -> list[tuple[Work, Outgoing]]:
        """Return the records without those whose external id another row of the batch has; these are dead-lettered."""
        owners: dict[str, Work] = {}
        for work, record in records:
            owner = owners.setdefault(record.external_id, work)
            if owner.key != work.key:
                link = StoredLink(self._table(), record.external_id, "", self._plan.name, owner.key)
                self._dead_letter(work, record, taken(record.external_id, link, self._plan.name, work.key))
        return [(work, record) for work, record in records if owners[record.external_id].key == work.key]

    def _table(self, member: str = "") -> str:
        return self._connection.sink.link_table(self._route, member)

    def _is_taken(self, work: Work, record: Outgoing, links: Mapping[tuple[str, str], StoredLink]) -> bool:
        """Dead-letter a record whose external id belongs to another row, before any call."""
        link = links.get((self._table(), record.external_id))
        if link is None or (link.entity, link.key) == (self._plan.name, work.key):
            return False
        self._dead_letter(work, record, taken(record.external_id, link, self._plan.name, work.key))
        return True

    async def _note_attempts(self, records: Sequence[tuple[Work, Outgoing]]) -> None:
        """Say durably, before the attempt, that the sink's content is not known: the answer may be lost."""
        if records:
            async with self._connection.store.transaction() as tables:
                names = [(work.key, record.external_id) for work, record in records]
                await tables.delivered.note_attempts(self._plan.name, names)

    def _delivery(self, work: Work, record: Outgoing, links: Mapping[tuple[str, str], StoredLink]) -> Delivery:
        own = links.get((self._table(), record.external_id))
        children = {}
        for member, items in record.children.items():
            table = self._table(member)
            named = [(child_id(record, child.id), child.body) for child in items]
            ids = {name: links[table, name].hub_id for name, _ in named if (table, name) in links}
            children[member] = [
                ChildDelivery(external_id=name, body=body, hub_id=ids.get(name)) for name, body in named
            ]
        return Delivery(
            entity=self._plan.name,
            key=work.key,
            external_id=record.external_id,
            route=self._route,
            body=record.body,
            children=children,
            parents=record.parents,
            hub_id=own.hub_id if own else None,
            active=record.active,
            version=to_millis(work.read_at),
            revive=record.revive,
        )

    def _take(self, work: Work, record: Outgoing, answer: Answer) -> None:
        """Note one answer of the sink on its work."""
        match answer:
            case Acknowledged():
                record.answer = answer
                self._connection.health[self._plan.name].succeeded()
            case ParentMissing() if work.parents:
                parent = next((parent for parent in work.parents if parent.required), work.parents[0])
                work.park(
                    WaitingRow(
                        entity=self._plan.name,
                        key=work.key,
                        parent_entity=parent.entity,
                        parent_key=key_text(parent.key),
                        error=str(answer),
                    )
                )
            case RecordFailed():
                work.last_error = answer
            case _:
                self._dead_letter(work, record, answer)

    async def _refuse_doubles(self, works: Sequence[Work]) -> None:
        """Dead-letter records for which the sink named an id that another row of ours is linked with."""
        fresh = [(work, record) for work in works for record in work.records if record.answer and record.answer.links]
        by_table: dict[str, list[str]] = {}
        for _, record in fresh:
            for link in record.answer.links if record.answer else ():
                by_table.setdefault(link.table, []).append(link.hub_id)
        owners: dict[tuple[str, str], StoredLink] = {}
        for table, ids in by_table.items():
            known = await self._connection.store.read.links.by_hub_id(table, ids)
            owners |= {(table, hub_id): link for hub_id, link in known.items()}
        for work, record in fresh:
            for link in record.answer.links if record.answer else ():
                owner = owners.setdefault((link.table, link.hub_id), StoredLink(*link, self._plan.name, work.key))
                if (owner.entity, owner.key) != (self._plan.name, work.key):
                    record.answer = None
                    self._dead_letter(work, record, taken(link.hub_id, owner, self._plan.name, work.key))
                    break

    def _dead_letter(self, work: Work, record: Outgoing, error: RecordError) -> None:
        work.dead_letter(self.letter(work, record, error))

    def letter(self, work: Work, record: Outgoing, error: RecordError) -> DeadLetter:
        """Return the dead letter of a record, with what was sent."""
        children = {member: [child.body for child in items] for member, items in record.children.items()}
        body = self._encoder.encode({**record.body, **record.parents, **children}).decode()
        return DeadLetter(
            entity=self._plan.name,
            key=work.key,
            external_id=record.external_id,
            code=error.code,
            error=error.message,
            hint=error.hint,
            attempts=max(work.attempts, 1),
            plugin=self._plan.plugin,
            body=body,
            fingerprint=record.fingerprint,
        )


def child_id(record: Outgoing, child: str) -> str:
    """Return a child's external id: its record's, a bar, and its own (facts 4)."""
    return f"{record.external_id}|{child}"


def taken(name: str, owner: StoredLink, entity: str, key: str) -> RecordRefused:
    """Say that two rows meet in one record of the sink, naming both."""
    message = (
        f"{name!r} in {owner.table!r} belongs to {owner.entity} {owner.key} already, so {entity} {key} cannot have it"
    )
    hint = f"two rows of P21 lead to one record; check the external-id form of {entity}, or merge them in P21"
    return RecordRefused(message, code="link-taken", hint=hint)
