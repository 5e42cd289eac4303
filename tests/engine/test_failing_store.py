"""SQLite fails at any one of its writes: nothing is lost, nothing is doubled, and no watermark is ahead."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
import yaml

from p21d.assembly import assemble
from p21d.clock import SystemClock
from p21d.config_file import load_config
from p21d.engine.settlement import Settlement
from p21d.engine.watch import Watch
from p21d.errors import PermissionRefused, StoreError
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.serve import Served
from p21d.store.database import Store
from tests.engine.conftest import merged
from tests.engine.failing import AFTERWARDS, BROKEN, FULL, READ_ONLY, fail, mend
from tests.engine.invariants import check_in_step, check_store
from tests.engine.world import Engine, LeapingClock
from tests.faults.world import until

ENTITIES = ("product_inventory", "location", "product")
"""Children first, so that rows wait, and are released."""


@asynccontextmanager
async def world(served, registry, folder, clock=None) -> AsyncIterator[Engine]:
    """An engine over a new store and a new hub; P21 is the same for all."""
    hub = HubSandbox()
    clock = clock or LeapingClock()
    async with hub.serve() as hub_url, Store(folder / "p21d.db") as store:
        here = Served(p21=served.p21, hub=hub, p21_url=served.p21_url, hub_url=hub_url)
        path = folder / "p21d.yaml"
        usual = yaml.safe_load(here.config(folder))
        changes = {
            "orders": {"enabled": False},
            "prophet21": {"page_rows": 20, "companies": ["01"]},
            "concurrent_batch_executions": 2,
            "entities": {name: {"poll_search_days": 3650} for name in ENTITIES},
        }
        path.write_text(yaml.safe_dump(merged(usual, changes)))
        path.chmod(0o600)
        engine = Engine(here, assemble(load_config(path), registry, store, clock, Watch(clock)), store, clock)
        try:
            yield engine
        finally:
            await engine.close()
            hub.close()


async def live(engine: Engine) -> None:
    """Run each cycle once, as the loops of the daemon do: a failing store ends a cycle, and the next one begins."""
    for entity in ENTITIES:
        await guarded(engine.sweep, entity)
    for entity in (*ENTITIES, *ENTITIES[:1]):
        await guarded(engine.releases(entity).run_due)


async def guarded(run, *arguments) -> None:
    with contextlib.suppress(StoreError, PermissionRefused):
        await run(*arguments)


async def fail_at(number, failure, served, registry, folder) -> bool:
    """Live with a store that fails at this statement, then with a good one; tell whether it failed at all."""
    folder.mkdir()
    async with world(served, registry, folder) as engine:
        writer = fail(engine.store, failure, number)
        await live(engine)
        check_store(engine)
        mend(engine.store, writer)
        await recover(engine)
    shutil.rmtree(folder)
    return bool(writer.fired)


async def recover(engine: Engine) -> None:
    """Go on as after a restart, with a store that works, and compare."""
    await engine.sweep_all(*ENTITIES)
    await engine.release_all()
    check_in_step(engine, *ENTITIES)


@pytest.fixture
async def small(tmp_path) -> AsyncIterator[Served]:
    """A P21 of two items and their stocks; the hub is new in each world."""
    with P21Sandbox(tmp_path / "p21.db", rows=2, seed=1) as p21:
        async with p21.serve() as url:
            yield Served(p21=p21, hub=HubSandbox(), p21_url=url, hub_url="")


STRIDE = 1 if os.environ.get("P21D_EVERY_WRITE") else 12
"""Each way to fail takes every so-maniest write, the four of them different ones: all of them take three minutes."""
WAYS = {"full": (FULL, 1), "read-only": (READ_ONLY, 4), "broken": (BROKEN, 7), "broken afterwards": (AFTERWARDS, 10)}


@pytest.mark.parametrize("way", WAYS)
async def test_whichever_write_fails_nothing_is_lost_or_doubled(small, registry, tmp_path, way):
    failure, number = WAYS[way]
    number = min(number, STRIDE)
    while await fail_at(number, failure, small, registry, tmp_path / str(number)):
        number += STRIDE
    assert number > 3 * STRIDE


async def test_what_sqlite_itself_refuses_to_write_is_written_once_it_can_be(small, registry, tmp_path):
    async with world(small, registry, tmp_path) as engine:
        await engine.sweep("location")
        await engine.store._writer.execute_fetchall("PRAGMA query_only = ON")
        with pytest.raises(PermissionRefused):
            await engine.sweep_all(*ENTITIES)
        await live(engine)
        check_store(engine)
        await engine.store._writer.execute_fetchall("PRAGMA query_only = OFF")
        await recover(engine)


async def test_a_checkpoint_committed_before_the_fates_is_caught(small, registry, tmp_path, monkeypatch):
    settle = Settlement.settle

    async def settle_too_late(self, works, *, window="", reached=""):
        async with self._connection.store.transaction() as tables:
            await tables.checkpoints.reach(self._plan.name, window, reached)
        await settle(self, works)

    monkeypatch.setattr(Settlement, "settle", settle_too_late)
    caught = ""
    for number in range(6, 30, 2):
        try:
            await fail_at(number, FULL, small, registry, tmp_path / str(number))
        except AssertionError as error:
            caught = str(error)
            break
    assert "has no fate, and the key reached by its sweep is ahead of it" in caught


@pytest.mark.parametrize("number", [1, 4, 8])
async def test_a_full_disk_holds_the_loops_and_ends_none(small, registry, tmp_path, number):
    async with world(small, registry, tmp_path, SystemClock()) as engine, anyio.create_task_group() as tasks:
        fail(engine.store, FULL, number)
        supervisor = engine.assembly.supervisor
        tasks.start_soon(supervisor.run)

        async def held() -> bool:
            return any(supervisor.runners[name].gate.hold.state for name in ENTITIES)

        await until(held, "held", 10)
        check_store(engine)
        assert await supervisor.stop(5)
