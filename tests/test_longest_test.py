"""The suite's own guard: a test that waits for ever fails, and says where it waited."""

from __future__ import annotations

import anyio
import pytest

from tests.conftest import ended


async def test_a_test_that_hangs_fails_and_tells_where_it_waits(capfd):
    async def waits_for_ever() -> None:
        await anyio.sleep_forever()

    with pytest.raises(pytest.fail.Exception, match=r"not done within 0\.01 s"):
        await ended(waits_for_ever, 0.01)()
    assert "waits_for_ever hangs" in (told := capfd.readouterr().err)
    assert "test_longest_test.py" in told


async def test_a_test_that_ends_in_time_is_left_as_it_is():
    async def fails() -> None:
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        await ended(fails, 60)()
