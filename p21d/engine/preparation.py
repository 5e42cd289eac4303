"""Finds out, for a page at a time, which rows need no call to the sink at all.

After it a row has a fate (skipped, unchanged, waiting, dead-lettered) or records that must be sent. It reads the
store with one statement per table and page, and asks the sink only for links of parents that are known nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from p21d.engine.building import blamed_on_plug_in, build
from p21d.engine.connection import Connection
from p21d.engine.fate import Fate
from p21d.engine.fingerprint import fingerprint
from p21d.engine.orders.born import written
from p21d.engine.parents import ParentLinks
from p21d.engine.plan import Plan
from p21d.engine.work import Outgoing, Work
from p21d.plugin import RelatedRows
from p21d.prophet21.page import Page
from p21d.prophet21.related import ReadRows
from p21d.store.dead_letter import OpenLetter
from p21d.store.delivered import DeliveredRecord


class Preparation:
    """Prepares the pages of one cycle of one entity; `force` sends what has not changed as well."""

    def __init__(self, plan: Plan, connection: Connection, *, kind: str, force: bool = False) -> None:
        self._plan = plan
        self._connection = connection
        self._force = force
        self._parents = ParentLinks(plan, connection, kind)

    async def prepare(self, page: Page[Any]) -> list[Work]:
        """Return the page's rows as work, in key order."""
        fuse = self._connection.fuses[self._plan.name]
        fuse.check()
        related: RelatedRows = ReadRows()
        if self._plan.entity.related and page.rows:
            related = await self._connection.source.related(self._plan.entity, page.rows)
        works = build(self._plan, page, related, fuse)
        await self._recall(works)
        fuse.judge(works)
        return works

    async def _recall(self, works: Sequence[Work]) -> None:
        """Compare the works with what the store remembers of their keys."""
        tables, name = self._connection.store.read, self._plan.name
        keys = [work.key for work in works]
        delivered = await tables.delivered.by_keys(name, keys)
        letters = await tables.dead_letters.open_by_keys(name, keys)
        skipped = await tables.skipped.by_keys(name, keys)
        waiting = await tables.waiting.by_keys(name, keys)
        lettered = {key for key, _ in letters}
        if (orders := self._connection.orders) is not None and orders.entity == name:
            await orders.recognise(works, delivered)
        for work in works:
            work.has_letter, work.waits = work.key in lettered, work.key in waiting
            work.skipped_before = skipped.get(work.key, "")
            if work.deleted and work.fate in (None, Fate.SKIPPED):
                self._delete(work, delivered.get(work.key, ()))
            if work.fate is None:
                name_records(work, delivered.get(work.key, ()))
                if work.parents:
                    with blamed_on_plug_in(self._plan, work):
                        self._parents.check(work)
        await self._parents.resolve([work for work in works if work.fate is None], letters)
        for work in works:
            if work.fate is None:
                with blamed_on_plug_in(self._plan, work):  # a body that JSON cannot carry fails here
                    self._compare(work, delivered.get(work.key, ()), letters)

    def _delete(self, work: Work, known: Sequence[DeliveredRecord]) -> None:
        """Treat a row that is deleted in P21: inactive in the sink if the sink has it, else skipped."""
        # not needed any more, and named where they are there: the sink may want them in every update
        work.parents = [replace(parent, required=False) for parent in work.parents]
        if not known and work.born_as is None:
            work.skip("deleted in P21, never delivered")
        elif work.fate is Fate.SKIPPED:
            # the plug-in would not send it any more; what was sent before must become inactive all the same
            names = [record.external_id for record in known]
            if not names and work.born_as is not None:
                names = [work.born_as.external_id]
            work.fate, work.records = None, [Outgoing(name, {}, {}) for name in names]
        for record in work.records:
            record.active = False

    def _compare(
        self,
        work: Work,
        known: Sequence[DeliveredRecord],
        letters: Mapping[tuple[str, str], OpenLetter],
    ) -> None:
        """Keep only the records whose content the sink does not have."""
        for record in work.records:
            body, children = record.body, record.children
            if work.born_as is not None:
                record.born = True
                body, children = written(self._plan.entity.route, body, children)
            record.fingerprint = fingerprint(record.external_id, body, children, record.parents, active=record.active)
        self.compare_again(work, known)
        if (
            letters
            and work.fate is None
            and not self._force
            and all(self._is_dead(work, record, letters) for record in work.records)
        ):
            work.fate, work.counted_again = Fate.DEAD_LETTERED, True

    def compare_again(self, work: Work, known: Sequence[DeliveredRecord]) -> None:
        """Drop the records that the sink has now; another cycle may have delivered them since they were prepared."""
        by_id = {record.external_id: record for record in known}
        work.records = [
            record for record in work.records if record.answer is not None or self._must_send(record, by_id)
        ]
        if not work.records:
            work.fate = Fate.UNCHANGED

    def _must_send(self, record: Outgoing, delivered: Mapping[str, DeliveredRecord]) -> bool:
        if record.renamed_from not in delivered:  # another cycle has renamed it meanwhile
            record.renamed_from = ""
        known = delivered.get(record.renamed_from or record.external_id)
        record.known = known is not None
        record.revive = known is not None and not known.active
        return self._force or known is None or known.fingerprint != record.fingerprint or bool(record.renamed_from)

    def _is_dead(self, work: Work, record: Outgoing, letters: Mapping[tuple[str, str], OpenLetter]) -> bool:
        """Tell whether exactly this content is a dead letter already, under the same plug-in."""
        letter = letters.get((work.key, record.external_id))
        return letter is not None and (letter.fingerprint, letter.plugin) == (record.fingerprint, self._plan.plugin)


def name_records(work: Work, known: Sequence[DeliveredRecord]) -> None:
    """Tell a renamed record from a new one; what a row of several records yields no more becomes inactive."""
    present = {record.external_id for record in work.records}
    if not known:
        work.names = frozenset(present)
        return
    gone = [record for record in known if record.external_id not in present]
    work.names = frozenset(present | {record.external_id for record in known})
    if gone and len(known) == len(work.records) == 1:
        work.records[0].renamed_from = gone[0].external_id
    else:
        left = [record for record in gone if record.active or record.fingerprint is None]
        work.records += [Outgoing(record.external_id, {}, {}, active=False) for record in left]
