"""Orders beside the entities: built from the configuration, turned on and off by reload, drained with the rest."""

from __future__ import annotations

import anyio
import pytest

from p21d.config import OrdersConfig
from p21d.engine.orders.assembling import assemble_orders
from p21d.errors import ConfigError
from p21d.sinks.registry import build_sink
from tests.engine.orders.taking_in import OFF, ON, desk_of, intents, left_alone, place
from tests.engine.world import DEADLINE_SECONDS
from tests.faults.world import until, world


async def test_without_a_word_of_it_orders_are_off(make):
    assert OrdersConfig().enabled is False
    assert make(orders=OFF).assembly.supervisor.orders is None


async def test_a_sink_that_gives_no_orders_is_refused_by_the_key(make, clock, tmp_path):
    engine = make(orders=ON)
    engine.connection.sink = build_sink({"type": "jsonl", "directory": str(tmp_path)}, clock, {})
    with pytest.raises(ConfigError, match="this sink gives no orders") as refused:
        assemble_orders(engine.assembly.config, engine.assembly.registry, engine.connection)
    assert refused.value.path == "orders.enabled"


async def test_a_wrong_template_is_refused_before_anything_runs(make):
    with pytest.raises(ConfigError):
        make(orders={**ON, "reference": "{buyer_po}"})


async def test_the_tasks_read_the_inbox_by_themselves_and_end_with_a_drain(make):
    engine = make(orders=ON)
    hub_id = place(engine.hub, "WEB-1", status="Cancelled")
    desk = desk_of(engine)
    with anyio.fail_after(DEADLINE_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(desk.run)
            while not await left_alone(engine):  # noqa: ASYNC110  # the store has no event
                await anyio.sleep(0.005)
            desk.context.drain.request()
    assert hub_id not in await intents(engine)


async def test_reload_turns_orders_on_and_off_and_everything_else_goes_on(tmp_path):
    async with world(tmp_path, "location", rows=10) as here:
        await here.daemon.start()
        await here.daemon.until_in_step("location")
        assert (await here.daemon.status()).orders is None

        here.daemon.write(orders={"enabled": True})
        refused = await here.daemon.command("reload")
        assert refused.returncode == 78
        assert "orders.not_before" in refused.stderr
        assert (await here.daemon.status()).orders is None

        place(here.hub, "WEB-1")
        here.daemon.write(orders={"enabled": True, "not_before": "2026-01-01"})
        reloaded = await here.daemon.command("reload")
        assert reloaded.returncode == 0, reloaded.stderr

        async def taken_in() -> bool:
            orders = (await here.daemon.status()).orders
            return orders is not None and sum(orders.counts.values()) == 1

        await until(taken_in, "the order in the ledger")
        assert (await here.daemon.sync("location")).status == "completed"

        here.daemon.write(orders={"enabled": False})
        assert (await here.daemon.command("reload")).returncode == 0
        assert (await here.daemon.status()).orders is None
        assert (await here.daemon.sync("location")).status == "completed"
        assert await here.daemon.stop() == 0
