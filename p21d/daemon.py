"""The daemon: builds everything, runs it in one task group, answers signals, and ends with an exit code.

start     configuration, plug-ins, store and socket are checked; P21 and the sink are not needed
SIGHUP    reload, as `p21d reload`
SIGTERM   drain within DRAIN_SECONDS; a second one, or SIGINT twice, cuts it short
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import structlog
from anyio.abc import TaskStatus

from p21d.assembly import Assembly, assemble, changes, reassemble, stuck_seconds
from p21d.binding import bind, identity_of
from p21d.clock import Clock, SystemClock
from p21d.collector import spare_collector
from p21d.config import Config
from p21d.control.answers import ReloadAnswer
from p21d.control.desk import Desk
from p21d.control.server import ControlServer
from p21d.engine.housekeeping import keep_house
from p21d.engine.one_line import one_line
from p21d.engine.watch import Watch
from p21d.engine.watchdog import Watchdog
from p21d.errors import ConfigError, P21dError
from p21d.logs import Logs, configure
from p21d.registry import Registry
from p21d.settings import read_settings
from p21d.store.database import Store
from p21d.systemd import Notifier

log = structlog.get_logger("p21d.daemon")

DRAIN_SECONDS = 25.0
"""Below the TimeoutStopSec of the shipped unit."""


def run(config_path: Path) -> int:
    """Run the daemon until it is told to stop; return the process's exit code."""
    faulthandler.enable(2)  # systemd's watchdog ends a process that hangs with SIGABRT: the stacks go to the log
    try:
        config, registry = read_settings(config_path, to_serve=True)
        logs = configure(config.log.level, config.log.format)
        spare_collector()
        anyio.run(serve, config, registry, logs, SystemClock(), backend="asyncio", backend_options={"use_uvloop": True})
    except P21dError as error:
        return refused(error)
    except BaseExceptionGroup as group:
        ours, others = group.split(P21dError)
        if ours is None or others is not None:
            raise
        return refused(first(ours))
    return 0


def refused(error: P21dError) -> int:
    """Say on stderr why the daemon does not run, and return the exit code."""
    sys.stderr.write(f"p21d: {error.message}\n" + (f"  {error.hint}\n" if error.hint else ""))
    return error.exit_code


def first(errors: BaseExceptionGroup[P21dError]) -> P21dError:
    """Return the first error of a group of groups."""
    found = errors.exceptions[0]
    return first(found) if isinstance(found, BaseExceptionGroup) else found


async def serve(
    config: Config, registry: Registry, logs: Logs, clock: Clock, steps: Callable[[str], None] | None = None
) -> None:
    """Open the store, run the entities and the control socket, until SIGTERM has drained them.

    `steps` is called with the name of each durable step that was passed.
    """
    logs.redactor.add(config.secrets)
    for warning in config.warnings:
        log.warning("configuration", warning=warning)
    async with Store(config.store.path) as store:
        daemon = Daemon(config, registry, store, logs, clock)
        daemon.assembly.supervisor.connection.steps = steps
        await daemon.run()


