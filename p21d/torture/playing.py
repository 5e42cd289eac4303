"""Plays a schedule: one event after the other at its time, the daemon's deaths included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from p21d.clock import from_millis
from p21d.control.client import ControlClient
from p21d.errors import P21dError
from p21d.sandbox.distributor import tick
from p21d.sandbox.faults import Faults
from p21d.torture.remembered import Remembered
from p21d.torture.schedule import Event, Schedule
from p21d.torture.shop import Shop
from p21d.torture.verdict import ahead
from p21d.torture.world import World

Undo = Callable[[], Awaitable[None]]


class Playing:
    """One schedule on one world; `counts` says what has happened, `ahead` where a watermark was."""

    def __init__(self, here: World, shop: Shop, schedule: Schedule) -> None:
        self.counts: Counter[str] = Counter()
        self.ahead: list[str] = []
        self._here = here
        self._shop = shop
        self._schedule = schedule
        self._began_at = 0.0
        self._since: dict[str, str] = {}
        self._ends: list[tuple[float, Undo]] = []

    async def play(self) -> None:
        """Play every event, and end what lasts."""
        self._began_at = self._here.clock.monotonic()
        for event in self._schedule.events:
            await self._end_until(event.at)
            await self._wait_until(event.at)
            await self._happen(event)
        await self.make_peace()

    async def make_peace(self) -> None:
        """End all faults at once."""
        for _, undo in self._ends:
            await undo()
        self._ends.clear()
        for side, server in self._here.servers.items():
            await server.up()
            self._count_fired(side)
            self._faults(side).clear()

    async def _end_until(self, at: float) -> None:
        while self._ends and self._ends[0][0] <= at:
            ends_at, undo = self._ends.pop(0)
            await self._wait_until(ends_at)
            await undo()

    async def _wait_until(self, at: float) -> None:
        left = self._began_at + at - self._here.clock.monotonic()
        await self._here.clock.sleep(max(left, 0))

    async def _happen(self, event: Event) -> None:
        undo: Undo | None = await getattr(self, f"_{event.what}")(event)
        if undo is not None:
            self._ends.append((event.at + event.seconds, undo))
            self._ends.sort(key=lambda end: end[0])

    async def _life(self, _event: Event) -> None:
        database = self._here.p21.database
        self.counts["changes"] += len(tick(database, database.time.now()))

    async def _orders(self, event: Event) -> None:
        self._shop.place(event.count, event.seed)

    async def _fault(self, event: Event) -> Undo:
        assert event.fault is not None  # noqa: S101  # the schedule's own form
        faults = self._faults(event.side)
        return partial(self._end_fault, faults, faults.add(event.fault))

    async def _end_fault(self, faults: Faults, fault_id: int) -> None:
        self.counts["faults"] += faults.fired(fault_id)
        faults.remove(fault_id)

    async def _down(self, event: Event) -> Undo:
        self.counts["faults"] += 1
        server = self._here.servers[event.side or "p21"]
        await server.down()
        return server.up

    async def _tokens(self, event: Event) -> None:
        self.counts["faults"] += 1
        side = self._here.p21 if event.side == "p21" else self._here.hub
        side.tokens.kill_all()

    async def _setting(self, event: Event) -> Undo:
        self.counts["faults"] += 1
        settings = self._here.p21.settings if event.side == "p21" else self._here.hub.settings
        usual = type(settings)()  # not what it was before: two that overlap would keep each other
        _set(settings, event.values)

        async def undo() -> None:
            _set(settings, {name: getattr(usual, name) for name in event.values})

        return undo

    async def _kill(self, _event: Event) -> None:
        self.counts["kills"] += 1
        await self._here.daemon.kill()
        self._check_watermarks()
        await self._here.daemon.start()

    async def _stop(self, _event: Event) -> None:
        self.counts["stops"] += 1
        await self._here.daemon.answering()  # before its first word it would not drain, but die of the signal
        await self._here.daemon.stop()
        self._check_watermarks()
        await self._here.daemon.start()

    async def _reload(self, event: Event) -> None:
        self.counts["reloads"] += 1
        self._here.daemon.write(event.values)
        await self._ask(lambda client: client.reload())

    async def _pause(self, event: Event) -> Undo:
        self.counts["pauses"] += 1
        await self._ask(lambda client: client.pause(event.entity))

        async def undo() -> None:
            await self._ask(lambda client: client.resume(event.entity))

        return undo

    async def _hurry(self, _event: Event) -> None:
        async def resume(client: ControlClient) -> None:
            for entity in await client.entities():
                if entity.state == "held":
                    await client.resume(entity.entity)

        await self._ask(resume)

    async def _ask(self, ask: Callable[[ControlClient], Awaitable[Any]]) -> None:
        """Ask the daemon; one that is just starting, or refuses, is left alone."""
        self._here.daemon.check()
        try:
            async with self._here.daemon.client() as client:
                await ask(client)
        except P21dError:
            self.counts["unanswered"] += 1

    def _check_watermarks(self) -> None:
        """Find what a watermark has passed; the daemon is dead, and all that it says stands in its store."""
        store = Remembered(self._here.daemon.store)
        whole = (
            self._schedule.caught_up or self._schedule.look_back_days
        )  # else a watermark begins where it is first seen
        for name, at in store.watermarks().items():
            self._since.setdefault(name, "" if whole else self._here.p21.database.time.text(from_millis(at)))
        self.ahead += ahead(self._here.p21, self._here.hub, store, self._since)

    def _count_fired(self, side: str) -> None:
        self.counts["faults"] += sum(state.fired for state in self._faults(side).list())

    def _faults(self, side: str | None) -> Faults:
        return self._here.p21.faults if side == "p21" else self._here.hub.faults


def _set(settings: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
