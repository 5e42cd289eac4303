"""What is done about a hang: it is logged, its entity alone is begun anew, and only where that fails nobody is fed.

Without a sign of life systemd ends the process with SIGABRT, shows the stacks of its threads, and starts it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from p21d.clock import Clock
from p21d.engine.incident import last_calls, task_tree
from p21d.engine.watch import Stuck, Watch

log = structlog.get_logger("p21d.watchdog")

RESTART_SECONDS = 10.0
"""How long cancelled work may take to end."""

Restart = Callable[[str, str, float], Awaitable[bool]]


class Watchdog:
    """Looks at the watch now and then; `restart` begins an owner anew and tells whether the old work has ended."""

    def __init__(
        self, watch: Watch, clock: Clock, restart: Restart, *, restart_seconds: float = RESTART_SECONDS
    ) -> None:
        self._watch = watch
        self._clock = clock
        self._restart = restart
        self._restart_seconds = restart_seconds
        self._known: set[tuple[str, str]] = set()
        self._restarted: dict[str, float] = {}
        self._failed: Sequence[Stuck] = ()

    async def look(self) -> bool:
        """Do what is to be done about stuck work; tell whether systemd may be given its sign of life."""
        stuck = self._watch.stuck()
        self._log_once(stuck)
        by_owner: dict[str, Stuck] = {}
        for one in stuck:
            by_owner.setdefault(one.owner, one)
        failed = [one for owner, one in by_owner.items() if not await self._begin_anew(owner, one)]
        if failed and not self._failed:
            log.error("hang lasts", work=[str(one) for one in failed], next="no sign of life is given to systemd")
        self._failed = failed
        return not failed

    @property
    def trouble(self) -> str:
        """Return in words what hangs and cannot be begun anew, empty where nothing does."""
        return f"hangs: {self._failed[0]}" if self._failed else ""

    def _log_once(self, stuck: Sequence[Stuck]) -> None:
        names = {(one.work, one.stage) for one in stuck}
        if names - self._known:
            work = [{"work": one.work, "stage": one.stage, "seconds": round(one.seconds)} for one in stuck]
            log.error("stuck", work=work, tasks=task_tree(), calls=last_calls(self._watch))
        self._known = names

    async def _begin_anew(self, owner: str, stuck: Stuck) -> bool:
        """Begin the owner anew unless that was tried just now; tell whether its old work has ended."""
        now, before = self._clock.monotonic(), self._restarted.get(owner)
        # one period passes before the new work can be stuck again: within the next one it is the same hang
        if before is not None and now - before < 2 * self._watch.stuck_seconds:
            return False
        self._restarted[owner] = now
        if not await self._restart(owner, str(stuck), self._restart_seconds):
            return False
        log.warning("begun anew", owner=owner, because=str(stuck))
        self._known = {name for name in self._known if name[0] != stuck.work}
        return True
