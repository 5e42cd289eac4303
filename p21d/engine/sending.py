"""One attempt of a batch: from works to deliveries, through the sink, and its answers back onto the works."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec
import structlog

from p21d.engine.addressing import Addressing, KnownLinks, former_id
from p21d.engine.connection import Connection
from p21d.engine.fate import Fate
from p21d.engine.lost_parents import LostParents, suspects
from p21d.engine.plan import Plan
from p21d.engine.work import Outgoing, Work
from p21d.errors import (
    Forbidden,
    ParentMissing,
    RecordError,
    RecordFailed,
    RecordRefused,
    SystematicRefusal,
    Unauthorized,
    Unavailable,
)
from p21d.keys import key_text, same_row
from p21d.sinks.port import Acknowledged, Answer, Delivery
from p21d.store.dead_letter import DeadLetter
from p21d.store.link import StoredLink

log = structlog.get_logger("p21d.engine")

Outage = Unavailable | Unauthorized | Forbidden | SystematicRefusal

LINK_TAKEN = "link-taken"
"""The code of a record whose external id, or whose record in the sink, is another row's."""


class Answers(list[Answer]):
    """The answers of a batch as they come; each is a step for the watchdog: a batch may be long, the sink slow."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    def append(self, answer: Answer) -> None:
        """Take the next answer."""
        super().append(answer)
        self._connection.watch.answered(self._name)
        self._connection.passed("record answered")


class Sending:
    """Sends works of one entity; leaves each with a fate, or without one when it may be tried again."""

    def __init__(self, plan: Plan, connection: Connection, kind: str, watched: str) -> None:
        """`watched` is the name under which the cycle is watched."""
        self._plan = plan
        self._connection = connection
        self._kind = kind
        self._watched = watched
        self._refusals = connection.refusals[plan.name]
        self._verdicts = self._refusals.verdicts
        self._addressing = Addressing(plan, connection)
        self._lost_parents = LostParents(plan, connection)
        self._encoder = msgspec.json.Encoder(decimal_format="number")

    async def attempt(self, works: Sequence[Work]) -> Outage | None:
        """Send all unsent records of the works once; return what stopped the rest, None where all got an answer."""
        self._connection.watch.step(self._watched, "address")
        records = [(work, record) for work in works for record in work.unsent()]
        links = await self._addressing.known([record for _, record in records])
        # linked owners first: a row that took over another's id must not push that one out
        sendable = self._first_of_each([pair for pair in records if not self._is_taken(*pair, links)])
        await self._note_attempts(sendable)
        deliveries = [self._addressing.delivery(work, record, links) for work, record in sendable]
        answers: list[Answer] = Answers(self._connection, self._watched)
        outage = await self._send(deliveries, answers)
        self._connection.passed("batch answered")
        systematic = self._refusals.judge(answers)
        for (work, record), answer in zip(sendable, answers, strict=False):
            if systematic is None or not isinstance(answer, RecordRefused):
                self._take(work, record, answer)
        if any(isinstance(answer, Acknowledged) for answer in answers):
            self._connection.health[self._plan.name].succeeded()
        await self._refuse_doubles(works)
        await self._lost_parents.settle([work for work in works if work.lost_parents])
        self._warn(sendable)
        for work in works:
            if work.fate is None and work.records and not work.unsent():
                work.fate = Fate.DELIVERED
        return systematic or outage

    async def _send(self, deliveries: Sequence[Delivery], answers: list[Answer]) -> Outage | None:
        """Send the batch when it has a slot; return what ended it early."""
        async with AsyncExitStack() as turn:
            with self._connection.watch.waiting(self._watched):
                await turn.enter_async_context(self._refusals.one_at_a_time())
                await turn.enter_async_context(self._connection.slots.hold(self._kind))
            if self._refusals.verdicts > self._verdicts and (verdict := self._refusals.verdict()):
                return verdict  # another batch of this cycle has shown already that nothing gets through yet
            self._connection.watch.step(self._watched, "deliver")
            try:
                await self._connection.sink.deliver(deliveries, answers)
            except (Unavailable, Unauthorized, Forbidden) as error:
                return error
        return None

    def _first_of_each(self, records: Sequence[tuple[Work, Outgoing]]) -> list[tuple[Work, Outgoing]]:
        """Return the records without those whose external id another row of the batch has; these are dead-lettered."""
        owners: dict[str, Work] = {}
        for work, record in records:
            owner = owners.setdefault(record.external_id, work)
            if owner.key != work.key:
                link = StoredLink(self._addressing.table(), record.external_id, "", self._plan.name, owner.key)
                self._dead_letter(work, record, taken(record.external_id, link, self._plan.name, work.key))
        return [(work, record) for work, record in records if owners[record.external_id].key == work.key]

    def _is_taken(self, work: Work, record: Outgoing, links: KnownLinks) -> bool:
        """Dead-letter a record where its external id or a child's belongs to another row, before any call."""
        link = self._addressing.foreign(work, record, links)
        if link is None:
            return False
        self._dead_letter(work, record, taken(link.external_id, link, self._plan.name, work.key))
        return True

    async def _note_attempts(self, records: Sequence[tuple[Work, Outgoing]]) -> None:
        """Say durably, before the attempt, that the sink's content is not known: the answer may be lost."""
        if not records:
            return
        active = {(work.key, former_id(record)): record.active for work, record in records}
        async with self._connection.store.transaction() as tables:
            await tables.delivered.note_attempts(self._plan.name, [name for name in active if active[name]])
            await tables.delivered.expect_inactive(self._plan.name, [name for name in active if not active[name]])
        self._connection.passed("attempts noted")

    def _take(self, work: Work, record: Outgoing, answer: Answer) -> None:
        """Note one answer of the sink on its work."""
        match answer:
            case Acknowledged():
                record.answer = answer
            case ParentMissing() if work.parents:
                work.last_error, work.lost_parents = (
                    answer,
                    suspects(work, record, answer, self._lost_parents.external_id_of),
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
                if owner.entity != self._plan.name or not same_row(owner.key, work.key):
                    record.answer = None
                    self._dead_letter(work, record, taken(link.hub_id, owner, self._plan.name, work.key))
                    break
                if owner.external_id != link.external_id:  # the sink knows what it has of ours by another name now
                    record.void_links.append(owner)

    def _warn(self, records: Sequence[tuple[Work, Outgoing]]) -> None:
        """Log what the sink could not do of what it took, once per batch."""
        warnings = [record.answer.warning for _, record in records if record.answer and record.answer.warning]
        if warnings:
            log.warning("delivered in part", entity=self._plan.name, records=len(warnings), first=warnings[0])

    def _dead_letter(self, work: Work, record: Outgoing, error: RecordError) -> None:
        work.dead_letter(self.letter(work, record, error))

    def letter(self, work: Work, record: Outgoing, error: RecordError) -> DeadLetter:
        """Return the dead letter of a record, with what was sent; a lost parent's delivery gives it another chance."""
        parent = work.lost_parents[0] if work.lost_parents and isinstance(error, ParentMissing) else None
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
            parent_entity=parent.entity if parent else "",
            parent_key=key_text(parent.key) if parent else "",
        )


def taken(name: str, owner: StoredLink, entity: str, key: str) -> RecordRefused:
    """Say that two rows meet in one record of the sink, naming both."""
    message = (
        f"{name!r} in {owner.table!r} belongs to {owner.entity} {owner.key} already, so {entity} {key} cannot have it"
    )
    hint = f"two rows of P21 lead to one record; check the external-id form of {entity}, or merge them in P21"
    return RecordRefused(message, code=LINK_TAKEN, hint=hint)
