"""The end of a run: faults are over, and an administrator helps until nothing is on its way any more.

What is asked for here may not repair what the daemon has lost: holds end, rows that the daemon itself says are waiting
are synced by their keys, held orders are decided. No window is read again.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from p21d.clock import from_millis
from p21d.control.answers import SyncRequest
from p21d.control.client import ControlClient
from p21d.errors import P21dError
from p21d.torture.process import Ended
from p21d.torture.remembered import Remembered
from p21d.torture.shop import Shop
from p21d.torture.verdict import judge_records
from p21d.torture.wanted import ENTITIES, WRITER
from p21d.torture.world import World

DEADLINE_SECONDS = 120.0
STEP_SECONDS = 0.25
AGREE_SECONDS = 4.0
"""How long a difference may last once nothing is on its way: two more polls."""


async def catch_up(here: World) -> None:
    """Wait until the daemon is in step for the first time; raises Ended at the deadline."""
    ends_at = here.clock.monotonic() + DEADLINE_SECONDS
    while (open_ends := await _open_ends(here, None)) and here.clock.monotonic() < ends_at:
        await here.clock.sleep(STEP_SECONDS)
    if open_ends:
        raise Ended(f"the first catch-up did not end within {DEADLINE_SECONDS:g} s: {'; '.join(open_ends)}")


async def settle(here: World, shop: Shop) -> list[str]:
    """Wait until nothing is on its way; return what still is at the deadline."""
    last_change = here.p21.database.time.now()
    ends_at = here.clock.monotonic() + DEADLINE_SECONDS
    while here.clock.monotonic() < ends_at:
        await here.clock.sleep(STEP_SECONDS)
        shop.place_late()
        await _help(here)
        open_ends = await _open_ends(here, shop, _latest(here, last_change))
        if not open_ends:
            await _agree(here)
            return []
    return open_ends


async def _agree(here: World) -> None:
    """Give what was delivered last a moment to arrive on both sides."""
    ends_at = here.clock.monotonic() + AGREE_SECONDS
    while here.clock.monotonic() < ends_at:
        if not judge_records(here.p21, here.hub, Remembered(here.daemon.store))[0]:
            return
        await here.clock.sleep(STEP_SECONDS)


def _latest(here: World, last_change: datetime) -> str:
    """Return the stamp of the last change; orders that are written meanwhile are changes too."""
    time = here.p21.database.time
    stamps = [str(row["date_last_modified"]) for row in here.p21.database.rows("oe_hdr", {"created_by": WRITER})]
    return max([time.text(last_change), *stamps])


async def _open_ends(here: World, shop: Shop | None, last_change: str = "") -> list[str]:
    """Return in words what is on its way."""
    here.daemon.check()
    try:
        async with here.daemon.client() as client:
            status = await client.status()
            over = shop is None or await shop.decide(client)
    except Ended:
        raise
    except P21dError as error:
        return [error.message]
    found = [
        f"{entity.entity} {entity.state} {entity.reason}" for entity in status.entities if entity.state != "in step"
    ]
    found += [f"{entity.entity} waits" for entity in status.entities if entity.waiting or entity.triggered]
    found += Remembered(here.daemon.store).unfinished()
    found += [] if over else ["orders"]
    return found + _behind(here, last_change)


def _behind(here: World, last_change: str) -> list[str]:
    """Return the watermarks that have not passed the last change, those of triggers too."""
    marks, time = Remembered(here.daemon.store).watermarks(), here.p21.database.time
    found = [f"{name} has no watermark" for name in ENTITIES if name not in marks]
    behind = (name for name, at in marks.items() if time.text(from_millis(at)) <= last_change)
    return found + [f"watermark of {name}" for name in behind]


async def _help(here: World) -> None:
    """Resume what is held or paused, and sync what waits by its keys."""
    with contextlib.suppress(P21dError):  # asked again at the next step
        async with here.daemon.client() as client:
            for entity in await client.entities():
                if entity.state in ("held", "paused", "retrying"):
                    await client.resume(entity.entity)
            await _sync_waiting(here, client)


async def _sync_waiting(here: World, client: ControlClient) -> None:
    waiting = Remembered(here.daemon.store).waiting()
    for entity in ENTITIES:  # parents first
        if keys := waiting.get(entity):
            await client.sync(SyncRequest(entity=entity, keys=keys, wait=True))
