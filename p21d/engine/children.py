"""What a row's fate means for the rows that wait for it: released, or dead-lettered with their parent's reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from p21d.engine.connection import Connection
from p21d.engine.fate import Fate
from p21d.engine.plan import Plan
from p21d.engine.work import Work
from p21d.store.database import Tables
from p21d.store.dead_letter import DeadLetter
from p21d.store.waiting import WaitingRow

PARENT = "parent"
"""The code of a row that is not delivered because a parent is not."""
NOR = "nor is "


class Children:
    """The children of one entity's rows, in the transaction that settles those rows."""

    def __init__(self, plan: Plan, connection: Connection, *, releases: bool) -> None:
        self._plan = plan
        self._connection = connection
        self._releasing = (Fate.DELIVERED, Fate.UNCHANGED) if releases else (Fate.DELIVERED,)

    def concerns(self, works: Sequence[Work]) -> bool:
        """Tell whether any of these fates may matter to a child."""
        fates = (*self._releasing, Fate.SKIPPED, Fate.DEAD_LETTERED)
        return self._plan.has_children and any(work.fate in fates for work in works)

    async def follow(self, tables: Tables, works: Sequence[Work]) -> set[str]:
        """Release or dead-letter the children of these works, and return the entities with released rows."""
        if not self._plan.has_children:
            return set()
        released = await self._release(tables, [work.key for work in works if work.fate in self._releasing])
        await self.fail(tables, await self.reasons(tables, works))
        return released

    async def reasons(self, tables: Tables, works: Sequence[Work]) -> dict[str, str]:
        """Return in words, by key, why some of these rows are no records of the sink."""
        reasons: dict[str, str] = {}
        for work in works:
            if work.fate is Fate.SKIPPED:
                reasons[work.key] = f"skipped, {work.reason}"
            elif work.fate is Fate.DEAD_LETTERED:
                open_ones = await tables.dead_letters.listed(entity=self._plan.name, key=work.key, limit=1)
                reasons[work.key] = cause_of(open_ones[0]) if open_ones else "dead-lettered"
        return reasons

    async def _release(self, tables: Tables, keys: Sequence[str]) -> set[str]:
        if not keys:
            return set()
        name, now = self._plan.name, self._connection.clock.now()
        waiting = await tables.waiting.children(name, keys)
        if waiting:
            await tables.waiting.release_children(name, keys, now)
            self._connection.passed("children released")
        # a child that was given up because of this parent gets its chance now that the parent is there
        given_up = await tables.dead_letters.children(name, keys)
        await tables.waiting.park([WaitingRow(entity=entity, key=key, due_at=now) for entity, key in given_up], now)
        for entity in {entity for entity, _ in given_up}:
            await tables.dead_letters.forget_content(entity, [key for owner, key in given_up if owner == entity])
        return {entity for entity, *_ in waiting} | {entity for entity, _ in given_up}

    async def fail(self, tables: Tables, reasons: Mapping[str, str]) -> None:
        """Dead-letter the rows that wait for these parents, by parent key and reason, and those that wait for them."""
        await self._fail(tables, self._plan.name, reasons)

    async def _fail(self, tables: Tables, name: str, reasons: Mapping[str, str]) -> None:
        children = await tables.waiting.children(name, list(reasons)) if reasons else []
        letters = [self._letter(child, name, parent_key, reasons[parent_key]) for *child, parent_key in children]
        await tables.dead_letters.add(letters, self._connection.clock.now())
        for entity in {entity for entity, *_ in children}:
            failed = {letter.key: cause_of(asdict(letter)) for letter in letters if letter.entity == entity}
            await tables.waiting.leave(entity, list(failed))
            # nobody reads a row again that was read for its own children before: they are told here or never
            await self._fail(tables, entity, failed)

    def _letter(self, child: Sequence[str], name: str, parent_key: str, reason: str) -> DeadLetter:
        entity, key = child
        return DeadLetter(
            entity=entity,
            key=key,
            code=PARENT,
            error=f"{not_delivered(name, parent_key)}{reason}",
            hint=f"mend {name} {parent_key}; this row follows by itself once that is delivered",
            parent_entity=name,
            parent_key=parent_key,
            plugin=self._connection.plans[entity].plugin if entity in self._connection.plans else "",
        )


def not_delivered(entity: str, key: str) -> str:
    """Return how the error of a child begins."""
    return f"its parent {entity} {key} is not delivered: "


def cause_of(letter: Mapping[str, Any]) -> str:
    """Return in words, for its children, why a dead-lettered row is not delivered.

    Where a parent of its own is to blame, the first of the line is named and none between: each generation would add
    its sentence else.
    """
    if letter["code"] != PARENT:
        return f"dead-lettered, {letter['error']}"
    parent = (letter["parent_entity"], letter["parent_key"])
    cause: str = letter["error"].removeprefix(not_delivered(*parent))
    return cause if cause.startswith(NOR) else f"{NOR}{' '.join(parent)}: {cause}"
