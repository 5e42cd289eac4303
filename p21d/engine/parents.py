"""Finds the ids that parents have in the sink, or sends their children to the waiting room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

from p21d.engine.connection import Connection
from p21d.engine.fate import Fate
from p21d.engine.plan import Plan
from p21d.engine.work import Work
from p21d.keys import key_text
from p21d.plugin import Parent
from p21d.store.dead_letter import OpenLetter
from p21d.store.link import StoredLink
from p21d.store.waiting import WaitingRow

ASK_AGAIN = timedelta(hours=1)
"""How often the sink is asked for a parent whose entity p21d does not run."""

MAX_REMEMBERED = 10_000
"""Parents remembered as asked for; beyond it a few are asked for again, so that memory stays bounded."""


class ParentLinks:
    """Resolves the parents of one cycle's rows; asks the sink once per parent and cycle."""

    def __init__(self, plan: Plan, connection: Connection, kind: str) -> None:
        self._plan = plan
        self._connection = connection
        self._kind = kind
        self._asked: set[tuple[str, str]] = set()

    async def resolve(self, works: Sequence[Work], letters: Mapping[tuple[str, str], OpenLetter]) -> None:
        """Fill in the parents' ids; works without a required one get their place in the waiting room."""
        found = await self._known(parent for work in works for parent in work.parents)
        for work in works:
            if not work.parents:
                continue
            missing = [p for p in work.parents if self._name(p) not in found]
            required = next((parent for parent in missing if parent.required), None)
            if required is None:
                ids = {p.member: found[self._name(p)] for p in work.parents if p.member and self._name(p) in found}
                for record in work.records:
                    record.parents = ids
            elif self._is_dead_for(work, required, letters):
                work.fate, work.counted_again = Fate.DEAD_LETTERED, True
            else:
                work.park(self._waiting(work, required))

    def check(self, work: Work) -> None:
        """Raise KeyError or ValueError where a plug-in names a parent that cannot be found."""
        for parent in work.parents:
            if parent.entity not in self._connection.plans:
                raise ValueError(f"its parent entity {parent.entity!r} does not exist")
            self._name(parent)

    def _name(self, parent: Parent) -> tuple[str, str]:
        """Name a parent by its entity and external id, or by its key where the sink has no ids."""
        if not self._connection.sink.has_ids:
            return parent.entity, key_text(parent.key)
        return parent.entity, self._connection.plans[parent.entity].external_id_of(parent.external_id)

    async def _known(self, parents: Iterable[Parent]) -> dict[tuple[str, str], str]:
        """Return the ids in the sink of those parents that are there."""
        wanted: dict[str, dict[str, Parent]] = {}
        for parent in parents:
            entity, name = self._name(parent)
            wanted.setdefault(entity, {})[name] = parent
        found: dict[tuple[str, str], str] = {}
        for entity, named in wanted.items():
            found |= {(entity, name): hub_id for name, hub_id in (await self._of_entity(entity, named)).items()}
        return found

    async def _of_entity(self, entity: str, named: Mapping[str, Parent]) -> dict[str, str]:
        tables = self._connection.store.read
        if not self._connection.sink.has_ids:
            return {key: key for key in await tables.delivered.known(entity, list(named))}
        table = self._connection.sink.link_table(self._connection.plans[entity].entity.route)
        links = await tables.links.by_external_id(table, list(named))
        # two entities may share a link table: a record of another one's name is not this parent
        found = {external_id: link.hub_id for external_id, link in links.items() if link.entity == entity}
        for external_id, parent in named.items():
            if external_id not in links and (hub_id := await self._ask(entity, table, external_id, parent)):
                found[external_id] = hub_id
        return found

    async def _ask(self, entity: str, table: str, external_id: str, parent: Parent) -> str | None:
        """Ask the sink's own link table, once; remember a link that somebody else has made."""
        if (entity, external_id) in self._asked:
            return None
        if len(self._asked) >= MAX_REMEMBERED:
            self._asked.clear()
        self._asked.add((entity, external_id))
        connection = self._connection
        async with AsyncExitStack() as turn:
            with connection.watch.waiting():
                await turn.enter_async_context(connection.slots.hold(self._kind))
            # another integration may have linked another kind of record under this name
            hub_id = await connection.sink.find(connection.plans[entity].entity.route, external_id, of_type=True)
        if hub_id is None:
            return None
        async with connection.store.transaction() as tables:
            if hub_id not in await tables.links.by_hub_id(table, [hub_id]):
                await tables.links.record([StoredLink(table, external_id, hub_id, entity, key_text(parent.key))])
        return hub_id

    def _is_dead_for(self, work: Work, parent: Parent, letters: Mapping[tuple[str, str], OpenLetter]) -> bool:
        """Tell whether the row is dead-lettered for this very parent already: its delivery will release the row."""
        if work.waits:
            return False
        name = (parent.entity, key_text(parent.key))
        return any(
            key == work.key and (letter.parent_entity, letter.parent_key) == name
            for (key, _), letter in letters.items()
        )

    def _waiting(self, work: Work, parent: Parent) -> WaitingRow:
        plan = self._connection.plans[parent.entity]
        row = WaitingRow(
            entity=self._plan.name, key=work.key, parent_entity=parent.entity, parent_key=key_text(parent.key)
        )
        if plan.settings.enabled:
            return row
        due = self._connection.clock.now() + ASK_AGAIN
        error = f"{parent.entity} is not enabled, and the sink has no link for {parent.entity} {row.parent_key}"
        return replace(row, due_at=due, error=error)
