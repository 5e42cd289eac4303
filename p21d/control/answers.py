"""The types of what goes over the control socket: requests and answers, as JSON, with a `schema_version`.

Instants are aware UTC datetimes (ISO 8601 in JSON); counts are rows; durations are seconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from p21d.control.order_answers import OrdersStatus
from p21d.control.schema import SCHEMA_VERSION
from p21d.engine.fate import Tally


class CycleAnswer(msgspec.Struct, kw_only=True):
    """One finished cycle."""

    entity: str
    kind: str
    status: str
    note: str
    started_at: datetime
    ended_at: datetime
    tally: Tally


class EntityStatus(msgspec.Struct, kw_only=True):
    """One entity in status.

    `state`: `starting`, `catching up` (its first window is open), `in step`, `held` (an outage or a refusal; `reason`
    says which, `hint` what to do, `until` when it tries again), `retrying` (a cycle runs after that, and has not ended
    well yet), `paused` (by a person).
    """

    entity: str
    key: list[str] = []
    """The columns of its key, in order; `12|10` on the command line is one key of two columns."""
    state: str
    since: datetime
    reason: str = ""
    hint: str = ""
    until: datetime | None = None
    watermark: datetime | None = None
    behind_seconds: float | None = None
    next_poll_at: datetime | None = None
    running: str = ""
    """Kind of the cycle that runs now and its rows so far, such as `sweep, 12000 of 400000 rows`."""
    total: int | None = None
    """Rows of the longest window that runs now, None while nobody knows."""
    left_seconds: float | None = None
    """How long the rest of them takes at the pace so far."""
    last_cycle: CycleAnswer | None = None
    delivered: int = 0
    """Records the sink has."""
    waiting: int = 0
    """Rows that wait for a parent, or for their next try."""
    triggered: int = 0
    """Rows that are read again because a related row changed."""
    dead_letters: int = 0
    skipped: dict[str, int] = {}
    """Skipped rows by reason."""
    day: Tally = msgspec.field(default_factory=Tally)
    """Rows by fate over the last 24 hours."""


class ProofAnswer(msgspec.Struct, kw_only=True):
    """What was proven of Prophet 21 since the start, or failed: `read table/customer`, `clock`, `companies`."""

    name: str
    good: bool
    result: str
    at: datetime


class SystemStatus(msgspec.Struct, kw_only=True):
    """Prophet 21 or the sink in status; `detail` holds what that side wants to show (token age, zone, calls)."""

    name: str
    target: str
    state: str
    reason: str = ""
    hint: str = ""
    since: datetime | None = None
    detail: dict[str, str] = {}
    proofs: list[ProofAnswer] = []


class Status(msgspec.Struct, kw_only=True):
    """The whole status screen."""

    schema_version: int = SCHEMA_VERSION
    version: str
    pid: int
    started_at: datetime
    now: datetime
    config_path: str
    state: str
    prophet21: SystemStatus
    sink: SystemStatus
    slots_total: int
    slots_used: int
    entities: list[EntityStatus]
    not_configured: dict[str, int] = {}
    """Delivered records of entities that the configuration no longer has."""
    orders: OrdersStatus | None = None
    """None where orders are off."""
    warnings: list[str] = []


class EntitiesAnswer(msgspec.Struct, kw_only=True):
    """The entities of the status screen alone."""

    schema_version: int = SCHEMA_VERSION
    entities: list[EntityStatus]


class CyclesAnswer(msgspec.Struct, kw_only=True):
    """Finished cycles, the newest first."""

    schema_version: int = SCHEMA_VERSION
    cycles: list[CycleAnswer]


class ReadyAnswer(msgspec.Struct, kw_only=True):
    """Whether every entity has finished its first window; `waiting_for` names those that have not."""

    schema_version: int = SCHEMA_VERSION
    ready: bool
    waiting_for: list[str] = []


class PauseRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why an entity is paused."""

    because: str = ""


class LogLevelRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The level to log at until the next start."""

    level: Literal["debug", "info", "warning", "error"]


class SyncRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A sync on demand: the keys, or the window from `since` or `days`, or `all` keys, or the whole look-back.

    `confirm_removals`, with `all`, makes records inactive that P21 has no more, however many they are.
    """

    entity: str
    keys: list[str] = []
    since: datetime | None = None
    days: float | None = None
    all: bool = False
    confirm_removals: bool = False
    force: bool = False
    wait: bool = False


class SyncAnswer(msgspec.Struct, kw_only=True):
    """What a sync did, or that it was accepted, or, of all keys, that it asks: `note` says about what.

    `missing` are keys that P21 does not have (the first hundred), `missing_count` how many they are in all.
    """

    schema_version: int = SCHEMA_VERSION
    entity: str
    status: str
    note: str = ""
    tally: Tally = msgspec.field(default_factory=Tally)
    missing: list[str] = []
    missing_count: int = 0
    seconds: float = 0.0


class ReloadAnswer(msgspec.Struct, kw_only=True):
    """What a reload changed, in words, or why the old configuration works on."""

    schema_version: int = SCHEMA_VERSION
    reloaded: bool
    changes: list[str] = []
    error: str = ""
    path: str = ""
    hint: str = ""


class DeadLetterAnswer(msgspec.Struct, kw_only=True):
    """One open dead letter."""

    id: int
    entity: str
    key: str
    external_id: str
    code: str
    error: str
    hint: str
    attempts: int
    times: int
    plugin: str
    body: str
    first_at: datetime
    last_at: datetime
    parent_entity: str = ""
    parent_key: str = ""


class DeadLettersAnswer(msgspec.Struct, kw_only=True):
    """Open dead letters, the newest first; the last one's id is `before` for the next page."""

    schema_version: int = SCHEMA_VERSION
    dead_letters: list[DeadLetterAnswer]


class DeadLetterRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters to replay or discard: keys of an entity, one cause of it, or all of it."""

    entity: str
    keys: list[str] = []
    code: str = ""
    because: str = ""


class DoneAnswer(msgspec.Struct, kw_only=True):
    """That something was done, in words, with how many it touched."""

    schema_version: int = SCHEMA_VERSION
    done: str
    count: int = 0


class Refusal(msgspec.Struct, kw_only=True):
    """Why a request was refused; `exit_code` is what the command line exits with."""

    schema_version: int = SCHEMA_VERSION
    error: str
    hint: str = ""
    path: str = ""
    exit_code: int = 70
    detail: dict[str, Any] = {}
