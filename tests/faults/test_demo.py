"""`p21d demo`: the first thing anybody runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults.world import ENTITIES, run


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def done(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Run the demo once for all tests here."""
    folder = tmp_path_factory.mktemp("demo")
    return await run(sys.executable, "-m", "p21d", "demo", "--rows=200", cwd=folder, seconds=100)


def rows(done: subprocess.CompletedProcess[str], head: str) -> list[list[str]]:
    """Return the words of the rows of the table whose first header begins so."""
    lines = [line.split() for line in done.stdout.splitlines()]
    start = next(number for number, line in enumerate(lines) if line[0] == head)
    return lines[start + 1 :]


async def test_the_demo_ends_well(done):
    assert done.returncode == 0, done.stderr


async def test_a_table_says_what_was_delivered_of_each_entity(done):
    delivered = {words[0]: int(words[2]) for words in rows(done, "ENTITY") if words[0] in ENTITIES}
    assert set(delivered) == set(ENTITIES)
    assert min(delivered.values()) > 0


async def test_each_order_is_linked_with_a_p21_number_of_its_own_or_held(done):
    orders = rows(done, "HUB")
    numbers = [number for _, number, state, *_ in orders if state == "linked"]
    held = [state for _, _, state, *_ in orders if state == "held"]
    assert len(orders) == len(numbers) + len(held) == 8
    assert len(set(numbers)) == len(numbers) > 0
    assert f"the hub has {len(numbers)} of 8 orders linked with their P21 number" in done.stderr


async def test_an_order_for_an_unknown_item_is_held_with_the_reason(done):
    number, _, state, *_ = max(rows(done, "HUB"))  # it was placed last
    assert state == "held"
    assert f"{number}: held, line 1: P21 has no active item WEB-ONLY-1" in done.stderr


async def test_nothing_is_wider_than_a_screen(done):
    assert [line for line in (done.stdout + done.stderr).splitlines() if len(line) > 80] == []
