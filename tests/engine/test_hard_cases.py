"""The four cases that lose or spoil data most quietly; each test is run again with the bug planted, and must fail then.

A planted bug takes out the one function that guards the case.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from p21d.engine.delivery import Delivery
from p21d.engine.sending import Sending
from p21d.engine.waiting_time import WaitingTime
from p21d.errors import P21dError
from p21d.sandbox.faults import Fault

HOUR = 3600.0
ITEM = {"inv_mast_uid": 1}
SKU = "ELBOW-000001"
Case = Callable[[Any], Awaitable[None]]


def name_in_hub(engine: Any) -> str:
    [record] = [record for record in engine.hub.records("product") if record["sku"] == SKU]
    return str(record["name"])


def rename(engine: Any, name: str) -> None:
    engine.p21.change("inv_mast", ITEM, item_desc=name)


async def older_against_newer(make: Any) -> None:
    """A slow sweep has read the older copy when a poll delivers the newer one."""
    slow, quick = make(), make()
    await slow.sweep("product")
    rename(slow, "Older")
    async with anyio.create_task_group() as tasks, slow.connection.claims.hold({("product", "1")}):
        read = anyio.Event()
        slow.connection.steps = lambda step: read.set() if step == "page prepared" else None
        tasks.start_soon(slow.sweep, "product")
        with anyio.fail_after(10):
            await read.wait()
        rename(slow, "Newer")
        await quick.poll("product")
    assert name_in_hub(slow) == "Newer"


async def changed_back(make: Any) -> None:
    """The hub takes a change and loses the answer; then the change is taken back in P21."""
    engine = make()
    await engine.sweep("product")
    before = name_in_hub(engine)
    rename(engine, "Meanwhile")
    fault = engine.hub.faults.add(Fault(kind="drop_after", method="PUT"))
    with pytest.raises(P21dError):
        await engine.poll("product")
    engine.hub.faults.remove(fault)
    assert name_in_hub(engine) == "Meanwhile"
    rename(engine, before)
    await engine.poll("product")
    assert name_in_hub(engine) == before


async def stock_that_waits(make: Any) -> Any:
    """Return an engine whose stock waits for its products, for at most two hours."""
    engine = make(entities={"product_inventory": {"max_wait": "2h"}})
    await engine.sweep("location")
    assert (await engine.sweep("product_inventory")).waiting > 0
    return engine


async def parent_that_never_comes(make: Any) -> None:
    """The wait ends at its limit, and the dead letter names the parent."""
    engine = await stock_that_waits(make)
    time = WaitingTime(engine.connection, lambda _entity: True)
    for _ in range(3):
        await time.tick(HOUR)
    letters = await engine.letters("product_inventory")
    assert letters
    for key, letter in letters.items():
        assert letter["error"] == f"its parent product {key.split('|')[0]} did not come within 2 hours"
    assert not await engine.waiting("product_inventory", *letters)


async def outage_longer_than_the_wait(make: Any) -> None:
    """While the hub is away for twice the limit nothing is given up; afterwards everything arrives."""
    engine = await stock_that_waits(make)
    gate = engine.runner("product").gate
    fault = engine.hub.faults.add(Fault(kind="status", status=503))

    async def down() -> None:
        await engine.sweep("product")

    time = WaitingTime(engine.connection, lambda entity: engine.runner(entity).gate.open)
    assert await gate.hold.attempt(down) is None
    await time.tick(60.0)
    for _ in range(4):
        await time.tick(HOUR)
    assert await engine.letters() == {}
    engine.hub.faults.remove(fault)
    await engine.sweep("product")
    await engine.release_all()
    assert await engine.store.read.waiting.counts() == {}
    assert len(engine.hub.records("inventory")) > 0


def never_stale(patch: pytest.MonkeyPatch) -> None:
    """No copy is ever too old to be sent."""
    patch.setattr(Delivery, "_stale", lambda _self, _works, _delivered: set())


def attempts_not_noted(patch: pytest.MonkeyPatch) -> None:
    """The old fingerprint stays while the attempt is under way."""

    async def nothing(_self: Sending, _records: object) -> None:
        return

    patch.setattr(Sending, "_note_attempts", nothing)


def nobody_gives_up(patch: pytest.MonkeyPatch) -> None:
    """The waiting goes on for ever."""

    async def nothing(_self: WaitingTime, _entity: str, _parent: str) -> bool:
        return False

    patch.setattr(WaitingTime, "_give_up", nothing)


def all_time_counts(patch: pytest.MonkeyPatch) -> None:
    """Time in which nothing works counts as waited."""
    patch.setattr(WaitingTime, "_is_working", lambda _self, _entity: True)


CASES = (
    (older_against_newer, never_stale),
    (changed_back, attempts_not_noted),
    (parent_that_never_comes, nobody_gives_up),
    (outage_longer_than_the_wait, all_time_counts),
)


@pytest.mark.parametrize("case", [case for case, _ in CASES], ids=lambda case: case.__name__)
async def test_it_holds(make, case):
    await case(make)


@pytest.mark.parametrize(("case", "plant"), CASES, ids=lambda part: part.__name__)
async def test_with_the_bug_planted_it_fails(make, monkeypatch, case, plant):
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        await case(make)
