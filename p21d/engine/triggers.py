"""Triggers: related tables whose changed rows make parents be read again, each with its own watermark and windows.

A page of changed rows is followed up over the trigger's hops; the keys of the parents it leads to are parked in the
waiting room, and the key reached passes the page in the transaction that parks the last of them. So a kill at any
point finds either the changed row ahead of the key reached, or its parents in the waiting room. The entity's release
cycles then read them; a parent whose content is the same costs the sink nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec
import structlog

from p21d.declaration import trigger_name
from p21d.engine.backoff import jittered
from p21d.engine.checkpoint import Checkpoint
from p21d.engine.connection import Connection
from p21d.engine.drain import Drain
from p21d.engine.hold import Hold
from p21d.engine.plan import Plan
from p21d.engine.room import check_room
from p21d.engine.window import sweep_interval_seconds
from p21d.plugin import Row, Trigger
from p21d.prophet21.page import Page
from p21d.prophet21.reading import Reading
from p21d.store.checkpoint import OpenWindow
from p21d.store.delivered import DeliveredRecord

log = structlog.get_logger("p21d.engine")

PARK_KEYS = 2_000
"""Keys held in memory before they are parked: one changed row may lead to any number of parents."""


@dataclass(slots=True)
class Passed:
    """What one window of a trigger met: changed rows, and keys parked for them."""

    rows: int = 0
    parked: int = 0


class TriggerWatch:
    """One trigger of one entity; `hold` is its own, so that a table it may not read holds nothing else.

    `may_run` returns when the entity is neither held nor paused, `caught_up` when its first window has ended.
    """

    def __init__(
        self,
        trigger: Trigger,
        plan: Plan,
        connection: Connection,
        drain: Drain,
        *,
        settle_seconds: float,
        may_run: Callable[[], Awaitable[None]],
        caught_up: Callable[[], Awaitable[None]],
    ) -> None:
        self.name = trigger_name(plan.entity, trigger)
        watched = partial(connection.watch.over, self.name, owner=plan.name)
        self.hold = Hold(self.name, connection.clock, self._probe, watched=watched)
        self._plan = plan
        self._trigger = trigger
        self._connection = connection
        self._drain = drain
        self._may_run = may_run
        self._caught_up = caught_up
        self._reading = Reading.of_trigger(trigger, plan.entity)
        reads = signature_of(plan, trigger, self._reading)
        self._checkpoint = Checkpoint(self.name, plan.settings, connection, reads=reads, settle_seconds=settle_seconds)

    async def run(self) -> None:
        """Sweep and poll at the entity's intervals, from its first catch-up on; raises Drained."""
        # opened before the catch-up: what changes while that takes its time is inside the window
        while await self._guarded(lambda: self._checkpoint.open("sweep")) is None:
            pass
        await self._caught_up()
        settings, clock = self._plan.settings, self._connection.clock
        sweep_at = clock.monotonic()
        while True:
            pause = settings.poll_interval
            if self.hold.outage_ended.is_set() or clock.monotonic() >= sweep_at or not settings.sweep_interval:
                self.hold.forget_outage()
                began = clock.monotonic()
                if await self._guarded(lambda: self.run_window("sweep")) is None:
                    continue
                interval = sweep_interval_seconds(settings, clock.monotonic() - began)
                sweep_at = began + interval
                pause = min(pause, interval) if settings.sweep_interval else interval
            else:
                await self._guarded(lambda: self.run_window("poll"))
            await self._drain.sleep(jittered(pause))

    async def run_window(self, kind: str) -> Passed:
        """Run one window to its end and return what it met; raises what interrupted it, and then it stays open."""
        began, passed = self._connection.clock.monotonic(), Passed()
        window = await self._checkpoint.open(kind)
        work = f"{self.name} {kind}"
        with self._connection.watch.over(work):
            pages = self._connection.source.pages(self._reading, low=window.low_text, after=after(window))
            async for page in pages:
                self._drain.check()
                check_room(self._connection)
                passed.rows += len(page.rows)
                passed.parked += await self._park_parents(page, window)
                self._connection.watch.step(work)
            async with self._connection.store.transaction() as tables:
                await self._checkpoint.end(tables, window)
            self._connection.passed("trigger's window ended")
        seconds = round(self._connection.clock.monotonic() - began, 3)
        log.info("trigger", trigger=self.name, kind=kind, rows=passed.rows, parked=passed.parked, seconds=seconds)
        return passed

    async def _park_parents(self, page: Page[Row], window: OpenWindow) -> int:
        """Park the parents of a page, then let the window reach its end; return how many were parked."""
        keys: dict[str, None] = {}
        parked = 0
        async for parents in self._parents(page):
            keys.update(dict.fromkeys(parents))
            if len(keys) >= PARK_KEYS:
                parked += await self._park(keys, window, reached="")
                keys = {}
                self._connection.watch.step(f"{self.name} {window.kind}")
        return parked + await self._park(keys, window, reached=text_of(page.reached))

    async def _park(self, keys: Iterable[str], window: OpenWindow, *, reached: str) -> int:
        found = await self._not_read_since(list(keys), window.opened_at)
        if found or reached:
            self._connection.passed("before parents parked")
            async with self._connection.store.transaction() as tables:
                await tables.waiting.park_triggered(self._plan.name, found, self._connection.clock.now())
                self._connection.passed("parents parked")
                if reached:
                    await tables.checkpoints.reach(self.name, window.kind, reached)
        if found:
            self._connection.announce(self._plan.name)
        return len(found)

    async def _not_read_since(self, keys: Sequence[str], opened_at: datetime) -> list[str]:
        """Return the keys without those that were delivered from a read after the window was opened.

        What changes after such a read is stamped after the window's HIGH and met again by the next one. So a first
        catch-up is not read twice.
        """
        delivered = await self._connection.store.read.delivered.by_keys(self._plan.name, keys)

        def is_fresh(record: DeliveredRecord) -> bool:
            return record.fingerprint is not None and record.read_at >= opened_at

        return [key for key in keys if key not in delivered or not all(map(is_fresh, delivered[key]))]

    async def _parents(self, page: Page[Row]) -> AsyncIterator[Iterator[str]]:
        """Yield the keys of the parents of a page's rows, in parts."""
        self._tell_undecodable(page, self._trigger.table)
        if not self._trigger.hops:
            yield self._keys(page.rows)
        elif page.rows:
            async for above in self._connection.source.climb(self._trigger, page.rows):
                self._tell_undecodable(above, self._trigger.hops[-1].table)
                yield self._keys(above.rows)

    def _keys(self, rows: Sequence[Row]) -> Iterator[str]:
        """Yield the key texts that rows name; a row that names no whole key has no parent."""
        for row in rows:
            if all(str(part).strip() for part in parts_of(row, self._plan.entity.key)):
                yield self._plan.key_of(row)

    def _tell_undecodable(self, page: Page[Any], table: str) -> None:
        for bad in page.undecodable:
            log.warning("trigger_row_does_not_decode", trigger=self.name, table=table, key=bad.key, error=bad.error)

    async def _guarded(self, run: Callable[[], Awaitable[Any]]) -> Any:
        """Run when trigger and entity may; a failure holds the trigger alone and returns None. Raises Drained."""
        await self.hold.wait(self._drain)
        await self._may_run()
        return await self.hold.attempt(run)

    async def _probe(self, system: str) -> None:
        """Read one row of each table of the way up: any of them may be the one that P21 refuses."""
        if not system:
            return
        await self._connection.source.probe(self._reading)
        for hop in self._trigger.hops:
            if not hop.optional:
                await self._connection.source.probe(Reading.of_related(hop))


def parts_of(row: Row, columns: Sequence[str]) -> Iterator[object]:
    """Yield a row's values of these columns, an empty text for null."""
    for column in columns:
        value = getattr(row, column)
        yield "" if value is None else value


def text_of(key: Sequence[Any] | None) -> str:
    """Return a page key as JSON, empty without one; a trigger declares no types, so the text must tell 12 from "12"."""
    return msgspec.json.encode(key).decode() if key else ""


def after(window: OpenWindow) -> tuple[Any, ...] | None:
    """Return the page key that a window goes on after."""
    return tuple(msgspec.json.decode(window.reached)) if window.reached else None


def signature_of(plan: Plan, trigger: Trigger, reading: Reading[Any]) -> str:
    """Return a text that changes when a trigger's key reached no longer fits what is read, or where it leads."""
    way = [(hop.surface, hop.table, sorted(hop.match.items()), hop.filter) for hop in trigger.hops]
    parts = (reading.table, reading.columns.select, reading.page_by, reading.modified, way, plan.entity.key)
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()
