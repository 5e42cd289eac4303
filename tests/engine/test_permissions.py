"""A table that the account may not read: no tokens, no others held, P21's own words for the remedy, and a way back."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from p21d.clock import SystemClock
from p21d.engine.hold import ASK_AGAIN_SECONDS
from tests.engine.world import PARENTS_FIRST, Engine


def forbid(engine: Engine, *tables: str) -> None:
    engine.served.p21.settings.forbidden_tables = set(tables)


async def attempt(engine: Engine, entity: str) -> None:
    """Let the entity try a cycle, as its loops do."""
    runner = engine.runner(entity)
    await runner.gate.hold.attempt(lambda: runner.sync_keys([], force=False))


def held(engine: Engine) -> set[str]:
    return {entity for entity in PARENTS_FIRST if engine.runner(entity).gate.hold.state}


async def eventually(condition: Callable[[], object]) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110  # a hold announces itself to nobody
            await anyio.sleep(0.01)


@pytest.mark.parametrize(
    ("table", "entities"),
    [
        ("customer", {"company"}),
        ("ship_to", {"company"}),  # a required related table
        ("address", {"company", "customer", "transaction", "invoice", "transaction_tracking_number"}),
        ("inv_mast", {"product", "product_inventory", "transaction", "invoice"}),
        ("shipment", {"transaction_tracking_number"}),
        ("clippership_return_10004", set()),
        ("contacts_x_links", set()),  # an optional one: it reads as empty
    ],
)
async def test_a_forbidden_table_holds_only_those_that_need_it_and_mints_nothing(engine, table, entities):
    forbid(engine, table)
    for entity in PARENTS_FIRST:
        await attempt(engine, entity)
    assert held(engine) == entities
    assert engine.served.p21.tokens.minted == 1


async def test_the_hint_says_where_in_p21_it_is_set(engine):
    forbid(engine, "ship_to")
    await attempt(engine, "company")
    state = engine.runner("company").gate.hold.state
    assert "ship_to" in state.reason
    assert '"Allow OData API Service"' in state.hint
    assert "Dataservice Permission" in state.hint
    assert "consumer key" in state.hint


async def test_an_entity_recovers_by_itself_within_a_quarter_of_an_hour(engine, clock):
    forbid(engine, "ship_to")
    await attempt(engine, "company")
    forbid(engine)
    await engine.runner("company").gate.hold.wait(engine.runner("company").drain)
    assert ASK_AGAIN_SECONDS - 1 < clock.leapt_seconds <= ASK_AGAIN_SECONDS
    await attempt(engine, "company")
    assert held(engine) == set()


async def test_the_related_table_is_asked_for_before_the_hold_is_lifted(engine, log_lines):
    forbid(engine, "ship_to")
    await attempt(engine, "company")
    with anyio.move_on_after(0.3):
        await engine.runner("company").gate.hold.wait(engine.runner("company").drain)
    assert held(engine) == {"company"}
    assert not [line for line in log_lines if line["event"] == "recovered"]
    assert engine.served.p21.tokens.minted == 1


async def test_a_permission_taken_away_while_running_holds_too(engine):
    await attempt(engine, "company")
    forbid(engine, "ship_to")
    runner = engine.runner("company")
    await runner.gate.hold.attempt(lambda: runner.sync_window(engine.clock.now().replace(year=2020), force=False))
    assert held(engine) == {"company"}


async def test_resume_asks_at_once(make):
    engine = make(clock=SystemClock())
    forbid(engine, "ship_to")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.assembly.supervisor.run)
        await eventually(lambda: "company" in held(engine))
        forbid(engine)
        engine.runner("company").resume()
        await eventually(lambda: "company" not in held(engine))
        engine.assembly.supervisor.cut_off()


async def test_a_consumer_key_is_signed_in_anew_for_its_scope_once_for_all_entities(make, served, clock):
    key = served.p21.credentials.consumer_key
    engine = make(prophet21={"consumer_key": key, "username": None, "password": None})
    forbid(engine, "inv_mast")
    for entity in ("product", "product_inventory"):
        await attempt(engine, entity)
    assert engine.served.p21.tokens.minted == 1
    forbid(engine)
    for entity in ("product", "product_inventory"):
        await engine.runner(entity).gate.hold.wait(engine.runner(entity).drain)
        await attempt(engine, entity)
    assert held(engine) == set()
    assert engine.served.p21.tokens.minted == 2
