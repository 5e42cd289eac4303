"""What the store remembers of acknowledged records: fingerprints, links, and the names that were given up.

Links are forgotten before others are recorded: one that moves to another external id keeps its id of the sink, and
that is unique.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p21d.engine.connection import Connection
from p21d.engine.plan import Plan
from p21d.engine.sending import LINK_TAKEN
from p21d.engine.work import Outgoing, Work
from p21d.sinks.port import Acknowledged
from p21d.store.database import Tables
from p21d.store.delivered import DeliveredRecord
from p21d.store.link import StoredLink
from p21d.store.waiting import WaitingRow

Answered = tuple[Work, Outgoing, Acknowledged]


class AcknowledgedRecords:
    """The acknowledged records of one entity, in the transaction that settles their rows."""

    def __init__(self, plan: Plan, connection: Connection) -> None:
        self._name = plan.name
        self._connection = connection

    async def keep(self, tables: Tables, works: Sequence[Work]) -> None:
        """Remember what the sink has now, and under which names."""
        done = list(answered(works))
        if not done:
            return
        if renamed := [(work.key, record.renamed_from) for work, record, _ in done if record.renamed_from]:
            await tables.delivered.forget(self._name, renamed)
        records = [
            DeliveredRecord(work.key, record.external_id, record.fingerprint, record.active, work.read_at)
            for work, record, _ in done
        ]
        await tables.delivered.acknowledge(self._name, records, self._connection.clock.now())
        if void := [link for _, record, _ in done for link in record.void_links]:
            await tables.links.forget(void)
        if links := self._links(done):
            await tables.links.record(links)
            self._connection.passed("links written")

    def _links(self, done: Sequence[Answered]) -> list[StoredLink]:
        """Return what the answers tell, each id of the sink once; a child that is left behind has it last."""
        links: dict[tuple[str, str], StoredLink] = {}
        for work, _, answer in done:
            for link in answer.links:
                born = answer.born and link.hub_id == answer.hub_id
                links[link.table, link.hub_id] = StoredLink(*link, self._name, work.key, born=born)
            for link in answer.left_behind:
                left = StoredLink(*link, self._name, work.key, left_behind=True)
                links.setdefault((link.table, link.hub_id), left)
        return list(links.values())

    async def release_refused(self, tables: Tables, works: Sequence[Work]) -> set[str]:
        """Give rows another chance that wanted an external id which a renamed record has just given up."""
        given_up = [record.renamed_from for _, record, _ in answered(works) if record.renamed_from]
        if not given_up:
            return set()
        now = self._connection.clock.now()
        keys = await tables.dead_letters.refused_names(self._name, given_up, LINK_TAKEN)
        await tables.dead_letters.forget_content(self._name, keys)
        await tables.waiting.park([WaitingRow(entity=self._name, key=key, due_at=now) for key in keys], now)
        return {self._name} if keys else set()


def answered(works: Sequence[Work]) -> Iterator[Answered]:
    """Yield the records that the sink has acknowledged, each with its row and its answer."""
    for work in works:
        for record in work.records:
            if record.answer is not None:
                yield work, record, record.answer
