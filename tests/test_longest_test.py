"""The suite's own guard: a test that hangs tells where it waits."""

from __future__ import annotations

import anyio
import anyio.lowlevel

from tests.conftest import telling


async def test_a_test_that_hangs_tells_where_it_waits(capfd):
    async def waits_for_long() -> None:
        await anyio.sleep(0.04)

    await telling(waits_for_long, 0.01)()
    told = capfd.readouterr().err
    assert "waits_for_long hangs" in told
    assert "test_longest_test.py" in told


async def test_a_test_that_ends_in_time_tells_nothing(capfd):
    async def ends() -> None:
        await anyio.lowlevel.checkpoint()

    await telling(ends, 0.01)()
    await anyio.sleep(0.04)
    assert capfd.readouterr().err == ""
