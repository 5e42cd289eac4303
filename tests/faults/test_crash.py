"""Ended at any of its steps, or at any moment, the daemon has said nothing that is not so, and goes on from there."""

from __future__ import annotations

import random
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import p21d.engine
from p21d.sandbox.faults import Fault
from p21d.torture.found import repeated
from p21d.torture.remembered import Remembered
from p21d.torture.verdict import judge_records
from tests.faults.crashing import Business, CrashingDaemon, crashing
from tests.faults.dead_store import DeadStore
from tests.faults.lives import CUT
from tests.faults.test_orders import STEPS as ORDER_STEPS
from tests.faults.world import DEADLINE_SECONDS, World, until

ROWS = (
    *("window opened", "page read", "page prepared", "batch claimed", "attempts noted", "record answered"),
    *("batch answered", "before fates", "links written", "fates written", "fates committed"),
    *("before window ended", "watermark written", "window ended"),
)
"""The steps on the way of a row, in order; most are passed many times in a cycle."""
RARE = (
    *("dead letters written", "rows parked", "before waiting rows answered", "waiting rows answered"),
    *("children released", "before parents parked", "parents parked", "trigger's window ended", "sync kept"),
    *("backfill kept", "backfill begun", "keys met", "range ended", "before removal", "backfill ended"),
)
PASSED = re.compile(r"(?:passed|steps)\(f?\"([^\"{]+)\"\)")


def named_steps() -> Iterator[str]:
    """Yield the steps that the engine names."""
    for path in Path(p21d.engine.__path__[0]).rglob("*.py"):
        yield from PASSED.findall(path.read_text())


def test_every_step_that_the_engine_names_is_one_at_which_it_is_killed():
    assert set(named_steps()) <= {*ROWS, *RARE, *ORDER_STEPS}
    assert {*ROWS, *RARE} <= set(named_steps())


async def die(here: World, daemon: CrashingDaemon, business: Business, step: str, times: int) -> None:
    """Live until that step while P21 changes."""
    business.day()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(business.go_on)
        if step == "before removal":
            business.toggle()
        if step == "sync kept":
            tasks.start_soon(daemon.ask_for_sync, "product")
        await daemon.live(step=step, times=times)
        assert await daemon.ended() == CUT, step
        tasks.cancel_scope.cancel()
    assert DeadStore(daemon.store, here).wrong() == [], step


async def assert_goes_on(here: World, daemon: CrashingDaemon, business: Business) -> None:
    """Live on without an end: nothing is lost, nothing doubled."""
    business.mend()
    await daemon.live(ready=True)
    with anyio.move_on_after(DEADLINE_SECONDS):
        while lost(here, daemon):  # noqa: ASYNC110  # what is waited for is in another process
            await anyio.sleep(0.25)
        await daemon.until_in_step()
    assert lost(here, daemon) == []
    assert repeated(here.hub) == []
    assert not any(entity.dead_letters for entity in (await daemon.status()).entities)
    await daemon.kill()
    assert DeadStore(daemon.store, here).wrong() == []


def lost(here: World, daemon: CrashingDaemon) -> list[str]:
    """Return what is not in the hub as in P21, and not skipped either."""
    return judge_records(here.p21, here.hub, Remembered(daemon.store))[0]


@pytest.mark.parametrize("steps", [ROWS, RARE], ids=["rows", "rare"])
async def test_ended_at_each_step_it_has_lost_and_doubled_nothing(tmp_path, lives, steps):
    async with crashing(tmp_path, lives) as (here, daemon, business):
        for number, step in enumerate(steps):
            await die(here, daemon, business, step, 1 + (number % 3 if steps is ROWS else 0))
        await assert_goes_on(here, daemon, business)


