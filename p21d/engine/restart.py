"""Runs something that can be cut off and begun anew alone, while everything else goes on.

What is cut off loses nothing: its work stays open in the store, and the new one resumes it there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

BEGUN_ANEW = "it was begun anew and goes on where the store says; the log's line `stuck` shows what it waited for"
"""What a person is told of work that was cut off because it hung."""


class Restartable:
    """Runs `run` until it ends by itself; `renew` is called between a run that was cut off and the next one."""

    def __init__(self, run: Callable[[], Awaitable[None]], renew: Callable[[str], None]) -> None:
        self._run = run
        self._renew = renew
        self._because = ""
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()

    async def run(self) -> None:
        """Run, and again each time it was cut off to be begun anew."""
        while True:
            with anyio.CancelScope() as self._scope:
                await self._run()
            if not self._because:
                break
            self._renew(self._because)
            self._because = ""
            ended, self._ended = self._ended, anyio.Event()
            ended.set()
        self._ended.set()

    async def begin_anew(self, because: str, seconds: float) -> bool:
        """Cut it off and begin it anew; tell whether it has ended in that many seconds.

        One that swallows its cancellation is begun anew whenever it ends, and not while it may still be at work.
        """
        ended, self._because = self._ended, because
        self._scope.cancel()
        with anyio.move_on_after(seconds):
            await ended.wait()
        return ended.is_set()
