"""Fixtures every room shares, and what a test that hangs leaves behind: where each of its tasks waits."""

from __future__ import annotations

import asyncio  # noqa: TID251  # a timer beside the test: a cancel scope here would cross those of its fixtures
import functools
import sys
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

import pytest

from p21d.engine.incident import task_tree

LONGEST_SECONDS = 300.0
"""Of one test; the slowest takes two minutes on a quiet machine. At twice this pytest ends it (`pyproject.toml`)."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: Any) -> None:
    if iscoroutinefunction(pyfuncitem.obj):
        pyfuncitem.obj = telling(pyfuncitem.obj, LONGEST_SECONDS)


def telling(test: Callable[..., Awaitable[None]], seconds: float) -> Callable[..., Awaitable[None]]:
    """Return the test; after so long it tells on stderr where it waits, and goes on waiting."""

    def tell() -> None:
        sys.__stderr__.write("\n".join([f"{test.__name__} hangs", *task_tree(), ""]))

    @functools.wraps(test)
    async def call(**arguments: Any) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, tell)
        try:
            await test(**arguments)
        finally:
            timer.cancel()

    return call
