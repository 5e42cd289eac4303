"""One run: a world is made, a schedule is played on it, it settles, and both sides are compared."""

from __future__ import annotations

from pathlib import Path

import msgspec

from p21d.clock import Clock
from p21d.control.answers import SyncRequest
from p21d.control.order_answers import OrderAnswer
from p21d.errors import P21dError
from p21d.torture.playing import Playing
from p21d.torture.process import DRIVER, Ended
from p21d.torture.remembered import Remembered
from p21d.torture.schedule import Schedule
from p21d.torture.settling import catch_up, settle
from p21d.torture.shop import MOST_ORDERS, Shop
from p21d.torture.verdict import Verdict, judge
from p21d.torture.wanted import ENTITIES
from p21d.torture.world import World, world


class Outcome(msgspec.Struct, kw_only=True):
    """What one run did and found; `counts` are what happened, `folder` holds log and store of a run that failed.

    `ahead`: records that a watermark had passed without a fate. `broken`: what a daemon may not do in any case: it
    ended by itself, logged a bug of its own, or never came to rest.
    """

    seed: int
    seconds: float
    counts: dict[str, int] = {}
    verdict: Verdict = msgspec.field(default_factory=Verdict)
    ahead: list[str] = []
    broken: list[str] = []
    folder: str = ""

    @property
    def good(self) -> bool:
        """Tell whether every promise was kept."""
        return not (self.verdict.lost or self.verdict.doubled or self.ahead or self.broken)


async def torture(schedule: Schedule, folder: Path, clock: Clock, *, driver: str = DRIVER) -> Outcome:
    """Run one schedule in a folder of its own; a daemon that breaks is an outcome, not an error."""
    began_at = clock.monotonic()
    outcome = Outcome(seed=schedule.seed, seconds=0.0, folder=str(folder))
    async with world(schedule, folder, clock, driver=driver) as here:
        shop = Shop(here.p21, here.hub)
        playing = Playing(here, shop, schedule)
        try:
            await begin(here, schedule)
            await playing.play()
            outcome.broken = [f"still on its way: {what}" for what in await settle(here, shop)]
            await _find(here, shop, outcome)
        except P21dError as error:
            outcome.broken.append(str(error))
        outcome.broken += [f"logged an error: {what}" for what in here.daemon.errors()]
    outcome.ahead, outcome.counts = playing.ahead, dict(playing.counts)
    outcome.seconds = round(clock.monotonic() - began_at, 1)
    return outcome


async def begin(here: World, schedule: Schedule) -> None:
    """Start the daemon, and either wait until it is in step, or let trouble meet its first look at every row."""
    await here.daemon.start()
    await here.daemon.answering()
    if not schedule.caught_up:
        async with here.daemon.client() as client:
            for entity in ENTITIES:
                await client.sync(SyncRequest(entity=entity, all=True))
        return
    await catch_up(here)
    here.daemon.write({"entities": {name: _narrowed(here, name, schedule) for name in ENTITIES}})
    async with here.daemon.client() as client:
        if not (answer := await client.reload()).reloaded:
            raise Ended(f"a reload was refused: {answer.error}", hint=answer.hint)


def _narrowed(here: World, entity: str, schedule: Schedule) -> dict[str, object]:
    return {**here.daemon.settings["entities"][entity], "poll_search_days": schedule.look_back_days}


async def _find(here: World, shop: Shop, outcome: Outcome) -> None:
    outcome.verdict = judge(here.p21, here.hub, Remembered(here.daemon.store), shop, await ledger(here))
    await here.daemon.stop()


async def ledger(here: World) -> list[OrderAnswer]:
    """Return every order the daemon knows."""
    async with here.daemon.client() as client:
        return (await client.orders(everything=True, limit=MOST_ORDERS)).orders
