"""Fixtures every room shares, and the end of a test that hangs: it fails, and tells where each task waits."""

from __future__ import annotations

import asyncio  # noqa: TID251  # a timer beside the test, without a task group that would wrap its errors
import functools
import sys
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

import anyio
import pytest

from p21d.engine.incident import task_tree

LONGEST_SECONDS = 300.0
"""Of one test; the slowest takes a third of it. What a cancellation does not end, pytest ends (`pyproject.toml`)."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: Any) -> None:
    if iscoroutinefunction(pyfuncitem.obj):
        pyfuncitem.obj = ended(pyfuncitem.obj, LONGEST_SECONDS)


def ended(test: Callable[..., Awaitable[None]], seconds: float) -> Callable[..., Awaitable[None]]:
    """Return the test with an end: after so long it is cancelled and fails."""

    @functools.wraps(test)
    async def call(**arguments: Any) -> None:
        with anyio.CancelScope() as scope:

            def end() -> None:
                sys.__stderr__.write("\n".join([f"{test.__name__} hangs", *task_tree(), ""]))
                scope.cancel()

            timer = asyncio.get_running_loop().call_later(seconds, end)
            try:
                await test(**arguments)
            finally:
                timer.cancel()
        if scope.cancel_called:
            pytest.fail(f"not done within {seconds:g} s; where it waited stands in the output of the run")

    return call