async def test_killed_at_random_moments_it_has_lost_and_doubled_nothing(tmp_path, lives):
    dice = random.Random(11)
    async with crashing(tmp_path, lives) as (here, daemon, business):
        for number in range(10):
            business.day()
            await daemon.live(ready=number % 2 == 1)
            if number % 2:
                await anyio.sleep(dice.uniform(0.02, 0.3))
            else:
                await called(here, len(here.hub.requests) + dice.randrange(1, 40))
            daemon.signal(signal.SIGKILL)
            assert await daemon.ended() == -signal.SIGKILL
            assert DeadStore(daemon.store, here).wrong() == [], number
        await assert_goes_on(here, daemon, business)


async def called(here: World, count: int) -> None:
    async def reached() -> bool:
        return len(here.hub.requests) >= count

    await until(reached, f"{count} calls of the hub")


DOUBLES = (
    ("watermark_before_fates", "before fates", 1, "product 7: .* and the watermark is ahead"),
    ("key_reached_before_fates", "attempts noted", 1, "product 7: .* and the key reached by its sweep is ahead"),
    ("batches_reach_their_own_end", "fates committed", 2, "product 6: .* and the key reached by its sweep is ahead"),
    ("fate_before_acknowledgement", "attempts noted", 3, "product 30 counts as delivered, and the hub has no"),
    ("link_not_kept", "window ended", 1, "product 30 counts as delivered, and its link was not kept"),
)


@pytest.mark.parametrize(("bug", "step", "times", "words"), DOUBLES, ids=[double[0] for double in DOUBLES])
async def test_a_daemon_with_a_planted_bug_is_caught(tmp_path, lives, bug, step, times, words):
    async with crashing(tmp_path, lives, "product", poll_interval="1h") as (here, daemon, business):
        await daemon.live(step="window ended")
        assert await daemon.ended() == CUT
        assert DeadStore(daemon.store, here).wrong() == []
        business.work_before_a_window()
        [six] = [record for record in here.hub.records("product") if record["sku"].endswith("-000006")]
        here.hub.faults.add(Fault(kind="slow", path=f"*/Product/{six['id']}", seconds=0.5))
        await daemon.live(step=step, times=times, bug=bug)
        assert await daemon.ended() == CUT
        said = DeadStore(daemon.store, here).wrong()
        assert any(re.fullmatch(f"{words}.*", one) for one in said), said


async def test_a_daemon_that_forgets_waiting_rows_is_caught(tmp_path, lives):
    async with crashing(tmp_path, lives, "location", "product", "product_inventory") as (here, daemon, business):
        await daemon.live(ready=True)
        await daemon.until_in_step()
        await daemon.kill()
        business.work_before_a_window()
        done = len(sweeps(daemon))
        await daemon.live(bug="parked_row_forgotten")

        async def swept() -> bool:
            return len(sweeps(daemon)) > done

        await until(swept, "a sweep of the stock")
        await daemon.kill()
        assert (
            "product_inventory 31|10 has no fate, and the watermark is ahead of it"
            in DeadStore(daemon.store, here).wrong()
        )


async def test_a_daemon_whose_trigger_forgets_products_is_caught(tmp_path, lives):
    async with crashing(tmp_path, lives, "product") as (here, daemon, _):
        await daemon.live(bug="triggered_row_forgotten", ready=True)
        await daemon.until_in_step()
        [unit, *_] = here.p21.database.rows("item_uom", {"delete_flag": "N"})
        here.p21.database.change("item_uom", {"item_uom_uid": unit["item_uom_uid"]}, unit_size="77.000000000")
        words = f"units of product {unit['inv_mast_uid']}: .* and the trigger's watermark is ahead"

        async def found() -> bool:
            return any(re.fullmatch(words, one) for one in DeadStore(daemon.store, here).wrong())

        await until(found, words)
        await daemon.kill()


def sweeps(daemon: CrashingDaemon) -> list[object]:
    """Return the completed sweeps of the stock."""
    lines = daemon.log("cycle")
    return [line for line in lines if (line["entity"], line["kind"]) == ("product_inventory", "sweep")]
