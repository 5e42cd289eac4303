"""Bugs that the model must catch: each plants one into the engine, for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, tzinfo
from typing import Any

import pytest

from p21d.engine.claims import Claims
from p21d.engine.cycle import Cycle
from p21d.engine.delivery import Delivery
from p21d.engine.fate import Fate
from p21d.engine.preparation import Preparation
from p21d.engine.releases import Releases
from p21d.engine.sending import Sending
from p21d.engine.settlement import Settlement
from p21d.engine.triggers import TriggerWatch
from p21d.engine.work import Outgoing, Work
from p21d.errors import P21dError
from p21d.prophet21 import zone
from p21d.store.delivered import DeliveredRecord
from tests.engine.model import installation


def watermark_passes_a_failed_batch(patch: pytest.MonkeyPatch) -> None:
    """A window counts as completed though a batch of it failed."""
    run = Cycle.run

    async def run_to_the_end(self: Cycle, pages: Any) -> None:
        try:
            await run(self, pages)
        except P21dError:
            self.tally.read -= self.tally.unfinished
            self.tally.unfinished = 0

    patch.setattr(Cycle, "run", run_to_the_end)


def fingerprint_before_the_answer(patch: pytest.MonkeyPatch) -> None:
    """A record counts as delivered when it is about to be sent."""
    note = Sending._note_attempts

    async def note_as_delivered(self: Sending, records: Sequence[tuple[Work, Outgoing]]) -> None:
        await note(self, records)
        early = [
            DeliveredRecord(work.key, record.external_id, record.fingerprint, record.active, work.read_at)
            for work, record in records
        ]
        async with self._connection.store.transaction() as tables:
            await tables.delivered.acknowledge(self._plan.name, early, self._connection.clock.now())

    patch.setattr(Sending, "_note_attempts", note_as_delivered)


def older_copy_is_sent(patch: pytest.MonkeyPatch) -> None:
    """A copy read before the delivered one is not read again."""
    patch.setattr(Delivery, "_stale", lambda *_: set())


def release_forgets_its_rows(patch: pytest.MonkeyPatch) -> None:
    """The rows that are due leave the waiting room before they are read."""
    pages = Releases._pages

    async def pages_of_forgotten(self: Releases, keys: Sequence[str]) -> AsyncIterator[Any]:
        async with self._connection.store.transaction() as tables:
            await tables.waiting.leave(self._plan.name, keys)
        async for page in pages(self, keys):
            yield page

    patch.setattr(Releases, "_pages", pages_of_forgotten)


def trigger_passes_before_it_parks(patch: pytest.MonkeyPatch) -> None:
    """The key reached of a trigger passes the page in a transaction before the one that parks its parents."""
    park = TriggerWatch._park

    async def reach_and_park(self: TriggerWatch, keys: Any, window: Any, *, reached: str) -> int:
        async with self._connection.store.transaction() as tables:
            await tables.checkpoints.reach(self.name, window.kind, reached)
        return await park(self, keys, window, reached="")

    patch.setattr(TriggerWatch, "_park", reach_and_park)


def lost_answer_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """An attempt does not clear the fingerprint: after a lost answer and a change back the row looks unchanged."""

    async def note_nothing(*_: Any) -> None:
        return

    patch.setattr(Sending, "_note_attempts", note_nothing)


def skipped_rows_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    """A fate is missing in the tally."""
    count = Cycle._count
    patch.setattr(Cycle, "_count", lambda self, works: count(self, [w for w in works if w.fate is not Fate.SKIPPED]))


def nothing_is_claimed(patch: pytest.MonkeyPatch) -> None:
    """Two cycles may send one record at once."""

    @asynccontextmanager
    async def hold(_self: Claims, _names: Collection[Any]) -> AsyncIterator[None]:
        yield

    patch.setattr(Claims, "hold", hold)


def claims_are_kept(patch: pytest.MonkeyPatch) -> None:
    """What was claimed for a batch that failed is never free again."""

    @asynccontextmanager
    async def hold(self: Claims, names: Collection[Any]) -> AsyncIterator[None]:
        async with self._changed:
            while set(names) & self._held:
                await self._changed.wait()
            self._held |= set(names)
        yield
        self._held -= set(names)

    patch.setattr(Claims, "hold", hold)


def unchanged_rows_are_sent(patch: pytest.MonkeyPatch) -> None:
    """The fingerprint is not looked at."""
    must_send = Preparation._must_send
    patch.setattr(Preparation, "_must_send", lambda *given: must_send(*given) or True)


def waiting_rows_are_not_parked(patch: pytest.MonkeyPatch) -> None:
    """A row whose parent is missing gets its fate, and no place in the waiting room."""

    async def keep_nothing(*_: Any) -> None:
        return

    patch.setattr(Settlement, "_keep_waiting", keep_nothing)


def nothing_settles(patch: pytest.MonkeyPatch) -> None:
    """The watermark moves to P21's now, over rows that are not committed yet."""
    patch.setattr(installation, "SETTLE_SECONDS", 0.0)


def clocks_never_go_back(patch: pytest.MonkeyPatch) -> None:
    """The hour that comes twice is read as if it came once."""

    def wall(instant: datetime, place: tzinfo) -> datetime:
        return instant.astimezone(place).replace(tzinfo=None, fold=0)

    patch.setattr(zone, "earliest_wall", wall)


BUGS = [
    fingerprint_before_the_answer,
    lost_answer_is_forgotten,
    skipped_rows_are_not_counted,
    nothing_is_claimed,
    claims_are_kept,
    unchanged_rows_are_sent,
    waiting_rows_are_not_parked,
]
"""Bugs that the few examples of the usual run show."""
RARE_BUGS = [
    watermark_passes_a_failed_batch,
    older_copy_is_sent,
    release_forgets_its_rows,
    trigger_passes_before_it_parks,
    nothing_settles,
    clocks_never_go_back,
]
"""Bugs that need one story told in one way: chance meets them in a longer run only."""
