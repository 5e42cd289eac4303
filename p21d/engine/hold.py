"""The breaker of one entity: after a failure it holds the entity back instead of burning attempts.

Each failure makes the hold longer; any cycle that ends well lifts it. Before the first cycle after a hold, one cheap
request asks whether the other side is back; where no request can tell, one cycle at a time is let through. The log says
once that a hold began and once that it ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import anyio
import structlog

from p21d.clock import Clock
from p21d.engine.backoff import backoff_seconds
from p21d.engine.drain import Drain, Drained
from p21d.errors import (
    Forbidden,
    P21dError,
    PluginFailed,
    ReadRefused,
    StoreDamaged,
    StoreFull,
    SystematicRefusal,
    Unauthorized,
    Unavailable,
)
from p21d.http import describe

log = structlog.get_logger("p21d.engine")

T = TypeVar("T")

ASK_AGAIN_SECONDS = 900.0
"""How often a table is asked for again that the account may not read: permissions change while people work."""
STORE = "the store"
STORE_SECONDS = 30.0
"""How often the disk is looked at again."""
LASTING = (Unauthorized, Forbidden, ReadRefused, SystematicRefusal, PluginFailed, StoreDamaged)
"""What only a person can end."""
REFUSED_CREDENTIALS_SECONDS = 60.0
"""The first wait after refused credentials, doubled up to an hour: an account must not be locked out by us."""


def _unwatched(_stage: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldState:
    """Why an entity is held, since when, and until when at least."""

    since: datetime
    until: datetime
    system: str
    reason: str
    hint: str
    failures: int
    lasting: bool
    """True when only a person can end it: a permission, a password, a wrong column."""
    needs_cycle: bool
    """True when no request can tell whether the cause is gone, only a record that is sent."""


class Hold:
    """Holds one entity after failures; `probe` asks a system, given its name, whether it is back."""

    def __init__(
        self,
        entity: str,
        clock: Clock,
        probe: Callable[[str], Awaitable[None]],
        *,
        moved: Callable[[], int] = lambda: 0,
        watched: Callable[[str], AbstractContextManager[None]] = _unwatched,
    ) -> None:
        """Hold nothing yet. `moved` counts what was settled: a failure after progress is the first in a row again.

        `watched` watches, for a block, the stage it is given: nothing that is waited for here may hang unseen.
        """
        self._watched = watched
        self._moved = moved
        self._moved_before = 0
        self._entity = entity
        self._clock = clock
        self._probe = probe
        self._probing = anyio.Lock()
        self._hurry = anyio.Event()
        self._hurries = 0
        self.state: HoldState | None = None
        self.outage_ended = anyio.Event()
        """Set when a hold ended; the sweep loop takes it: a sweep follows every outage."""

    async def wait(self, drain: Drain) -> None:
        """Return when a cycle may start; raises Drained."""
        while (state := self.state) is not None:
            async with self._probing:
                if state is self.state:  # else another loop has asked meanwhile
                    await self._outlast(state, drain)
                    if state is not self.state:
                        continue
                    if state.needs_cycle:  # the others wait again, for what the caller's cycle shows
                        until = self._clock.now() + timedelta(seconds=ASK_AGAIN_SECONDS)
                        self.state = replace(state, until=until)
                        break
                    if await self._ask(state):
                        break
        drain.check()

    def forget_outage(self) -> None:
        """Begin anew: no sweep is owed for what ended before."""
        self.outage_ended = anyio.Event()

    def untried(self) -> None:
        """Let the next cycle through at once: the one that was had nothing to show."""
        if self.state is not None:
            self.state = replace(self.state, until=self._clock.now())
            self._hurry.set()

    async def _outlast(self, state: HoldState, drain: Drain) -> None:
        seconds = (state.until - self._clock.now()).total_seconds()
        if seconds > 0:
            await drain.wait_for(self._hurry, seconds)
        self._hurry = anyio.Event()

    async def _ask(self, state: HoldState) -> bool:
        """Tell whether the other side is back; only a cycle that ends well lifts the hold."""
        try:
            with self._watched("probe"):
                await self._probe(state.system)
        except Exception as error:  # noqa: BLE001  # whatever a probe meets, the entity stays held and asks again
            self.failed(error)
            return False
        return True

    async def attempt(self, run: Callable[[], Awaitable[T]]) -> T | None:
        """Run a cycle; a failure holds and returns None. Raises Drained."""
        hurries = self._hurries
        try:
            with self._watched("begin"):
                result = await run()
        except Drained:
            raise
        except P21dError as error:
            self.failed(error)
        except Exception as error:  # one entity's bug must not stop the others; it is logged in full
            log.exception("bug", entity=self._entity)
            self.failed(error)
        else:
            if self.state is not None and self.state.needs_cycle:  # no record was taken: it shows nothing
                self.untried()
            elif result is not False:  # a release cycle that had nothing to do asked nobody and proves nothing
                self.succeeded()
            return result
        if hurries != self._hurries:  # what was learned before a person asked is no answer to that
            self.untried()
        return None

    def hurry(self) -> None:
        """End the present wait now, because a person asks; where an attempt is under way and fails, the next one."""
        self._hurries += 1
        self.untried()

    def succeeded(self) -> None:
        """Lift the hold: the other side answered or a cycle ended well."""
        if self.state is not None:
            held = (self._clock.now() - self.state.since).total_seconds()
            log.info("recovered", entity=self._entity, seconds=round(held, 1), failures=self.state.failures)
            self.state = None
            self.outage_ended.set()
            self._hurry.set()  # whoever still waits it out goes on
            self._hurry = anyio.Event()

    def failed(self, error: Exception) -> None:
        """Hold the entity, longer each time; logged when it begins or its reason changes."""
        before, moved = self.state, self._moved()
        failures = before.failures + 1 if before and moved == self._moved_before else 1
        self._moved_before = moved
        now = self._clock.now()
        reason = error.message if isinstance(error, P21dError) else describe(error)
        self.state = HoldState(
            since=before.since if before else now,
            until=now + timedelta(seconds=wait_seconds(error, failures)),
            system=system_of(error),
            reason=reason,
            hint=getattr(error, "hint", ""),
            failures=failures,
            lasting=isinstance(error, LASTING),
            needs_cycle=isinstance(error, (SystematicRefusal, PluginFailed)),
        )
        if before is None or before.reason != reason:
            log.warning("held", entity=self._entity, reason=reason, hint=self.state.hint, until=self.state.until)


def system_of(error: Exception) -> str:
    """Return the name of what failed, empty where nothing can be asked whether it is back."""
    match error:
        case ReadRefused():
            return "Prophet 21"
        case StoreFull() | StoreDamaged():
            return STORE
        case _:
            return str(getattr(error, "system", ""))


def wait_seconds(error: Exception, failures: int) -> float:
    """Return how long to hold after that many failures in a row."""
    match error:
        case Unauthorized():
            return min(3600.0, REFUSED_CREDENTIALS_SECONDS * 2.0 ** min(failures - 1, 10))
        case Forbidden() | ReadRefused() | SystematicRefusal() | PluginFailed():
            return ASK_AGAIN_SECONDS
        case StoreFull() | StoreDamaged():
            return STORE_SECONDS
        case Unavailable():
            return backoff_seconds(failures, most=60, asked=error.retry_after_seconds)
        case _:
            return backoff_seconds(failures, first=5, most=300)
