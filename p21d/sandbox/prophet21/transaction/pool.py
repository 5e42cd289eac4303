"""The UI server's pool of window sessions: so many work at once, a caller waits so long, then it is turned away."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from p21d.clock import Clock
    from p21d.sandbox.prophet21.settings import Settings


class NoSession(Exception):  # it says what there is not
    """No session came free within the wait limit; nothing was done."""


class SessionPool:
    """Lend sessions in the order of asking; `busy` are lent now, `waiting` ask."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.busy = 0
        self._settings = settings
        self._clock = clock
        self._queue: deque[anyio.Event] = deque()

    @property
    def waiting(self) -> int:
        """Return how many callers wait."""
        return len(self._queue)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Hold one session for the block; raises `NoSession` after the wait limit."""
        if self.busy >= self._settings.sessions or self._queue:
            await self._wait()
        else:
            self.busy += 1
        try:
            yield
        finally:
            self._give_back()

    async def _wait(self) -> None:
        """Wait until a session is handed over, already counted as busy."""
        mine = anyio.Event()
        self._queue.append(mine)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._give_up, tasks.cancel_scope)
                await mine.wait()
                tasks.cancel_scope.cancel()
        except BaseException:
            self._leave(mine)
            raise
        if not mine.is_set():
            self._leave(mine)
            raise NoSession

    async def _give_up(self, waiting: anyio.CancelScope) -> None:
        await self._clock.sleep(self._settings.session_wait_seconds)
        waiting.cancel()

    def _leave(self, mine: anyio.Event) -> None:
        if mine in self._queue:
            self._queue.remove(mine)
        elif mine.is_set():
            self._give_back()

    def _give_back(self) -> None:
        if self._queue and self.busy <= self._settings.sessions:
            self._queue.popleft().set()
        else:
            self.busy -= 1
