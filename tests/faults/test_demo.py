"""`p21d demo`: the first thing anybody runs."""

from __future__ import annotations

import sys

from tests.faults.world import ENTITIES, run


async def test_the_demo_ends_with_a_table_of_what_was_delivered(tmp_path):
    done = await run(sys.executable, "-m", "p21d", "demo", "--rows=200", cwd=tmp_path, seconds=100)

    assert done.returncode == 0, done.stderr
    heads, *lines = (line.split() for line in done.stdout.splitlines())
    assert heads[:3] == ["ENTITY", "READ", "DELIVERED"]
    delivered = {words[0]: int(words[2]) for words in lines if words[0] in ENTITIES}
    assert set(delivered) == set(ENTITIES)
    assert min(delivered.values()) > 0
