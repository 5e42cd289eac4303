"""What happens when the sink says that it does not have a parent whose link our store knows.

The sink has lost that parent. Its fingerprint is cleared, so that the re-read its waiting child asks for sends it again
instead of finding it unchanged. After three rounds without an end the child counts as failing: it is tried again later
and dead-lettered in the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

from p21d.engine.connection import Connection
from p21d.engine.plan import Plan
from p21d.engine.work import Outgoing, Work
from p21d.errors import ParentMissing
from p21d.keys import key_text
from p21d.plugin import Parent
from p21d.store.waiting import WaitingRow

ROUNDS = 3
ASK_AGAIN = timedelta(hours=1)
"""When a child is tried again whose parent's entity p21d does not run."""


class LostParents:
    """Parks the children of one entity whose parents the sink has lost, and has those parents sent again."""

    def __init__(self, plan: Plan, connection: Connection) -> None:
        self._plan = plan
        self._connection = connection

    async def settle(self, works: Sequence[Work]) -> None:
        """Park each work under its lost parent and have the parent sent again; leave one that has had its rounds."""
        if not works:
            return
        before = await self._connection.store.read.waiting.by_keys(self._plan.name, [work.key for work in works])
        for work in works:
            row = before.get(work.key)
            rounds = self._rounds(row)
            if work.fate is not None or rounds >= ROUNDS:
                continue
            parent = work.lost_parents[rounds % len(work.lost_parents)]
            await self._give_up_copy(parent)
            work.park(self._place(work, parent, row))

    def external_id_of(self, parent: Parent) -> str:
        """Return the external id of a parent."""
        return self._connection.plans[parent.entity].external_id_of(parent.external_id)

    def _rounds(self, row: WaitingRow | None) -> int:
        return row.attempts if row is not None and row.parent_entity else 0

    def _place(self, work: Work, parent: Parent, before: WaitingRow | None) -> WaitingRow:
        now = self._connection.clock.now()
        enabled = self._connection.plans[parent.entity].settings.enabled
        return WaitingRow(
            entity=self._plan.name,
            key=work.key,
            parent_entity=parent.entity,
            parent_key=key_text(parent.key),
            due_at=None if enabled else now + ASK_AGAIN,
            attempts=(before.attempts if before else 0) + 1,
            first_failed_at=(before.first_failed_at if before else None) or now,
            error=str(work.last_error),
        )

    async def _give_up_copy(self, parent: Parent) -> None:
        """Say durably that the sink's copy of the parent is not known, or its link where p21d does not run it."""
        plan, store = self._connection.plans[parent.entity], self._connection.store
        if plan.settings.enabled:
            async with store.transaction() as tables:
                await tables.delivered.clear_keys(parent.entity, [key_text(parent.key)])
            return
        # nobody sends it again: with the link forgotten, the sink is asked for it
        table, external_id = self._connection.sink.link_table(plan.entity.route), self.external_id_of(parent)
        links = await store.read.links.by_external_id(table, [external_id])
        async with store.transaction() as tables:
            await tables.links.forget(list(links.values()))


def suspects(
    work: Work, record: Outgoing, error: ParentMissing, external_id_of: Callable[[Parent], str]
) -> Sequence[Parent]:
    """Return the parents the sink may mean, required ones first; each round suspects the next one.

    Those whose ids of the sink its words name; else those whose external ids, such as the SKU of a line's product, they
    name; else all whose ids it was sent.
    """
    by_need = sorted(work.parents, key=lambda parent: not parent.required)
    sent = [parent for parent in by_need if record.parents.get(parent.member)]
    return (
        [parent for parent in sent if names(error.message, record.parents[parent.member])]
        or [parent for parent in by_need if names(error.message, external_id_of(parent))]
        or sent
        or by_need
    )


def names(words: str, id_: str) -> bool:
    """Tell whether the words name this id, in whatever case, and not one that it is only a part of."""
    pattern = rf"(?<![\w-]){re.escape(id_)}(?![\w-])"
    return bool(id_) and re.search(pattern, words, re.IGNORECASE) is not None
