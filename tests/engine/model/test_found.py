"""Defects that the model has found, each as the shortest story that shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from p21d.errors import P21dError
from tests.engine.model.checks import Checks
from tests.engine.model.installation import Installation, Task


@pytest.fixture
async def it(tmp_path) -> AsyncIterator[Installation]:
    """A p21d that has delivered one maker."""
    it = Installation.new(tmp_path)
    it.p21.write("maker", 1, name="a", delete_flag="N")
    await it.start()
    await work(it, Task("sweep", "maker"))
    yield it
    await it.stop()


async def work(it: Installation, *tasks: Task) -> list[P21dError | None]:
    """Run tasks one after the other, an hour apart."""
    errors = []
    for task in tasks:
        it.tempo.clock.advance(3600)
        errors += [end.error for end in await it.run([(0.0, task)])]
    return errors


async def test_a_removal_that_an_outage_interrupted_is_done_after_it(it):
    it.p21.delete("maker", 1)
    it.hub.down = 3

    assert (await work(it, Task("backfill", "maker")))[0] is not None
    assert it.hub.records["maker", "1"].active

    await work(it, Task("backfill", "maker"))

    assert not it.hub.records["maker", "1"].active
    Checks(it).always()


async def test_a_row_that_vanishes_before_its_deletion_was_delivered_becomes_inactive(it):
    it.p21.flag("maker", 1, deleted=True)
    it.hub.down = 3
    await work(it, Task("poll", "maker"))
    it.p21.delete("maker", 1)

    await work(it, Task("poll", "maker"), Task("backfill", "maker"))

    assert not it.hub.records["maker", "1"].active
    Checks(it).always()


async def test_a_refused_removal_is_sent_again_by_a_forced_backfill(it):
    it.p21.delete("maker", 1)
    it.hub.refused.add(("maker", "1"))
    await work(it, Task("backfill", "maker"))
    it.hub.refused.clear()

    await work(it, Task("backfill", "maker"))
    assert it.hub.records["maker", "1"].active, "the same content is counted only, not sent again"

    await work(it, Task("backfill", "maker", force=True))
    assert not it.hub.records["maker", "1"].active
    assert not Checks(it).letters()
