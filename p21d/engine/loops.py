"""Runs the loops of an entity or of the orders until they drain, whatever the store does meanwhile.

A cycle holds its entity by itself when it fails. Between two cycles a loop reads and writes the store too: what fails
there holds it as well and begins the loop anew, for a full disk must not end the daemon.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from p21d.engine.drain import Drain, Drained
from p21d.engine.hold import Hold
from p21d.errors import PermissionRefused, StoreError

AGAIN_SECONDS = 15.0


async def until_drained(loop: Callable[[], Awaitable[None]], hold: Hold, drain: Drain) -> None:
    """Run a loop that has no end of its own; return when it has drained."""
    try:
        while True:
            try:
                await loop()
            except (StoreError, PermissionRefused) as error:
                hold.failed(error)
                await drain.sleep(AGAIN_SECONDS)
            else:
                return  # some end by themselves when they drain
    except Drained:
        return
