"""The operator's desk: carries out what the control socket asks, on the set that works at that moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import structlog

from p21d.clock import Clock
from p21d.control.answers import (
    CycleAnswer,
    DeadLetterAnswer,
    DeadLetterRequest,
    DoneAnswer,
    ReloadAnswer,
    Status,
    SyncAnswer,
    SyncRequest,
)
from p21d.control.order_operations import OrderClerk
from p21d.control.screen import Screen, cycle_answer
from p21d.engine.drain import Drained
from p21d.engine.fate import Tally
from p21d.engine.runner import Runner
from p21d.engine.supervisor import Supervisor
from p21d.errors import AlreadyRunning, ConfigError
from p21d.events import Feed
from p21d.logs import LEVELS, Level, Logs
from p21d.store.database import Store

log = structlog.get_logger("p21d.control")

ACCEPTED = "p21d status shows it running"
MAX_MISSING = 100
PART_KEYS = 500
"""Keys read and delivered at a time, so that a long list takes no more memory than a short one."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Implements Operations. `supervisor` returns the one that works now, `reload` swaps it."""

    clock: Clock
    store: Store
    logs: Logs
    config_path: Path
    supervisor: Callable[[], Supervisor]
    reload_all: Callable[[], Awaitable[ReloadAnswer]]
    started_at: datetime
    warnings: Callable[[], Sequence[str]]

    async def status(self) -> Status:
        """Return the status screen."""
        screen = Screen(self.supervisor(), self.clock, started_at=self.started_at, config_path=self.config_path)
        return await screen.status(list(self.warnings()))

    async def cycles(self, *, entity: str, limit: int) -> Sequence[CycleAnswer]:
        """Return finished cycles, the newest first."""
        return [cycle_answer(row) for row in await self.store.read.cycles.latest(entity=entity, limit=limit)]

    async def sync(self, request: SyncRequest) -> SyncAnswer:
        """Run a sync of keys or of a window; a window that is neither forced nor waited for is kept in the store."""
        runner = self.supervisor().runner(request.entity)
        if request.confirm_removals and not request.all:
            raise ConfigError("confirm_removals goes with all", hint="only a sync of all keys makes records inactive")
        if request.all:
            return await self._sync_all(runner, request)
        if request.keys:
            return await self._timed(request.entity, lambda: self._sync_keys(runner, request.keys, force=request.force))
        low = self._low(request, runner)
        if not request.wait and not request.force:
            await runner.request_sync(low)
            return SyncAnswer(entity=request.entity, status="accepted", note=ACCEPTED)
        return await self._timed(request.entity, lambda: self._sync_window(runner, low, force=request.force))

    async def reload(self) -> ReloadAnswer:
        """Read configuration, credentials and plug-ins again."""
        return await self.reload_all()

    async def pause(self, entity: str, because: str) -> DoneAnswer:
        """Start no new cycle of the entity until it is resumed; outlives a restart."""
        runner, because = self.supervisor().runner(entity), because or "by the operator"
        async with self.store.transaction() as tables:
            await tables.paused.pause(entity, because, self.clock.now())
        runner.gate.pause(because)
        log.info("paused", entity=entity, because=because)
        return DoneAnswer(done=f"{entity} is paused; a cycle that runs now ends first", count=1)

    async def resume(self, entity: str) -> DoneAnswer:
        """Let a paused or held entity run at once."""
        runner = self.supervisor().runner(entity)
        async with self.store.transaction() as tables:
            await tables.paused.resume(entity)
        runner.resume()
        log.info("resumed", entity=entity)
        return DoneAnswer(done=f"{entity} runs again", count=1)

    async def dead_letters(self, *, entity: str, key: str, limit: int, before: int) -> Sequence[DeadLetterAnswer]:
        """Return open dead letters, the newest first."""
        rows = await self.store.read.dead_letters.listed(entity=entity, key=key, limit=limit, before=before)
        names = DeadLetterAnswer.__struct_fields__
        return [DeadLetterAnswer(**{name: row[name] for name in names}) for row in rows]

    async def replay(self, request: DeadLetterRequest) -> SyncAnswer:
        """Read the rows of dead letters from P21 again and deliver them, changed or not."""
        runner = self.supervisor().runner(request.entity)
        keys = await self._letter_keys(request)
        return await self._timed(request.entity, lambda: self._sync_keys(runner, keys, force=True))

    async def discard(self, request: DeadLetterRequest) -> DoneAnswer:
        """Close dead letters without delivering them; `because` is kept."""
        keys = await self._letter_keys(request)
        because = f"discarded: {request.because}" if request.because else "discarded"
        async with self.store.transaction() as tables:
            count = await tables.dead_letters.close(request.entity, keys, because, self.clock.now())
        return DoneAnswer(done=f"{count} dead letters of {request.entity} discarded", count=count)

    def backup(self) -> AbstractAsyncContextManager[Path]:
        """Return a block in which a copy of the store stands, which is gone afterwards."""
        return self.store.copied(self.supervisor().connection.min_free_bytes)

    @property
    def events(self) -> Feed:
        """Return what the log tells."""
        return self.logs.feed

    @property
    def orders(self) -> OrderClerk:
        """Return who answers for the orders."""
        return OrderClerk(self.store, self.supervisor().orders)

    def set_log_level(self, level: str) -> DoneAnswer:
        """Change the log level until the next start."""
        try:
            self.logs.set_level(msgspec.convert(level, Level))
        except msgspec.ValidationError as error:
            hint = f"levels are {', '.join(LEVELS)}"
            raise ConfigError(f"there is no log level {level!r}", hint=hint) from error
        return DoneAnswer(done=f"log level is {level} until the next start or reload")

    def _low(self, request: SyncRequest, runner: Runner) -> datetime:
        if request.since is not None:
            return request.since
        days = runner.plan.settings.poll_search_days if request.days is None else request.days
        return self.clock.now() - timedelta(days=days)

    async def _letter_keys(self, request: DeadLetterRequest) -> Sequence[str]:
        open_keys = await self.store.read.dead_letters.open_keys(request.entity, code=request.code)
        if not request.keys:
            return open_keys
        wanted = set(request.keys)
        return [key for key in open_keys if key in wanted]

    async def _sync_all(self, runner: Runner, request: SyncRequest) -> SyncAnswer:
        force, confirmed = request.force, request.confirm_removals
        if not request.wait:
            await runner.request_backfill(force=force, confirmed=confirmed)
            return SyncAnswer(entity=request.entity, status="accepted", note=ACCEPTED)

        async def run() -> SyncAnswer:
            outcome = await runner.backfill(force=force, confirmed=confirmed)
            return SyncAnswer(entity=request.entity, status=outcome.status, note=outcome.note, tally=outcome.tally)

        return await self._timed(request.entity, run)

    async def _sync_window(self, runner: Runner, low: datetime, *, force: bool) -> SyncAnswer:
        tally = await runner.sync_window(low, force=force)
        return SyncAnswer(entity=runner.plan.name, status="completed", tally=tally)

    async def _sync_keys(self, runner: Runner, keys: Sequence[str], *, force: bool) -> SyncAnswer:
        tally, missing = Tally(), []
        for start in range(0, len(keys), PART_KEYS):
            part = list(dict.fromkeys(keys[start : start + PART_KEYS]))
            cycle = await runner.sync_keys(part, force=force)
            tally.add(cycle.tally)
            missing += [key for key in part if key not in cycle.fates]
        note = f"not in Prophet 21: {len(missing)} of the keys" if missing else ""
        name = runner.plan.name
        return SyncAnswer(
            entity=name,
            status="completed",
            tally=tally,
            missing=missing[:MAX_MISSING],
            missing_count=len(missing),
            note=note,
        )

    async def _timed(self, entity: str, run: Callable[[], Awaitable[SyncAnswer]]) -> SyncAnswer:
        began = self.clock.monotonic()
        try:
            answer = await run()
        except Drained as error:
            hint = "run it again once the daemon is back; what was delivered costs nothing"
            raise AlreadyRunning(f"the sync of {entity} was cut short: p21d stops or reloads", hint=hint) from error
        answer.seconds = round(self.clock.monotonic() - began, 3)
        return answer
