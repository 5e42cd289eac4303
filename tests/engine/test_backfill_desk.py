"""`p21d sync ENTITY --all` as the daemon carries it out, and what status says about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from p21d.control.answers import SyncRequest
from p21d.control.desk import Desk
from p21d.errors import AlreadyRunning, ConfigError
from p21d.sandbox.serve import serve
from tests.engine.backfilling import ITEMS, SMALL_PAGES, backfill, vanish_many


@pytest.fixture
async def served():
    async with serve(rows=ITEMS, seed=1) as both:
        yield both


@pytest.fixture
async def engine(make):
    return make(prophet21=SMALL_PAGES)


@pytest.fixture
def desk(engine):
    return Desk(
        clock=engine.clock,
        store=engine.store,
        logs=None,
        config_path=Path("p21d.yaml"),
        supervisor=lambda: engine.assembly.supervisor,
        reload_all=None,
        started_at=engine.clock.now(),
        warnings=lambda: (),
    )


def request(**said):
    return SyncRequest(entity="product", all=True, **said)


async def status_of(desk, entity="product"):
    return next(found for found in (await desk.status()).entities if found.entity == entity)


async def test_a_sync_of_all_that_is_waited_for_tells_what_became_of_every_row(desk):
    answer = await desk.sync(request(wait=True))
    assert (answer.status, answer.tally.read) == ("completed", ITEMS)


async def test_a_sync_of_all_that_is_not_waited_for_is_kept_in_the_store(desk, make):
    assert (await desk.sync(request())).status == "accepted"
    assert await make().runner("product").backfills.due_seconds() == 0


async def test_an_asking_sync_answers_so_and_status_shows_it(engine, desk):
    await vanish_many(engine)
    assert (await desk.sync(request(wait=True))).status == "asks"
    shown = await status_of(desk)
    assert "12 delivered records are gone" in shown.reason
    assert "--confirm-removals" in shown.hint


async def test_a_confirmed_sync_carries_the_removals_out(engine, desk):
    await vanish_many(engine)
    await desk.sync(request(wait=True))
    assert (await desk.sync(request(wait=True, confirm_removals=True))).tally.delivered == 12
    assert (await status_of(desk)).reason == ""


async def test_a_paused_entity_refuses_it(engine, desk):
    engine.runner("product").gate.pause("stock-taking")
    with pytest.raises(AlreadyRunning):
        await desk.sync(request())


async def test_a_confirmation_needs_all(desk):
    with pytest.raises(ConfigError):
        await desk.sync(SyncRequest(entity="product", confirm_removals=True))


async def test_status_says_why_an_entity_is_held_before_what_is_offered(engine, desk, make):
    await backfill(engine)
    engine.runner("product").gate.pause("stock-taking")
    assert (await status_of(desk)).reason == "stock-taking"
