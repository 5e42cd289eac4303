"""Runs what a command does asynchronously, so that the first Ctrl-C ends it.

asyncio's own loop does not see a signal that comes while it is about to fall asleep, until something else wakes it;
uvloop's is woken by the signal itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple, Unpack

import anyio

Arguments = TypeVarTuple("Arguments")
T = TypeVar("T")


def run(main: Callable[[Unpack[Arguments]], Awaitable[T]], *arguments: *Arguments) -> T:
    """Run `main` to its end; raises what it raises, and KeyboardInterrupt after Ctrl-C."""
    return anyio.run(main, *arguments, backend_options={"use_uvloop": True})
