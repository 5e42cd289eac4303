"""When a backfill is due, and when it is offered: the interval counts over restarts, a new mapping is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from p21d.sandbox.serve import serve
from tests.engine.backfilling import DAY, ITEMS, SMALL_PAGES, backfill


@pytest.fixture
async def served():
    async with serve(rows=ITEMS, seed=1) as both:
        yield both


@pytest.fixture
async def engine(make):
    return make(prophet21=SMALL_PAGES)


async def test_the_interval_counts_over_a_restart(engine, make):
    await backfill(engine, "location")
    engine.clock.advance(5 * DAY)
    due = await make().runner("location").backfills.due_seconds()
    assert 1.9 * DAY < due < 2 * DAY


async def test_the_interval_counts_from_the_first_start(engine):
    await engine.runner("location").backfills.introduce()
    engine.clock.advance(7 * DAY + 1)
    assert await engine.runner("location").backfills.due_seconds() <= 0


async def test_a_plug_in_may_ask_for_a_shorter_interval(engine):
    await engine.runner("product_inventory").backfills.introduce()
    assert await engine.runner("product_inventory").backfills.due_seconds() <= DAY


@pytest.mark.parametrize(("configured", "due"), [("2d", 2 * DAY), (0, float("inf"))])
async def test_the_configured_interval_comes_before_the_plug_in_s(make, configured, due):
    engine = make(entities={"location": {"full_sweep_interval": configured}})
    await engine.runner("location").backfills.introduce()
    assert await engine.runner("location").backfills.due_seconds() == pytest.approx(due, abs=60)


async def test_a_changed_filter_is_offered_with_the_count(engine, make):
    await engine.runner("location").backfills.introduce()
    await engine.sweep("location")
    count = await engine.store.read.delivered.count("location")
    changed = make(entities={"location": {"filter": "location_id gt 0"}}).runner("location")
    await changed.backfills.introduce()
    _, hint = await changed.backfills.notice()
    assert hint == f"p21d sync location --all would send {count} records again"


@pytest.mark.parametrize(
    "change",
    [
        {"fields": {"brand": {"const": "ACME"}}},
        {"columns": ["default_branch_id"]},
        {"external_id": "{location_id}|{company_id}"},
    ],
)
async def test_a_changed_mapping_is_offered(engine, make, change):
    await engine.runner("location").backfills.introduce()
    await engine.sweep("location")
    assert await make(entities={"location": change}).runner("location").backfills.notice() != ("", "")


async def test_a_changed_plug_in_is_offered(engine):
    backfills = engine.runner("location").backfills
    await backfills.introduce()
    await engine.sweep("location")
    backfills._plan = replace(engine.plan("location"), content="another")
    assert await backfills.notice() != ("", "")


async def test_an_unchanged_restart_offers_nothing(engine, make):
    await engine.runner("location").backfills.introduce()
    await engine.sweep("location")
    assert await make().runner("location").backfills.notice() == ("", "")


async def test_a_change_before_anything_is_delivered_is_not_offered(engine, make):
    await engine.runner("location").backfills.introduce()
    changed = make(entities={"location": {"filter": "location_id gt 0"}})
    await changed.runner("location").backfills.introduce()
    await changed.sweep("location")
    assert await changed.runner("location").backfills.notice() == ("", "")


async def test_an_offer_ends_with_the_backfill(engine, make):
    await engine.runner("location").backfills.introduce()
    await engine.sweep("location")
    changed = make(entities={"location": {"filter": "location_id gt 0"}})
    await backfill(changed, "location")
    assert await changed.runner("location").backfills.notice() == ("", "")
