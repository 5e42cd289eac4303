"""Bugs to plant in a daemon's engine: each breaks one promise, and the checks on the store it leaves must catch it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from p21d.engine.acknowledged import AcknowledgedRecords
from p21d.engine.cycle import Cycle
from p21d.engine.fate import Fate
from p21d.engine.progress import Progress, Segment
from p21d.engine.sending import Sending
from p21d.engine.settlement import Settlement
from p21d.engine.triggers import TriggerWatch
from p21d.engine.windows import Windows
from p21d.engine.work import Outgoing, Work
from p21d.store.delivered import DeliveredRecord


def watermark_before_fates() -> None:
    """The watermark moves when a window is opened, not when its rows have their fates."""
    run = Windows.run

    async def moved(self: Any, kind: str, **options: Any) -> Any:
        window = await self._checkpoint.open(kind)
        async with self._connection.store.transaction() as tables:
            await tables.checkpoints.move_watermark(self._plan.name, window.high_at, window.high_text)
        return await run(self, kind, **options)

    Windows.run = moved  # type: ignore[method-assign]


def key_reached_before_fates() -> None:
    """The key reached is that of the page that was read, whatever becomes of its rows."""
    begin = Cycle._begin

    async def reached(self: Any, works: list[Work], page: Any, tasks: Any) -> None:
        if self._progress is not None and page.rows:
            async with self._connection.store.transaction() as tables:
                await tables.checkpoints.reach(self._plan.name, self._window, works[-1].page_key)
        await begin(self, works, page, tasks)

    Cycle._begin = reached  # type: ignore[method-assign]


def batches_reach_their_own_end() -> None:
    """A batch that ends lets the window reach its end, though one before it is still on its way."""

    def own_end(_self: Progress, segment: Segment) -> str:
        return segment.last

    Progress.would_reach = own_end  # type: ignore[method-assign]


def fate_before_acknowledgement() -> None:
    """The fingerprint is kept before the sink has the record."""

    async def noted(self: Any, records: Sequence[tuple[Work, Outgoing]]) -> None:
        kept = [DeliveredRecord(w.key, r.external_id, r.fingerprint, r.active, w.read_at) for w, r in records]
        async with self._connection.store.transaction() as tables:
            await tables.delivered.acknowledge(self._plan.name, kept, self._connection.clock.now())
        self._connection.passed("attempts noted")

    Sending._note_attempts = noted  # type: ignore[method-assign]


def link_not_kept() -> None:
    """What the sink answers about its ids is forgotten."""
    AcknowledgedRecords._links = lambda _self, _done: []  # type: ignore[method-assign]


def parked_row_forgotten() -> None:
    """A row that waits for its parent has no place in the waiting room."""
    keep = Settlement._keep_waiting

    async def forgotten(self: Any, tables: Any, works: Sequence[Work]) -> None:
        await keep(self, tables, [work for work in works if work.fate is not Fate.WAITING])

    Settlement._keep_waiting = forgotten  # type: ignore[method-assign]


def triggered_row_forgotten() -> None:
    """A changed unit has nobody read its product again."""

    async def none(_self: Any, _keys: Any, _opened_at: Any) -> list[str]:
        return []

    TriggerWatch._not_read_since = none  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    bug.__name__: bug
    for bug in (
        watermark_before_fates,
        key_reached_before_fates,
        batches_reach_their_own_end,
        fate_before_acknowledgement,
        link_not_kept,
        parked_row_forgotten,
        triggered_row_forgotten,
    )
}
