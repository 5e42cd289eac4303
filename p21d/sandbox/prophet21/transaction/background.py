"""Answers `transaction/async`: writes in the background, two at a time, asked for by request id.

`Status` is 3 while a write runs and 2 when it is finished, failed or not; the result stands as JSON text in `Messages`.

Why no task of its own: a write that is due is carried out before the next request of anybody is answered, so no client
can tell the difference, and nothing has to be started and ended beside the server.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from p21d.sandbox.fault import Fault
from p21d.sandbox.prophet21.transaction.request import TransactionSet

if TYPE_CHECKING:
    from p21d.clock import Clock
    from p21d.sandbox.prophet21.settings import Settings
    from p21d.sandbox.prophet21.wall_time import WallTime

_RUNNING, _FINISHED = 3, 2
Work = Callable[[TransactionSet, list[Fault]], dict[str, Any]]


@dataclass(frozen=True)
class Job:
    """One write and when it is done, by the monotonic clock."""

    due_seconds: float
    request: dict[str, Any]
    sent: TransactionSet
    faults: list[Fault]


class BackgroundWrites:
    """Take writes, carry them out in turn on sessions of their own, and tell how far each is."""

    def __init__(self, work: Work, settings: Settings, clock: Clock, time: WallTime) -> None:
        self._work = work
        self._settings = settings
        self._clock = clock
        self._time = time
        self._known: dict[str, dict[str, Any]] = {}
        self._jobs: list[Job] = []
        self._free_seconds: list[float] = []

    def take(self, sent: TransactionSet, faults: list[Fault]) -> dict[str, Any]:
        """Note a write and return its request as it stands now."""
        kinds = {fault.kind for fault in faults}
        request_id = str(uuid.uuid4())
        request = {
            "RequestId": request_id,
            "RequestType": "V2 Transaction",
            "Key": "N/A",
            "StartDate": self._now(),
            "CompletedDate": None,
            "Status": _RUNNING,
            "CallbackResult": None,
            "Messages": None,
        }
        if "async_lost" not in kinds:
            self._known[request_id] = request
        if "async_never" not in kinds:
            self._jobs.append(Job(self._due_seconds(), request, sent, faults))
        return dict(request)

    def find(self, request_id: str) -> dict[str, Any] | None:
        """Return a request as it stands, None for an unknown id."""
        return self._known.get(request_id)

    def catch_up(self) -> None:
        """Carry out every write that is due."""
        now = self._clock.monotonic()
        due = [job for job in self._jobs if job.due_seconds <= now]
        self._jobs = [job for job in self._jobs if job.due_seconds > now]
        for job in due:
            answer = self._work(job.sent, job.faults)
            job.request["CompletedDate"] = self._now()
            job.request["Messages"] = msgspec.json.encode(answer).decode()
            job.request["Status"] = _FINISHED

    def _due_seconds(self) -> float:
        """Give the write the session that is free first, and return when it is through."""
        now, sessions = self._clock.monotonic(), self._settings.async_at_once
        busy = sorted(until for until in self._free_seconds if until > now)[-sessions:]
        start = busy.pop(0) if len(busy) == sessions else now
        due = start + self._settings.save_seconds
        self._free_seconds = [*busy, due]
        return due

    def _now(self) -> str:
        return self._time.local_now().isoformat(timespec="seconds")