class Daemon:
    """One running daemon; `assembly` is the set that works now, replaced whole by a reload."""

    def __init__(self, config: Config, registry: Registry, store: Store, logs: Logs, clock: Clock) -> None:
        self.logs = logs
        self.clock = clock
        self.store = store
        self.watch = Watch(clock, stuck_seconds=stuck_seconds(config))
        self.assembly: Assembly = assemble(config, registry, store, clock, self.watch)
        self.stopping = False
        self.cut_short = False
        self._started_at = clock.now()
        self._notifier = Notifier(clock)
        self._watchdog = Watchdog(self.watch, clock, self._restart)
        self._reloading = anyio.Lock()

    async def run(self) -> None:
        """Run until told to stop; raises ConfigError where the store belongs to another P21 or sink."""
        await bind(self.store, identity_of(self.assembly.config, self.assembly.sink), self.clock)
        desk = self._desk()
        async with ControlServer(self.assembly.config.control.socket, desk), anyio.create_task_group() as tasks:
            self._tasks = tasks
            tasks.start_soon(self.assembly.supervisor.run)
            await tasks.start(self._signals)  # before READY: a signal met by nobody would end the process at once
            tasks.start_soon(self._feed_watchdog)
            tasks.start_soon(keep_house, self.store, self.clock, self.watch)
            self._notifier.ready(self._line())
            log.info("started", pid=os.getpid(), config=str(self.assembly.config.source))
        await self.assembly.source.aclose()
        await self.assembly.sink.aclose()
        log.info("stopped")

    def _desk(self) -> Desk:
        return Desk(
            clock=self.clock,
            store=self.store,
            logs=self.logs,
            config_path=self.assembly.config.source,
            supervisor=lambda: self.assembly.supervisor,
            reload_all=self.reload,
            started_at=self._started_at,
            warnings=lambda: [*self.assembly.config.warnings, *filter(None, [self.store.condition.words])],
        )

    async def reload(self) -> ReloadAnswer:
        """Build the new set, and swap it for the old one; on failure the old one works on."""
        async with self._reloading:
            self._notifier.reloading()
            try:
                with self.watch.over("reload"):
                    done = await self._swap()
                gc.collect()  # the old set is thousands of objects in cycles, and the collector comes by seldom
                log.info("reloaded", changes=done)
                return ReloadAnswer(reloaded=True, changes=done)
            except P21dError as error:
                path = error.path if isinstance(error, ConfigError) else ""
                log.warning("reload refused", error=error.message, hint=error.hint)
                return ReloadAnswer(reloaded=False, error=error.message, path=path, hint=error.hint)
            finally:
                self._notifier.ready(self._line())

    async def _swap(self) -> list[str]:
        old = self.assembly
        config, registry = read_settings(old.config.source, to_serve=True)
        self.logs.redactor.add(config.secrets)
        new = await reassemble(old, config, registry, self.store, self.clock)
        await bind(self.store, identity_of(config, new.sink), self.clock)
        # from here on nothing can fail: batches in flight end on the old plug-ins, then the new set reads
        new.supervisor.connection.slots.resize(config.concurrent_batch_executions)  # the old set's too: live at once
        await old.supervisor.stop(DRAIN_SECONDS)
        self.logs.set_level(config.log.level)
        self.watch.stuck_seconds = stuck_seconds(config)
        self.assembly = new
        self._tasks.start_soon(new.supervisor.run)
        await self._dispose(old, new)
        return list(changes(old.config, config)) or ["credentials and plug-ins read again"]

    async def _dispose(self, old: Assembly, new: Assembly) -> None:
        if old.source is not new.source:
            await old.source.aclose()
        if old.sink is not new.sink:
            await old.sink.aclose()
        old.registry.forget()

    async def _signals(self, *, task_status: TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as received:
            task_status.started()
            async for number in received:
                if number == signal.SIGHUP and self.stopping:
                    continue
                if number == signal.SIGHUP:
                    self._tasks.start_soon(self.reload)
                elif self.stopping:
                    self.cut_short = True
                    log.warning("cut short")
                    self.assembly.supervisor.cut_off()
                else:
                    self.stopping = True
                    self._tasks.start_soon(self._stop)

    async def _stop(self) -> None:
        self._notifier.stopping("draining")
        log.info("draining", seconds=DRAIN_SECONDS)
        drained = await self.assembly.supervisor.stop(DRAIN_SECONDS)
        if not drained:
            log.warning("drain cut off at its deadline")
        elif not self.cut_short:
            log.info("drained")
        self._tasks.cancel_scope.cancel()

    async def _feed_watchdog(self) -> None:
        """Feed systemd's watchdog while everything that runs moves, or could be begun anew."""
        interval = (self._notifier.watchdog_seconds or 60.0) / 3
        while True:
            if await self._watchdog.look():
                self._notifier.watchdog()
            self._notifier.status(self._line())
            await self.clock.sleep(interval)

    async def _restart(self, owner: str, because: str, seconds: float) -> bool:
        return await self.assembly.supervisor.restart(owner, because, seconds)

    def _line(self) -> str:
        """Return the one line that `systemctl status` shows."""
        return one_line(self.assembly.supervisor, self._watchdog.trouble)
