"""A rule of the sink that refuses every record pauses the entity, and does not fill the dead letters."""

from __future__ import annotations

import anyio
import pytest

from p21d.engine.hold import ASK_AGAIN_SECONDS
from p21d.engine.refusals import MAX_IN_A_ROW, Refusals
from p21d.errors import RecordFailed, RecordRefused, SystematicRefusal
from p21d.sandbox.faults import Fault
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.serve import Served
from p21d.sinks.port import Acknowledged

ROWS = 130
REFUSAL = '{"code":"VALD-1010","message":"tracking_method is not to our taste"}'


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    path = tmp_path_factory.mktemp("p21") / "many.db"
    P21Sandbox(path, rows=ROWS, seed=1).close()
    return path


@pytest.fixture
async def served(many, tmp_path):
    (tmp_path / "p21.db").write_bytes(many.read_bytes())
    hub = HubSandbox()
    with P21Sandbox(tmp_path / "p21.db") as p21:
        async with p21.serve() as p21_url, hub.serve() as hub_url:
            yield Served(p21=p21, hub=hub, p21_url=p21_url, hub_url=hub_url)
    hub.close()


def refuse(engine, *, after: int = 0, times: int | None = None, body: str = REFUSAL) -> int:
    fault = Fault(kind="status", status=400, body=body, method="POST", path="*/Product", after=after, times=times)
    return engine.hub.faults.add(fault)


def creates(engine) -> int:
    return sum(call.method == "POST" and call.path.split("?")[0].endswith("/Product") for call in engine.hub.requests)


def refused(code: str = "VALD-1010") -> RecordRefused:
    return RecordRefused("no", code=code)


async def test_one_batch_of_refusals_alone_leaves_nothing_in_the_dead_letters(make):
    engine = make(concurrent_batch_executions=2, batch_rows=100)
    refuse(engine)
    with pytest.raises(SystematicRefusal):
        await engine.sweep("product")
    assert await engine.letters() == {}


@pytest.mark.parametrize("batch_rows", [1, 7, 100])
async def test_however_batches_are_cut_fewer_than_fifty_become_dead_letters(make, batch_rows):
    engine = make(batch_rows=batch_rows)
    refuse(engine)
    with pytest.raises(SystematicRefusal):
        await engine.sweep("product")
    assert len(await engine.letters()) < MAX_IN_A_ROW
    assert await engine.watermark("product") is None


async def test_the_rows_of_the_batch_that_reached_the_limit_are_met_again(make):
    engine = make(batch_rows=7)
    engine.p21.change("inv_mast", {})
    number = refuse(engine)
    with pytest.raises(SystematicRefusal):
        await engine.sweep("product")
    dead = len(await engine.letters())
    engine.hub.faults.remove(number)
    await engine.sweep("product")
    skipped = sum((await engine.store.read.skipped.counts())["product"].values())
    assert len(engine.hub.records("product")) == ROWS - dead - skipped
    assert len(await engine.letters()) == dead


async def test_a_record_taken_in_between_makes_them_single_refusals(make):
    engine = make(batch_rows=20, concurrent_batch_executions=1)
    engine.p21.change("inv_mast", {})
    refuse(engine, times=40)
    refuse(engine, after=1, times=40)
    tally = await engine.sweep("product")
    assert (tally.dead_lettered, tally.delivered) == (80, ROWS - 80 - tally.skipped)


async def test_refusals_for_different_reasons_are_single_ones(make):
    engine = make(batch_rows=20, concurrent_batch_executions=1)
    refuse(engine, times=40)
    refuse(engine, times=40, body=REFUSAL.replace("1010", "1011"))
    assert (await engine.sweep("product")).dead_lettered == 80


async def test_the_reason_names_the_code_the_first_refusal_and_what_to_do(make):
    engine = make()
    refuse(engine)
    with pytest.raises(SystematicRefusal) as raised:
        await engine.sweep("product")
    assert "50 product records in a row with VALD-1010" in raised.value.message
    assert "tracking_method is not to our taste" in raised.value.message
    assert "p21d resume product" in raised.value.hint


