"""Time and order of one model: every call is a step, a mishap may come at any of them, and nothing is left to chance.

All that the engine waits for is in this process: tasks run in the order in which they became ready, and the clock leaps
to the next sleeper when none is ready. So an example of the model runs the same way each time.
"""

from __future__ import annotations

import asyncio  # noqa: TID251  # whether any task is ready is known to asyncio's loop alone
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import anyio
import anyio.lowlevel

from p21d.fake_clock import FakeClock

STEP_SECONDS = 0.01
"""What each step takes, so that no two reads have the same instant."""
MOST_LEAPS = 5_000

Job = Callable[[], Awaitable[None]]
Mishap = tuple[str, int, Callable[[], None]]
"""What happens with the step of that name and number; without a name, with that step of them all."""


class Crash(BaseException):
    """The process is gone: no `except Exception` sees it, and whatever is called after it raises it again."""


class Hang(AssertionError):
    """Tasks wait, and nothing in the model will ever wake them."""


class LeapingClock(FakeClock):
    """A FakeClock that can leap to its next sleeper."""

    def leap(self) -> bool:
        """Advance to the earliest sleeper; tell whether there was one."""
        if not self._sleepers:
            return False
        self.advance(max(min(at for at, _ in self._sleepers) - self.monotonic(), 0.0))
        return True


class Tempo:
    """Counts steps, lets the planned mishaps happen, and is dead from a crash to the next start."""

    def __init__(self, start: datetime) -> None:
        self.clock = LeapingClock(start)
        self.dead = False
        self.steps: list[str] = []
        self.committed: Callable[[], None] = lambda: None
        self._mishaps: list[Mishap] = []

    def plan(self, mishaps: Sequence[Mishap]) -> None:
        """Begin to count anew; each mishap comes with the step of its name and number."""
        self.steps, self._mishaps = [], list(mishaps)

    def step(self, name: str) -> None:
        """Take a step; raises Crash where the process ends here, or has ended."""
        if not self.dead:
            self.steps.append(name)
            self.clock.advance(STEP_SECONDS)
            if self._mishaps:
                self._let_happen(name)
        self.check()

    def _let_happen(self, name: str) -> None:
        numbers = {"": len(self.steps), name: self.steps.count(name)}
        for when, number, mishap in self._mishaps:
            if numbers.get(when) == number:
                mishap()

    def check(self) -> None:
        """Raise Crash where the process has ended."""
        if self.dead:
            raise Crash

    async def tick(self, name: str) -> None:
        """Take a step, and let the other tasks have their turn."""
        self.step(name)
        await anyio.lowlevel.checkpoint()

    def crash(self) -> None:
        """End the process with the present step."""
        self.dead = True

    async def finish(self, jobs: Sequence[tuple[float, Job]]) -> None:
        """Run jobs, each from its number of seconds on, to their ends; raises Hang where one never ends."""
        left = len(jobs)

        async def run(delay_seconds: float, job: Job) -> None:
            nonlocal left
            try:
                await self.clock.sleep(delay_seconds)
                await job()
            finally:
                left -= 1

        async with anyio.create_task_group() as tasks:
            for delay_seconds, job in jobs:
                tasks.start_soon(run, delay_seconds, job)
            for _ in range(MOST_LEAPS):
                await all_blocked()
                if not left:
                    return
                if not self.clock.leap():
                    break
            hangs = left
            tasks.cancel_scope.cancel()
        if hangs:
            raise Hang(f"{hangs} of {len(jobs)} never end; the last steps: {', '.join(self.steps[-5:])}")


async def all_blocked() -> None:
    """Return when every other task waits for something."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # noqa: RUF100
    await anyio.lowlevel.checkpoint()
    while ready:
        await anyio.lowlevel.checkpoint()
