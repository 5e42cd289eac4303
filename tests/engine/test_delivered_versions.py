"""An older copy never overwrites a newer one, and a lost answer never passes for a delivery."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from p21d.sandbox.faults import Fault
from tests.engine.world import LeapingClock

ITEM = {"inv_mast_uid": 1}
NAME = "ELBOW-000001"


def product(engine):
    [found] = [record for record in engine.hub.records("product") if record["sku"] == NAME]
    return found


def rename(engine, name):
    engine.p21.change("inv_mast", ITEM, item_desc=name)


async def until_it_waits(engine):
    """Return when a batch has its rows and waits for its claim."""
    while not any(piece.waiting for piece in engine.connection.watch._pieces):  # noqa: ASYNC110  # the watch offers no event
        await anyio.sleep(0.005)


async def test_the_older_copy_of_a_slow_sweep_does_not_overwrite_the_newer_one_of_a_poll(make):
    slow, quick = make(), make()
    await slow.sweep("product")
    rename(slow, "Old")
    async with anyio.create_task_group() as tasks, slow.connection.claims.hold({("product", "1")}):
        tasks.start_soon(slow.sweep, "product")
        with anyio.fail_after(10):
            await until_it_waits(slow)
        rename(slow, "New")
        await quick.poll("product")
        assert product(quick)["name"] == "New"
        writes = product(quick)["writes"]
    assert (product(slow)["name"], product(slow)["writes"]) == ("New", writes)


class ChangingClock(LeapingClock):
    """Lets something happen while anybody sleeps."""

    def __init__(self):
        super().__init__()
        self.happens = lambda: None

    async def sleep(self, seconds):
        self.happens()
        await super().sleep(seconds)


@pytest.mark.parametrize("answer", [500, 503])
async def test_a_retry_that_comes_late_sends_what_p21_has_then(make, served, answer):
    clock = ChangingClock()
    engine = make(clock=clock)
    await engine.sweep("product")
    rename(engine, "Old")

    def later():
        clock.advance(timedelta(minutes=3).total_seconds())
        rename(engine, "New")

    clock.happens = later
    fault = served.hub.faults.add(Fault(kind="status", status=answer, path="*/Catalog/Product/*", times=1))
    await engine.sweep("product")
    assert served.hub.faults.fired(fault) == 1
    assert (product(engine)["name"], product(engine)["writes"]) == ("New", 2)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the cycle runs on."""


async def lose_answers(engine, method, path):
    """Sweep with a hub that carries out these calls and whose answers are lost, and a kill upon the first."""
    fault = engine.hub.faults.add(Fault(kind="drop_after", method=method, path=path))
    deliver = engine.connection.sink.deliver

    async def until_lost(batch, answers):
        try:
            await deliver(batch, answers)
        except Exception as error:
            raise Killed from error
        raise Killed

    engine.connection.sink.deliver = until_lost
    entity = "product" if "Product" in path else "location"
    with pytest.raises(BaseExceptionGroup):
        await engine.sweep(entity)
    assert engine.hub.faults.fired(fault)
    engine.hub.faults.clear()


async def test_a_lost_answer_followed_by_a_change_back_ends_as_p21_has_it(make):
    await make().sweep("product")
    engine = make()
    before = product(engine)["name"]
    rename(engine, "Wrong")
    await lose_answers(engine, "PUT", "*/Catalog/Product/*")
    assert product(engine)["name"] == "Wrong"
    rename(engine, before)
    await make().sweep("product")
    assert product(engine)["name"] == before


def location(engine):
    name = engine.p21.rows("location", {"location_id": 10})[0]["location_name"]
    [found] = [record for record in engine.hub.records("location") if record["name"] == name]
    return found


def delete(engine, flag):
    engine.p21.change("location", {"location_id": 10}, delete_flag=flag)


async def test_a_deletion_whose_answer_is_lost_and_that_is_taken_back_ends_active(make):
    await make().sweep("location")
    engine = make()
    delete(engine, "Y")
    await lose_answers(engine, "DELETE", "*/Catalog/Location/*")
    assert not location(engine)["active"]
    [record] = (await engine.store.read.delivered.by_keys("location", ["10"]))["10"]
    assert not record.active  # it may be p21d that made it inactive, so it may bring it back
    delete(engine, "N")
    await make().sweep("location")
    assert location(engine)["active"]


async def test_an_undeletion_whose_answer_is_lost_and_that_is_taken_back_ends_inactive(make):
    await make().sweep("location")
    delete(make(), "Y")
    await make().sweep("location")
    engine = make()
    assert not location(engine)["active"]
    delete(engine, "N")
    await lose_answers(engine, "PUT", "*/Catalog/Location/*")
    assert location(engine)["active"]
    delete(engine, "Y")
    await make().sweep("location")
    assert not location(engine)["active"]


async def test_a_deletion_whose_answer_is_lost_is_done_again(make):
    await make().sweep("location")
    engine = make()
    delete(engine, "Y")
    await lose_answers(engine, "DELETE", "*/Catalog/Location/*")
    assert (await make().sweep("location")).delivered == 1
    assert not location(engine)["active"]


async def test_a_deleted_row_that_comes_back_is_active_again(engine):
    await engine.sweep("location")
    for flag, active in (("Y", False), ("N", True), ("Y", False), ("N", True)):
        delete(engine, flag)
        await engine.sweep("location")
        assert location(engine)["active"] == active
    assert not await engine.letters()