async def test_a_replay_of_what_is_refused_stops_as_well_and_keeps_its_letters(make):
    engine = make(batch_rows=10, concurrent_batch_executions=1)
    refuse(engine, times=40)
    await engine.sweep("product")
    refuse(engine)
    keys = list(await engine.letters("product"))
    await engine.runner("product").sync_keys(keys, force=True)
    assert set(await engine.letters("product")) == set(keys)
    with pytest.raises(SystematicRefusal):
        await engine.runner("product").sync_keys([str(uid) for uid in range(1, ROWS + 1)], force=True)
    assert len(await engine.letters("product")) < 2 * MAX_IN_A_ROW


async def held(engine) -> None:
    runner = engine.runner("product")
    assert await runner.gate.guarded(lambda: runner._windows.run("sweep")) is None
    assert runner.gate.hold.state is not None


async def test_the_entity_is_held_and_the_others_go_on(make):
    engine = make()
    refuse(engine)
    await held(engine)
    state = engine.runner("product").gate.hold.state
    assert state.lasting
    assert (state.until - engine.clock.now()).total_seconds() == pytest.approx(ASK_AGAIN_SECONDS, abs=5)
    assert (await engine.sweep("location")).delivered == 5


async def test_each_try_after_that_sends_one_batch_and_adds_no_dead_letter(make):
    engine = make(batch_rows=10)
    refuse(engine)
    await held(engine)
    dead, sent = len(await engine.letters()), creates(engine)
    for _ in range(4):
        await held(engine)
    assert len(await engine.letters()) == dead
    assert creates(engine) - sent == 4 * 10


async def test_a_cycle_that_sends_nothing_does_not_lift_the_hold(make):
    engine = make()
    refuse(engine)
    await held(engine)
    runner = engine.runner("product")
    assert await runner.gate.guarded(runner._releases.run_due) is False
    assert runner.gate.hold.state is not None


async def test_the_first_record_that_is_taken_lifts_the_hold(make):
    engine = make(batch_rows=10)
    number = refuse(engine)
    await held(engine)
    engine.hub.faults.remove(number)
    runner = engine.runner("product")
    await runner.sync_keys([str(ROWS)], force=True)
    assert runner.gate.hold.state is None
    assert runner.gate.open


async def test_resume_lifts_it_at_once_and_counts_anew(make):
    engine = make()
    refuse(engine)
    await held(engine)
    engine.runner("product").resume()
    assert engine.runner("product").gate.hold.state is None
    assert not engine.connection.refusals["product"].systematic


async def test_a_sweep_that_ends_well_lifts_it_though_nothing_was_left_to_send(make):
    engine = make(batch_rows=10)
    refuse(engine)
    await held(engine)
    engine.p21.change("inv_mast", {}, delete_flag="Y")
    runner = engine.runner("product")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        with anyio.fail_after(10):
            while runner.gate.hold.state is not None:  # noqa: ASYNC110  # a hold's end is told to the log only
                await anyio.sleep(0.005)
        runner.drain.request()


def test_fifty_in_a_row_are_systematic_and_forty_nine_are_not():
    refusals = Refusals("product")
    assert refusals.judge([refused()] * (MAX_IN_A_ROW - 1)) is None
    assert refusals.judge([refused()]) is not None


def test_records_that_fail_in_passing_neither_count_nor_end_the_row():
    refusals = Refusals("product")
    refusals.judge([refused()] * (MAX_IN_A_ROW - 1))
    assert refusals.judge([RecordFailed("500", code="500")] * 99) is None
    assert refusals.judge([refused()]) is not None


def test_a_success_at_the_end_of_a_batch_ends_the_row():
    assert Refusals("product").judge([refused()] * 99 + [Acknowledged()]) is None


def test_the_end_of_a_systematic_refusal_is_told_once():
    refusals, told = Refusals("product"), []
    refusals.when_over = lambda: told.append("over")
    refusals.judge([refused()] * MAX_IN_A_ROW)
    refusals.judge([Acknowledged()] * 3)
    assert told == ["over"]
