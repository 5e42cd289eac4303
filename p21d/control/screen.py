"""Puts the status screen together: is it in step, since when, what is stuck, why, and what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from p21d import __version__
from p21d.clock import Clock
from p21d.control.answers import CycleAnswer, EntityStatus, ProofAnswer, Status, SystemStatus
from p21d.control.order_operations import orders_status
from p21d.engine.fate import Tally
from p21d.engine.hold import STORE, HoldState
from p21d.engine.runner import Runner
from p21d.engine.supervisor import Supervisor
from p21d.store.cycle import CycleRow

DAY = timedelta(days=1)


class Screen:
    """The status of one supervisor's connection."""

    def __init__(self, supervisor: Supervisor, clock: Clock, *, started_at: datetime, config_path: Path) -> None:
        self._supervisor = supervisor
        self._connection = supervisor.connection
        self._clock = clock
        self._started_at = started_at
        self._config_path = config_path

    async def status(self, warnings: list[str]) -> Status:
        """Return the whole screen."""
        tables = self._connection.store.read
        waiting, letters = await tables.waiting.counts(), await tables.dead_letters.counts()
        triggered = await tables.waiting.triggered_counts()
        skipped, day = await tables.skipped.counts(), await tables.cycles.totals(self._clock.now() - DAY)
        entities = []
        for name, runner in self._supervisor.runners.items():
            entity = await self._entity(name, runner)
            entity.triggered = triggered.get(name, 0)
            entity.waiting, entity.dead_letters = waiting.get(name, 0) - entity.triggered, letters.get(name, 0)
            entity.skipped, entity.day = skipped.get(name, {}), Tally(**day.get(name, {}))
            entities.append(entity)
        return Status(
            version=__version__,
            pid=os.getpid(),
            started_at=self._started_at,
            now=self._clock.now(),
            config_path=str(self._config_path),
            state="running",
            prophet21=self._prophet21(),
            sink=self._sink(),
            slots_total=self._connection.slots.total,
            slots_used=self._connection.slots.used,
            entities=entities,
            not_configured=await self._not_configured(),
            orders=await orders_status(self._connection.store, desk) if (desk := self._supervisor.orders) else None,
            warnings=[*warnings, *self._held_triggers()],
        )

    async def _entity(self, name: str, runner: Runner) -> EntityStatus:
        tables = self._connection.store.read
        watermark = await tables.checkpoints.watermark(name)
        latest = await tables.cycles.latest(entity=name, limit=1)
        state, hold = self._state(runner, watermark), runner.gate.hold.state
        paces = {kind: self._connection.paces[name, kind] for kind in runner.running}
        longest = max(paces.values(), key=lambda pace: (pace.left_seconds() or 0.0, pace.total or 0), default=None)
        reason, hint = await self._reason(name, runner)
        return EntityStatus(
            entity=name,
            key=list(runner.plan.entity.key),
            state=state,
            since=hold.since if hold else runner.gate.since,
            reason=reason,
            hint=hint,
            until=hold.until if hold else None,
            watermark=watermark,
            behind_seconds=(self._clock.now() - watermark).total_seconds() if watermark else None,
            next_poll_at=runner.next_poll_at,
            running=", ".join(f"{kind}, {pace.text()} rows" for kind, pace in paces.items()),
            total=longest.total if longest else None,
            left_seconds=longest.left_seconds() if longest else None,
            last_cycle=cycle_answer(latest[0]) if latest else None,
            delivered=await tables.delivered.count(name),
        )

    async def _reason(self, name: str, runner: Runner) -> tuple[str, str]:
        """Return why the entity does not run and what to do; where it runs, what its backfill asks or offers."""
        if runner.gate.paused:
            return runner.gate.paused, f"p21d resume {name}"
        if hold := runner.gate.hold.state:
            return hold.reason, hold.hint
        if not self._connection.caught_up[name].is_set() and runner.waits_for:
            return f"its first window begins after that of {' and '.join(runner.waits_for)}", ""
        return await runner.backfills.notice()

    def _state(self, runner: Runner, watermark: datetime | None) -> str:
        if runner.gate.paused:
            return "paused"
        if runner.gate.hold.state:
            return "retrying" if runner.running else "held"
        if watermark is None:
            return "catching up" if runner.running else "starting"
        return "in step"

    def _held_by(self, system: str) -> HoldState | None:
        holds = [runner.gate.hold.state for runner in self._supervisor.runners.values()]
        return next((hold for hold in holds if hold is not None and hold.system == system), None)

    def _held_triggers(self) -> Iterator[str]:
        """Yield in words which triggers are held, and so which changes reach nobody until they run again."""
        for runner in self._supervisor.runners.values():
            for trigger in runner.triggers:
                if hold := trigger.hold.state:
                    hint = f" ({hold.hint})" if hold.hint else ""
                    yield f"the trigger {trigger.name} is held since {hold.since:%Y-%m-%d %H:%M}Z: {hold.reason}{hint}"

    def _prophet21(self) -> SystemStatus:
        facts = self._connection.source.statistics()
        detail = {
            "token age": ago(facts.token_age_seconds),
            "token ends in": ago(facts.token_expires_in_seconds),
            "requests": str(facts.requests),
            "failures": str(facts.failures),
            "zone": facts.zone,
            "skew": f"{facts.skew_seconds:+.0f} s",
        }
        if facts.notice:
            detail["notice"] = facts.notice
        if facts.proofs:
            good = sum(proof.good for proof in facts.proofs)
            detail["proofs"] = f"{good} of {len(facts.proofs)} good"
        met = facts.last_answer_at is not None
        answer = system("Prophet 21", self._connection.source.target, self._held_by("Prophet 21"), detail, met=met)
        answer.proofs = [ProofAnswer(**msgspec.structs.asdict(proof)) for proof in facts.proofs]
        return answer

    def _sink(self) -> SystemStatus:
        facts = self._connection.sink.statistics()
        detail = {"calls": str(facts.calls), "failures": str(facts.failures), **facts.detail}
        held = [runner.gate.hold.state for runner in self._supervisor.runners.values() if runner.gate.hold.state]
        hold = next((state for state in held if state.system not in ("", "Prophet 21", STORE)), None)
        return system("sink", facts.target, hold, detail, met=facts.calls > 0)

    async def _not_configured(self) -> dict[str, int]:
        known = await self._connection.store.read.delivered.entities()
        return {name: count for name, count in known.items() if name not in self._supervisor.runners}


def system(name: str, target: str, hold: HoldState | None, detail: Mapping[str, str], *, met: bool) -> SystemStatus:
    """Return one side's status; `met` tells whether it has answered since the start."""
    answer = SystemStatus(name=name, target=target, state="answers" if met else "not asked yet", detail=dict(detail))
    if hold is not None:
        answer.state, answer.reason, answer.hint, answer.since = "held", hold.reason, hold.hint, hold.since
    return answer


def cycle_answer(row: CycleRow) -> CycleAnswer:
    """Return a finished cycle as an answer."""
    return CycleAnswer(
        entity=row.entity,
        kind=row.kind,
        status=row.status,
        note=row.note,
        started_at=row.started_at,
        ended_at=row.ended_at,
        tally=Tally(**{name: getattr(row, name) for name in Tally.__struct_fields__}),
    )


def ago(seconds: float | None) -> str:
    """Return a length of time in minutes or seconds, `-` where there is none."""
    if seconds is None:
        return "-"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
