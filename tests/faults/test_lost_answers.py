"""Answers that are lost, cut, garbled or late on both sides cost attempts, never a record or a double."""

from __future__ import annotations

import anyio

from p21d.sandbox.faults import Fault
from tests.faults.comparison import assert_in_step
from tests.faults.world import ENTITIES, World, until, world

HUB = (
    Fault(kind="drop_after", probability=0.15, times=8, seed=1),
    Fault(kind="reset", cut=0.5, probability=0.1, times=4, seed=2),
    Fault(kind="status", status=503, probability=0.1, times=6, seed=3),
    Fault(kind="empty", path="*/Product*", probability=0.1, times=2, seed=4),  # a third may wait two minutes
)
PROPHET_21 = (
    Fault(kind="truncate", path="*/odata/*", probability=0.2, times=4, seed=5),
    Fault(kind="bad_json", path="*/odata/*", probability=0.2, times=2, seed=6),
    Fault(kind="repeat_page", path="*/inv_mast", after=3, times=1),
    Fault(kind="html", path="*/odata/*", probability=0.1, times=2, seed=7),
    Fault(kind="drop_after", path="*/odata/*", probability=0.2, times=3, seed=8),
)


async def test_a_first_sync_through_bad_lines_ends_in_step(tmp_path):
    async with world(tmp_path, rows=50, prophet21={"page_rows": 20}, entity={"poll_interval": "1s"}) as here:
        for fault in HUB:
            here.hub.faults.add(fault)
        for fault in PROPHET_21:
            here.p21.faults.add(fault)

        await here.daemon.start()
        await here.daemon.until_in_step()

        assert sum(state.fired for state in here.hub.faults.list()) >= 10
        assert sum(state.fired for state in here.p21.faults.list()) >= 5
        assert [entity.dead_letters for entity in (await here.daemon.status()).entities] == [0] * len(ENTITIES)
        assert_in_step(here.p21, here.hub)


async def test_a_token_that_dies_all_the_time_costs_no_record(tmp_path):
    async with world(tmp_path, "location", "product", rows=30) as here:
        here.hub.settings.token_dies_every = 30  # more than the calls that may be under way at once
        here.p21.settings.mint_kills_older = True
        await here.daemon.start()
        await here.daemon.until_in_step("location")
        here.p21.tokens.kill_all()
        await here.daemon.until_in_step()
        await until(lambda: quiet(here), "P21 left alone")  # a token killed as it is minted is a refusal, not a lapse
        here.p21.tokens.kill_all()

        assert (await here.daemon.sync("product")).tally.dead_lettered == 0

        assert_in_step(here.p21, here.hub, "location", "product")


async def quiet(here: World) -> bool:
    before = here.p21.journal.by_path.total()
    await anyio.sleep(0.3)
    return here.p21.journal.by_path.total() == before
