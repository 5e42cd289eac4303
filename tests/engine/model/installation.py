"""One p21d on the models of P21 and hub: the real engine over the real store, started, stopped, killed and reloaded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from p21d.config import Prophet21Config
from p21d.engine.connection import Connection
from p21d.engine.fate import Tally
from p21d.engine.runner import Runner
from p21d.engine.slots import Slots
from p21d.engine.waiting_time import WaitingTime
from p21d.engine.watch import Watch
from p21d.errors import P21dError
from p21d.prophet21.source import Prophet21
from p21d.secret import Secret
from p21d.store.database import Store
from tests.engine.model.entities import plans_of
from tests.engine.model.hub import HubModel, Name
from tests.engine.model.prophet21 import ZONE, Prophet21Model
from tests.engine.model.sqlite_inline import connector_for
from tests.engine.model.tempo import Job, Mishap, Tempo

ENTITIES = ("maker", "part")
SETTLE_SECONDS = 60.0
PAGE_ROWS = 2
"""Small pages and batches of one: a handful of rows is several pages, and more batches than may be in flight."""
START = datetime.fromisoformat("2026-10-27T15:00:00+00:00")
"""A few days before the clocks of New York go back."""


class ModelSource(Prophet21):
    """Prophet 21 over the model's HTTP; what it needs of a real P21's metadata is taken as proven."""

    async def prove(self, *_needs: Any, **_again: Any) -> None:
        return


@dataclass(frozen=True)
class Task:
    """A piece of work of one entity, as a runner begins it: `hours`, `keys` and `force` for kinds that take them."""

    kind: str
    entity: str
    hours: int = 1
    keys: tuple[int, ...] = (1,)
    force: bool = False


@dataclass
class Ended:
    """How a task ended: its tally where it has one, the error that p21d named."""

    task: Task
    tally: Tally | None = None
    error: P21dError | None = None


@dataclass
class Installation:
    """p21d, its store in `folder`, and both models. `edition` is the mapping in use."""

    folder: Path
    tempo: Tempo
    p21: Prophet21Model
    hub: HubModel
    slots: int = 4
    edition: int = 1

    @classmethod
    def new(cls, folder: Path, *, drops_offsets: bool = False, slots: int = 4) -> Installation:
        """Build an installation that was never started."""
        tempo = Tempo(START)
        p21 = Prophet21Model(tempo, drops_offsets)

        def history_of(name: Name) -> list[str | None]:
            return p21.history[name[0], int(name[1])]

        return cls(folder, tempo, p21, HubModel(tempo, history_of), slots)

    async def start(self) -> None:
        """Open the store and begin, as a new process does."""
        self.tempo.plan(())
        self.tempo.dead = False
        self.hub.restart()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aiosqlite, "connect", connector_for(self.tempo))
            self.store = await Store(self.folder / "p21d.db").__aenter__()
        self.tempo.committed = self._note_acknowledged
        config = Prophet21Config(
            api_url="http://p21", username="model", password=Secret("model"), time_zone=str(ZONE), page_rows=PAGE_ROWS
        )
        self.source = ModelSource(config, self.tempo.clock)
        self.source._session._http = self.source._tokens._http = self.p21  # type: ignore[assignment]
        await self._join()
        self.note_known()

    async def stop(self) -> None:
        """End the process; after a crash nothing more is written."""
        self.tempo.dead = False
        self.tempo.committed = lambda: None
        await self.store.__aexit__(None, None, None)
        await self.source.aclose()

    async def reload(self, edition: int) -> None:
        """Replace the plans, as a reload does once the old set is drained."""
        self.edition = edition
        await self._join()

    async def _join(self) -> None:
        clock = self.tempo.clock
        self.connection = Connection(
            clock=clock,
            store=self.store,
            source=self.source,
            sink=self.hub,
            slots=Slots(self.slots),
            batch_rows=1,
            plans=plans_of(self.edition),
            watch=Watch(clock),
            steps=self.tempo.step,
        )
        self.runners = {
            name: Runner(plan, self.connection, settle_seconds=SETTLE_SECONDS)
            for name, plan in self.connection.plans.items()
        }
        for name, runner in self.runners.items():
            await runner.backfills.introduce()
            if await self.store.read.checkpoints.watermark(name) is not None:
                self.connection.caught_up[name].set()
        self.waiting_time = WaitingTime(self.connection, lambda name: self.runners[name].gate.open)

    def drain(self) -> None:
        """Ask every entity to end what it does."""
        for runner in self.runners.values():
            runner.drain.request()

    @property
    def drained(self) -> bool:
        return any(runner.drain.requested for runner in self.runners.values())

    async def run(
        self,
        tasks: Sequence[tuple[float, Task | Callable[[], None]]],
        mishaps: Sequence[Mishap] = (),
    ) -> list[Ended]:
        """Run tasks and other acts side by side, each from its number of seconds on, while mishaps come at their steps.

        A new process follows a crash, a reload with the same mapping a drain.
        """
        ended: list[Ended] = []
        self.tempo.plan(mishaps)
        self.hub.forced = any(isinstance(task, Task) and task.force for _, task in tasks)
        try:
            await self.tempo.finish([(delay, self._job(task, ended)) for delay, task in tasks])
        except BaseException:
            if not self.tempo.dead:
                raise
        if self.tempo.dead:
            await self.stop()
            await self.start()
        elif self.drained:
            await self.reload(self.edition)
        self.tempo.plan(())
        self.note_known()
        return ended

    def _job(self, task: Task | Callable[[], None], ended: list[Ended]) -> Job:
        async def job() -> None:
            if not isinstance(task, Task):
                task()
                return
            end = Ended(task)
            try:
                end.tally = await self._begin(task)
            except P21dError as error:
                end.error = error
            ended.append(end)

        return job

    async def _begin(self, task: Task) -> Tally | None:
        runner = self.runners[task.entity]
        gate, keys = runner.gate, [str(key) for key in task.keys]
        low = self.tempo.clock.now() - timedelta(hours=task.hours)
        ways: dict[str, Callable[[], Awaitable[Any]]] = {
            "poll": lambda: gate.at_once(runner._run_poll),
            "sweep": lambda: gate.at_once(lambda: runner._windows.run("sweep")),
            "release": lambda: gate.at_once(runner._releases.run_due),
            "sync keys": lambda: runner.sync_keys(keys, force=task.force),
            "sync": lambda: runner.sync_window(low, force=task.force),
            "backfill": lambda: runner.backfill(force=task.force, confirmed=True),
            "trigger poll": lambda: gate.at_once(lambda: runner.triggers[0].run_window("poll")),
            "trigger sweep": lambda: gate.at_once(lambda: runner.triggers[0].run_window("sweep")),
            "waiting time": lambda: self.waiting_time.tick(1200.0),
        }
        result = await ways[task.kind]()
        found = getattr(result, "tally", result)
        return found if isinstance(found, Tally) else None

    def note_known(self) -> None:
        """Tell the hub what the store says that the hub has."""
        self.hub.known = self.acknowledged()

    def _note_acknowledged(self) -> None:
        self.hub.known |= self.acknowledged()

    def acknowledged(self) -> set[Name]:
        """Return the records whose content the store has as acknowledged."""
        rows = self.sql("SELECT entity, key FROM delivered WHERE fingerprint IS NOT NULL")
        return {(entity, key) for entity, key in rows}

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the store's file, past p21d."""
        return [tuple(row) for row in self.store._reader._conn.execute(text, values)]

    def watermark(self, name: str) -> datetime | None:
        """Return the watermark of an entity or a trigger."""
        found = self.sql("SELECT watermark_at FROM checkpoint WHERE entity = ?", name)
        return datetime.fromtimestamp(found[0][0] / 1000, tz=START.tzinfo) if found and found[0][0] else None
