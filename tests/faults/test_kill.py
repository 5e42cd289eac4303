"""Killed at any moment, the daemon goes on from its checkpoint: nothing lost, nothing doubled, nothing read twice."""

from __future__ import annotations

import random
import re
import sqlite3

from p21d.sandbox.faults import Fault
from tests.faults.comparison import assert_in_step
from tests.faults.world import Daemon, until, world


def key_reached(daemon: Daemon) -> int:
    """Return the key that the open window of products stands at, 0 where there is none."""
    with sqlite3.connect(f"file:{daemon.store}?mode=ro", uri=True) as store:
        row = store.execute("SELECT reached FROM open_window WHERE entity = 'product'").fetchone()
    store.close()
    return int(re.sub(r"\D", "", row[0]) or 0) if row else 0


def keys_asked(requests) -> list[int]:
    """Return after which key each page of products was asked for, 0 for the first page."""
    pages = [request.query for request in requests if request.path.endswith("/inv_mast") and "top=20" in request.query]
    windows = [query for query in pages if "inv_mast_uid eq" not in query]  # releases read by key
    return [int(match[1]) if (match := re.search(r"inv_mast_uid gt (\d+)", query)) else 0 for query in windows]


async def test_killed_in_its_first_sync_it_reads_on_from_the_key_reached(tmp_path):
    async with world(tmp_path, "product", rows=200, prophet21={"page_rows": 20}, batch_rows=5) as here:
        here.hub.faults.add(Fault(kind="slow", path="*/Product*", seconds=0.01))
        await here.daemon.start()

        async def midway() -> bool:
            return key_reached(here.daemon) >= 60

        await until(midway, "key 60 reached")
        await here.daemon.kill()
        reached = key_reached(here.daemon)
        assert 60 <= reached < 200
        here.p21.journal.clear()

        await here.daemon.start()
        await here.daemon.until_in_step()

        asked = keys_asked(here.p21.requests)
        assert min(asked) == reached
        assert asked == sorted(asked)
        assert_in_step(here.p21, here.hub, "product")


async def test_killed_again_and_again_nothing_is_lost_or_doubled(tmp_path):
    rng = random.Random(7)
    async with world(tmp_path, rows=60, prophet21={"page_rows": 10}, batch_rows=5) as here:
        here.hub.faults.add(Fault(kind="slow", seconds=0.005))
        for _ in range(4):
            await here.daemon.start(ready=False)
            more = len(here.hub.requests) + rng.randrange(1, 120)

            async def called(count: int = more) -> bool:
                return len(here.hub.requests) >= count

            await until(called, f"{more} calls of the hub")
            await here.daemon.kill()

        await here.daemon.start()
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub)
        assert not (await here.daemon.status()).entities[0].dead_letters
