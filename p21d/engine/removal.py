"""Removal: what becomes of delivered records whose row a backfill did not meet.

Each is asked for by key once more, under the filter: where the row is there after all, it is delivered like any other.
Where it is not, it is asked for without the filter, to say why, and the record gets the delete treatment.

More than 5 % of an entity's records at once looks like a wrong filter or a table half restored rather than like life,
so then nothing is sent before a person has said yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from p21d.engine.building import build
from p21d.engine.connection import Connection
from p21d.engine.plan import Plan
from p21d.engine.preparation import Preparation
from p21d.engine.work import Work
from p21d.plugin import RelatedRows
from p21d.prophet21.page import Page
from p21d.prophet21.related import ReadRows

MAX_SHARE = 0.05
FEW = 10
"""So many records are never too many: one of a site's three locations is more than 5 %."""
GONE = "gone from P21"
OUTSIDE = "outside the filter"


def too_many(vanished: int, active: int) -> bool:
    """Tell whether a person must be asked before so many of the active records become inactive."""
    return vanished > FEW and vanished > MAX_SHARE * active


class Removal(Preparation):
    """Prepares pages of asked-for keys: rows that are there as ever, absent ones for the delete treatment."""

    def __init__(self, plan: Plan, connection: Connection, *, kind: str, force: bool = False) -> None:
        super().__init__(plan, connection, kind=kind, force=force)
        self._everywhere = replace(plan.reading, filter="")

    async def prepare(self, page: Page[Any]) -> list[Work]:
        """Return the page's rows as work, and one piece of work per key that is absent from it."""
        works = await super().prepare(page)
        return works + await self._vanished(page.absent) if page.absent else works

    async def _vanished(self, keys: Sequence[str]) -> list[Work]:
        page = await self._connection.source.by_keys(self._everywhere, keys)
        related: RelatedRows = ReadRows()
        if self._plan.entity.related and page.rows:
            related = await self._connection.source.related(self._plan.entity, page.rows)
        fuse = self._connection.fuses[self._plan.name]
        works = [vanished(work, OUTSIDE) for work in build(self._plan, page, related, fuse)]
        works += [vanished(Work(key, key, page.read_at), GONE) for key in page.absent]
        await self._recall(works)
        return works


def vanished(work: Work, why: str) -> Work:
    """Return the work as a row that is deleted: what was delivered becomes inactive, whatever the plug-in says."""
    work.deleted, work.vanished = True, why
    work.records.clear()
    work.letters.clear()
    work.skip(why)
    return work
