"""What a row costs, counted and not timed: requests, calls of the hub, transactions, Python calls, garbage.

The bounds are generous: what they must catch is a call for each record, a commit for each row, a list that is walked
for each row of a page.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import ceil

import pytest
from msgspec.structs import replace

from p21d.assembly import assemble
from p21d.engine.watch import Watch
from p21d.sandbox.faults import Fault
from p21d.store.database import Store
from tests.engine.world import Engine

PAGE_ROWS = 10
KEYS_OF_A_REQUEST = 50
"""So many keys stand in one request for related rows."""
MOST_CALLS_NEW = 1500
"""Functions called, Python's and C's, for one more row that goes into a file, its part of a page of ten included."""
MOST_CALLS_UNCHANGED = 700
"""The same for one more row that has not changed."""


@pytest.fixture
async def to_hub(make) -> Engine:
    """An engine that has signed in at both sides and has proved what it proves once."""
    return await begun(make(prophet21={"page_rows": PAGE_ROWS}))


@pytest.fixture
async def to_files(make, tmp_path, store, clock, registry) -> AsyncIterator[Engine]:
    """An engine that writes files."""
    built = make(prophet21={"page_rows": PAGE_ROWS})
    sink = {"type": "jsonl", "directory": str(tmp_path / "records")}
    assembly = assemble(replace(built.assembly.config, sink=sink), registry, store, clock, Watch(clock))
    engine = Engine(built.served, assembly, store, clock)
    yield await begun(engine)
    await engine.close()


async def begun(engine: Engine) -> Engine:
    await engine.sweep("location")
    return engine


def add_places(engine: Engine, count: int, *, first: int = 1000) -> int:
    """Bring so many locations into P21; return how many it has now."""
    for number in range(first, first + count):
        engine.p21.insert(
            "location", location_id=number, location_name=f"Place {number}", company_id="01", delete_flag="N"
        )
    return engine.p21.count("location")


def pages(rows: int) -> int:
    return ceil(rows / PAGE_ROWS)


@pytest.fixture
def transactions(monkeypatch) -> Counter[str]:
    """How many transactions were begun, under `begun`."""
    counted: Counter[str] = Counter()
    transaction = Store.transaction

    @asynccontextmanager
    async def counting(self: Store, *arguments: object, **more: object) -> AsyncIterator[object]:
        counted["begun"] += 1
        async with transaction(self, *arguments, **more) as tables:
            yield tables

    monkeypatch.setattr(Store, "transaction", counting)
    return counted


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """Count the calls of functions in this thread."""
    calls: Counter[str] = Counter()

    def count(_frame: object, event: str, _of: object) -> None:
        calls[event] += 1

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


async def calls_of_a_sweep(engine: Engine) -> int:
    with counted_calls() as calls:
        await engine.sweep("location")
    return calls["call"] + calls["c_call"]


async def test_rows_cost_one_request_a_page_and_one_more(to_hub):
    rows, before = add_places(to_hub, 40), len(to_hub.reads_of("location"))
    await to_hub.sweep("location")
    assert len(to_hub.reads_of("location")) - before <= pages(rows) + 1


async def test_related_rows_of_fifty_keys_cost_one_request_and_one_more(make):
    engine = make(prophet21={"page_rows": 100})
    await engine.sweep("product")
    before = Counter(seen.path for seen in engine.served.p21.requests)
    await engine.sweep("product")
    asked = Counter(seen.path for seen in engine.served.p21.requests) - before
    assert engine.p21.count("inv_mast") <= KEYS_OF_A_REQUEST
    assert max(asked.values()) <= 1 + 1  # the second where no longer page has shown that the server cuts none


async def test_a_new_record_costs_two_calls_a_changed_one_a_single_one_and_others_none(to_hub):
    def calls() -> int:
        return len(to_hub.hub.requests)

    add_places(to_hub, 40)
    before = calls()
    await to_hub.sweep("location")
    assert calls() - before == 2 * 40
    await to_hub.sweep("location")
    assert calls() - before == 2 * 40
    for number in range(1000, 1010):
        to_hub.p21.change("location", {"location_id": number}, location_name=f"Renamed {number}")
    await to_hub.sweep("location")
    assert calls() - before == 2 * 40 + 10


async def test_a_page_costs_two_transactions_into_files_and_one_where_nothing_has_changed(to_files, transactions):
    rows = add_places(to_files, 95)
    await to_files.sweep("location")
    around = 3  # the window's own: opened, ended, recorded
    assert transactions["begun"] <= 2 * pages(rows) + around
    transactions.clear()
    await to_files.sweep("location")
    assert transactions["begun"] <= pages(rows) + around


async def test_a_batch_for_the_hub_costs_two_transactions(to_hub, transactions):
    rows = add_places(to_hub, 40)
    await to_hub.sweep("location")
    batches = pages(rows) * to_hub.connection.slots.of("sweep")
    assert transactions["begun"] <= 2 * batches + 3


async def test_one_more_row_costs_so_many_python_calls(to_files):
    add_places(to_files, 100)
    hundred = await calls_of_a_sweep(to_files)
    add_places(to_files, 300, first=2000)
    assert await calls_of_a_sweep(to_files) - hundred < 200 * MOST_CALLS_NEW + 100 * MOST_CALLS_UNCHANGED


async def test_one_more_unchanged_row_costs_fewer(to_files):
    add_places(to_files, 100)
    await to_files.sweep("location")
    hundred = await calls_of_a_sweep(to_files)
    add_places(to_files, 200, first=2000)
    await to_files.sweep("location")
    assert await calls_of_a_sweep(to_files) - hundred < 200 * MOST_CALLS_UNCHANGED


async def test_a_page_leaves_no_task_for_the_collector(to_files):
    add_places(to_files, 295)
    await to_files.sweep("location")
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await to_files.sweep("location")
        gc.collect()
        # of the engine's own: the simulator beside it leaves cycles of its parser
        left = Counter(type(one).__name__ for one in gc.garbage)
        assert left["Task"] + left["frame"] + left["traceback"] == 0
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


async def test_a_refused_record_leaves_nothing_for_the_collector(to_hub):
    fault = Fault(kind="status", status=400, method="POST", path="*/Location*", probability=0.5, seed=7)
    to_hub.hub.faults.add(replace(fault, body='{"message":"refused"}'))
    add_places(to_hub, 40)
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await to_hub.sweep("location")
        gc.collect()
        left = Counter(type(one).__name__ for one in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert len(await to_hub.letters("location")) > 10
    assert left["RecordRefused"] + left["HttpAnswer"] == 0
