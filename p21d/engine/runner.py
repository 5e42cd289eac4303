"""Runs one entity: its polls, sweeps, releases and syncs, each a task of its own, none while held or paused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import anyio
import structlog

from p21d.engine.backfill import Backfills
from p21d.engine.backfill_cycle import Outcome
from p21d.engine.backoff import jittered
from p21d.engine.connection import Connection
from p21d.engine.cycle import Cycle
from p21d.engine.drain import Drain, Drained
from p21d.engine.fate import Tally
from p21d.engine.gate import Gate
from p21d.engine.loops import until_drained
from p21d.engine.plan import Plan
from p21d.engine.releases import Releases
from p21d.engine.room import check_room
from p21d.engine.triggers import TriggerWatch
from p21d.engine.window import sweep_interval_seconds
from p21d.engine.windows import Windows

log = structlog.get_logger("p21d.engine")

RELEASE_SECONDS = 15.0
"""How often the waiting room is looked at when nothing announces itself; due retries are met within it."""

T = TypeVar("T")


class Runner:
    """One entity at work; its `gate` says when cycles may start, `next_poll_at` is for status."""

    def __init__(self, plan: Plan, connection: Connection, *, settle_seconds: float) -> None:
        self.plan = plan
        self.drain = Drain(connection.clock)
        self.gate = Gate(plan, connection, self.drain)
        self.next_poll_at: datetime | None = None
        self._connection = connection
        self._windows = Windows(plan, connection, self.drain, settle_seconds=settle_seconds)
        self._releases = Releases(plan, connection, self.drain, self._windows.running)
        self.backfills = Backfills(plan, connection, self.drain, self._windows.running)
        watch = partial(TriggerWatch, may_run=self.gate.pass_through, caught_up=partial(self._caught_up, plan.name))
        self.triggers = [
            watch(trigger, plan, connection, self.drain, settle_seconds=settle_seconds)
            for trigger in plan.entity.triggers
        ]
        self._sweep_seconds = 0.0
        self._polled_at: datetime | None = None
        self._sync_wanted = anyio.Event()
        self._sync: anyio.Lock = anyio.Lock()
        self._by_hand: set[anyio.CancelScope] = set()

    async def run(self) -> None:
        """Run until drained."""
        if await self._connection.store.read.checkpoints.watermark(self.plan.name) is not None:
            self._connection.caught_up[self.plan.name].set()
        async with anyio.create_task_group() as tasks:
            for loop in (self._sweep, self._poll, self._release, self._resume_sync, self._backfill):
                tasks.start_soon(until_drained, loop, self.gate.hold, self.drain)
            for trigger in self.triggers:
                tasks.start_soon(until_drained, trigger.run, trigger.hold, self.drain)

    def cut_off(self) -> None:
        """End what runs outside of `run`, because a person asked for it; the runner is not used any more."""
        self.drain.request()
        for scope in list(self._by_hand):
            scope.cancel()

    async def _for_person(self, run: Callable[[], Awaitable[T]]) -> T:
        """Run what a person asked for and waits for; raises Drained where the entity is begun anew meanwhile."""
        with anyio.CancelScope() as scope:
            self._by_hand.add(scope)
            try:
                return await run()
            finally:
                self._by_hand.discard(scope)
        raise Drained("the entity is begun anew")

    async def _sweep(self) -> None:
        """Sweep at the start, after every outage, and at its interval; the first sweep is the first catch-up."""
        await self._parents_first()
        while True:
            took = await self.gate.guarded(self._run_sweep)
            if took is None:
                continue
            self._connection.refusals[self.plan.name].forget()  # the rows that were refused have a fate now
            self._connection.fuses[self.plan.name].forget()
            self.gate.hold.forget_outage()  # the sweep itself ended it, and has read all of the look-back since
            interval = sweep_interval_seconds(self.plan.settings, took)
            await self.drain.wait_for(self.gate.hold.outage_ended, jittered(interval))

    async def _run_sweep(self) -> float:
        """Sweep, and return the seconds it took, without the time it was held or paused before."""
        self.gate.hold.forget_outage()  # what ended before this sweep needs no other
        began = self._connection.clock.monotonic()
        await self._windows.run("sweep")
        self._sweep_seconds = self._connection.clock.monotonic() - began
        return self._sweep_seconds

    async def _poll(self) -> None:
        """Poll at its interval."""
        while True:
            interval = jittered(self.plan.settings.poll_interval)
            self.next_poll_at = self._connection.clock.now() + timedelta(seconds=interval)
            await self.drain.sleep(interval)
            while self._polls_apart() and await self.gate.guarded(self._run_poll) is None:
                pass  # after a hold it is tried again at once, not an interval later

    async def _run_poll(self) -> Tally:
        """Poll from the watermark; before there is one, what has changed since the poll before.

        A first catch-up of 400,000 products lasts hours: what changes meanwhile, in this entity or in one that waits
        for it, must not be that late. Such a poll moves no watermark, and the first window meets its rows again.
        """
        if self._connection.caught_up[self.plan.name].is_set():
            return await self._windows.run("poll")
        now = await self._connection.source.now()
        low = (self._polled_at or now) - timedelta(seconds=self.plan.settings.overlap)
        tally = await self._windows.run("poll", low=low)
        self._polled_at = now
        return tally

    def _polls_apart(self) -> bool:
        """Tell whether polls run beside the sweeps; with `sweep_interval: 0` only while sweeps are too slow for it."""
        settings = self.plan.settings
        caught_up = self._connection.caught_up[self.plan.name].is_set()
        return bool(settings.sweep_interval) or not caught_up or self._sweep_seconds > settings.poll_interval / 10

    async def _release(self) -> None:
        """Read what others wait for and what waits no more, as soon as it is announced."""
        while True:
            news = self._connection.news[self.plan.name] = anyio.Event()
            if not await self.gate.guarded(self._releases.run_due):
                await self.drain.wait_for(news, RELEASE_SECONDS)

    async def _resume_sync(self) -> None:
        """Finish the sync window that a stop left open, then those that are asked for."""
        while True:
            wanted = self._sync_wanted = anyio.Event()
            if await self._connection.store.read.checkpoints.open_window(self.plan.name, "sync"):
                await self.gate.guarded(self._run_open_sync)
            else:
                await self.drain.wait_for(wanted, RELEASE_SECONDS)

    async def _run_open_sync(self) -> Tally:
        async with self._sync_turn():
            return await self._windows.run("sync")

    @asynccontextmanager
    async def _sync_turn(self) -> AsyncIterator[None]:
        """Hold the turn of the one sync window that may run."""
        with self._connection.watch.resting():  # the other one may take hours, and is watched itself
            await self._sync.acquire()
        try:
            yield
        finally:
            self._sync.release()

    async def _backfill(self) -> None:
        """Run the backfill that is open, asked for or due, from the end of the first catch-up on."""
        await self.backfills.introduce()
        await self._caught_up(self.plan.name)
        while True:
            await self.backfills.wait_due()
            await self.gate.guarded(self.backfills.run_due)

    async def request_backfill(self, *, force: bool, confirmed: bool) -> None:
        """Keep a backfill in the store and run it as soon as the entity may run."""
        self.gate.refuse_if_paused()
        await self.backfills.request(force=force, confirmed=confirmed)

    async def backfill(self, *, force: bool, confirmed: bool) -> Outcome:
        """Run a backfill, held or not, or wait for the one that runs; raises what interrupts it."""
        self.gate.refuse_if_paused()
        check_room(self._connection)
        await self.backfills.request(force=force, confirmed=confirmed)
        return await self._for_person(self._backfill_now)

    async def _backfill_now(self) -> Outcome:
        with self._connection.watch.over(self.plan.name, owner=self.plan.name):
            return await self.backfills.run()

    async def request_sync(self, low: datetime) -> None:
        """Keep a sync window in the store and run it as soon as the entity may run."""
        self.gate.refuse_if_paused()
        await self.gate.check()
        await self._windows.keep_sync(low)
        self._sync_wanted.set()

    async def sync_window(self, low: datetime, *, force: bool) -> Tally:
        """Run a sync from that instant, held or not; raises what interrupts it, and it is resumed later."""

        async def run() -> Tally:
            async with self._sync_turn():
                return await self.gate.at_once(lambda: self._windows.run("sync", low=low, force=force))

        return await self._for_person(run)

    async def sync_keys(self, keys: Sequence[str], *, force: bool) -> Cycle:
        """Run a sync over these keys; raises what interrupts it."""
        run = partial(self._releases.run, "sync", keys, force=force)
        return await self._for_person(lambda: self.gate.at_once(run))

    def resume(self) -> None:
        """Run again, and at once if held."""
        self.gate.resume()
        for trigger in self.triggers:
            trigger.hold.hurry()

    @property
    def waits_for(self) -> list[str]:
        """Return the parents whose first window must be completed before this entity's begins."""
        entity, connection = self.plan.entity, self._connection
        required = (name for name in entity.parent_entities if name not in entity.optional_parents)
        enabled = (name for name in required if connection.plans[name].settings.enabled)
        return [name for name in enabled if not connection.caught_up[name].is_set()]

    @property
    def running(self) -> dict[str, Tally]:
        """Return the tallies of the cycles that run now, by kind."""
        return self._windows.running

    async def _parents_first(self) -> None:
        """In a first catch-up, start after the parents' first window, so that little has to wait for them."""
        for parent in self.waits_for:
            await self._caught_up(parent)

    async def _caught_up(self, entity: str) -> None:
        while not self._connection.caught_up[entity].is_set():
            await self.drain.wait_for(self._connection.caught_up[entity], RELEASE_SECONDS)
