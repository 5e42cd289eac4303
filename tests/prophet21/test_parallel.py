from __future__ import annotations

import anyio
import pytest

from p21d.errors import Unavailable
from p21d.prophet21.parallel import each


async def test_results_come_in_the_order_of_the_items():
    second_done = anyio.Event()

    async def call(item):
        if item == 1:
            await second_done.wait()
        else:
            second_done.set()
        return item * 10

    assert await each(call, [1, 2]) == [10, 20]


async def test_no_items_are_no_results():
    assert await each(anyio.sleep_forever, []) == []


async def test_the_first_failure_itself_is_raised_and_ends_the_others():
    async def call(item):
        if item == 2:
            raise Unavailable("gone", system="Prophet 21")
        await anyio.sleep_forever()

    with pytest.raises(Unavailable, match="gone"):
        await each(call, [1, 2, 3])
