"""The breaker of one entity: after a failure it holds the entity back instead of burning attempts.

Each failure makes the hold longer; any cycle that ends well lifts it. Before the first cycle after a hold, one cheap
request asks whether the other side is back. The log says once that a hold began and once that it ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
import structlog

from p21d.clock import Clock
from p21d.engine.backoff import backoff_seconds
from p21d.engine.drain import Drain
from p21d.errors import Forbidden, P21dError, ReadRefused, Unauthorized, Unavailable
from p21d.http import describe

log = structlog.get_logger("p21d.engine")

ASK_AGAIN_SECONDS = 900.0
"""How often a table is asked for again that the account may not read: permissions change while people work."""
REFUSED_CREDENTIALS_SECONDS = 60.0
"""The first wait after refused credentials, doubled up to an hour: an account must not be locked out by us."""


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


class Hold:
    """Holds one entity after failures; `probe` asks a system, given its name, whether it is back."""

    def __init__(self, entity: str, clock: Clock, probe: Callable[[str], Awaitable[None]]) -> None:
        self._entity = entity
        self._clock = clock
        self._probe = probe
        self._probing = anyio.Lock()
        self._hurry = anyio.Event()
        self.state: HoldState | None = None
        self.outage_ended = False
        """Set when a hold ended; the sweep loop takes it: a sweep follows every outage."""

    async def wait(self, drain: Drain) -> None:
        """Return when a cycle may start; raises Drained."""
        while (state := self.state) is not None:
            async with self._probing:
                if state is self.state:  # else another loop has asked meanwhile
                    await self._outlast(state, drain)
                    if await self._ask(state):
                        break
        drain.check()

    async def _outlast(self, state: HoldState, drain: Drain) -> None:
        seconds = (state.until - self._clock.now()).total_seconds()
        if seconds > 0:
            await drain.wait_for(self._hurry, seconds)
        self._hurry = anyio.Event()

    async def _ask(self, state: HoldState) -> bool:
        """Tell whether the other side is back; only a cycle that ends well lifts the hold."""
        try:
            await self._probe(state.system)
        except Exception as error:  # noqa: BLE001  # whatever a probe meets, the entity stays held and asks again
            self.failed(error)
            return False
        return True

    def hurry(self) -> None:
        """End the present wait now, because a person asks."""
        self._hurry.set()

    def succeeded(self) -> None:
        """Lift the hold: the other side answered or a cycle ended well."""
        if self.state is not None:
            held = (self._clock.now() - self.state.since).total_seconds()
            log.info("recovered", entity=self._entity, seconds=round(held, 1), failures=self.state.failures)
            self.state, self.outage_ended = None, True

    def failed(self, error: Exception) -> None:
        """Hold the entity, longer each time; logged when it begins or its reason changes."""
        before = self.state
        failures = before.failures + 1 if before else 1
        now = self._clock.now()
        reason = error.message if isinstance(error, P21dError) else describe(error)
        self.state = HoldState(
            since=before.since if before else now,
            until=now + timedelta(seconds=wait_seconds(error, failures)),
            system=getattr(error, "system", "Prophet 21" if isinstance(error, ReadRefused) else ""),
            reason=reason,
            hint=getattr(error, "hint", ""),
            failures=failures,
            lasting=isinstance(error, (Unauthorized, Forbidden, ReadRefused)),
        )
        if before is None or before.reason != reason:
            log.warning("held", entity=self._entity, reason=reason, hint=self.state.hint, until=self.state.until)


def wait_seconds(error: Exception, failures: int) -> float:
    """Return how long to hold after that many failures in a row."""
    match error:
        case Unauthorized():
            return min(3600.0, REFUSED_CREDENTIALS_SECONDS * 2.0 ** min(failures - 1, 10))
        case Forbidden() | ReadRefused():
            return ASK_AGAIN_SECONDS
        case Unavailable():
            return backoff_seconds(failures, most=60, asked=error.retry_after_seconds)
        case _:
            return backoff_seconds(failures, first=5, most=300)
