"""Intents: one hub order each, on its way into P21; never pruned, and kept when the store is bound anew.

A row says what the daemon means to do with a hub order and how far it is. It is written before anything is asked of P21
and after everything P21 answered, so that a kill at any moment leaves a row from which the next start goes on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from p21d.clock import from_millis, to_millis
from p21d.store.statements import Table

OPEN_STATES = ("prepared", "sending", "unknown", "created", "held", "refused")
"""States in which the order may still become one of P21, or is one without its link."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt: by what its order is recognised in P21.

    `field` is the reference field, `text` what was to stand in it. `outcome` is empty while it is not known what became
    of it; else `refused`, `busy`, `created` or `absent` (proven by look-ups). Kept for ever: an order that shows up
    late, after the hub order was edited or the settings changed, is still found by it.
    """

    field: str
    text: str
    customer_id: int
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One hub order on its way into P21. Instants are aware, None where the thing has not happened.

    `hub_number`, `total` and `customer` are for people. `reference` is the rendered text as it stands in the reference
    field; `body` the frozen JSON of the write, `order` the mapped order it was made from (JSON), both empty before
    `sending`. `sent` are all attempts, the last last. `digest` is that of the hub order the body was made from.
    `reason` and `hint` say why it is held, refused or unknown. `differences` are what the read-back found, until
    acknowledged. `attempts` counts sends, `look_ups` the empty look-ups since the last one ended; `due_at` is when the
    daemon goes on by itself. `forced` is true where a person asked for it, past the guards of the inbox.
    """

    hub_id: str
    state: str
    hub_number: str = ""
    customer: str = ""
    total: str = ""
    order_no: str = ""
    reference: str = ""
    sent: Sequence[Sent] = field(default_factory=tuple)
    body: bytes = b""
    order: bytes = b""
    digest: str = ""
    reason: str = ""
    hint: str = ""
    differences: Sequence[str] = field(default_factory=tuple)
    acknowledged: bool = False
    forced: bool = False
    attempts: int = 0
    look_ups: int = 0
    created_at: datetime
    changed_at: datetime
    attempt_began_at: datetime | None = None
    attempt_ended_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentEvent:
    """One step of an intent: from which state into which, by whom (`writer`, `person NAME`), and why."""

    hub_id: str
    at: datetime
    before: str
    after: str
    by: str
    note: str = ""


COLUMNS = (
    "hub_id, state, hub_number, buyer, total, order_no, reference, sent, body, mapped, digest, reason, hint, "
    "differences, acknowledged, forced, attempts, look_ups, created_at, changed_at, attempt_began_at, "
    "attempt_ended_at, due_at"
)
_MARKS = ", ".join("?" * 24)
_UPDATES = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS.split(", ")[1:])


class Intents(Table):
    """The tables `intent` and `intent_event`."""

    async def get(self, hub_id: str) -> Intent | None:
        """Return the intent of a hub order, None where there is none."""
        found = await self.by_hub_ids([hub_id])
        return found.get(hub_id)

    async def by_hub_ids(self, hub_ids: Sequence[str]) -> dict[str, Intent]:
        """Return the intents of those hub orders, by the hub's id."""
        sql = f"SELECT {COLUMNS} FROM intent WHERE connection = ? AND hub_id IN"  # noqa: S608  # our own names
        return {row["hub_id"]: _intent(row) for row in await self._for_keys(sql, (self._connection,), hub_ids)}

    async def by_order_nos(self, order_nos: Sequence[str]) -> dict[str, Intent]:
        """Return the intents that became these P21 orders, by the order's number."""
        sql = f"SELECT {COLUMNS} FROM intent WHERE connection = ? AND order_no IN"  # noqa: S608  # our own names
        rows = await self._for_keys(sql, (self._connection,), order_nos)
        # one that was dismissed gives way to the one its order was adopted for
        rows.sort(key=lambda row: row["state"] != "dismissed")
        return {row["order_no"]: _intent(row) for row in rows}

    async def underway(self, states: Collection[str]) -> list[Intent]:
        """Return intents in these states that anything was sent for, the oldest first, without their bodies."""
        columns, marks = COLUMNS.replace(" body,", " x'' AS body,"), ", ".join("?" * len(states))
        where = f"connection = ? AND state IN ({marks}) AND (sent <> '[]' OR order_no <> '') ORDER BY created_at"
        sql = f"SELECT {columns} FROM intent WHERE {where}"  # noqa: S608  # our own names
        return [_intent(row) for row in await self._all(sql, (self._connection, *states))]

    async def find(self, text: str) -> list[Intent]:
        """Return the intents that a person may mean: by the hub's id, the hub's number, or the P21 order number."""
        sql = f"SELECT {COLUMNS} FROM intent WHERE connection = ? AND (hub_id = ? OR hub_number = ? OR order_no = ?)"  # noqa: S608  # our own names
        return [_intent(row) for row in await self._all(sql, (self._connection, text, text, text))]

    async def in_states(
        self, states: Collection[str], limit: int = 1000, *, newest_first: bool = False
    ) -> list[Intent]:
        """Return intents in these states, the oldest first, or else the last changed."""
        marks, order = ", ".join("?" * len(states)), "changed_at DESC" if newest_first else "created_at"
        sql = f"SELECT {COLUMNS} FROM intent WHERE connection = ? AND state IN ({marks}) ORDER BY {order}, hub_id"  # noqa: S608  # our own names
        return [_intent(row) for row in await self._all(f"{sql} LIMIT ?", (self._connection, *states, limit))]

    async def due(self, states: Collection[str], at: datetime, limit: int) -> list[Intent]:
        """Return intents in these states whose time has come, the longest due first."""
        marks = ", ".join("?" * len(states))
        where = f"connection = ? AND state IN ({marks}) AND due_at <= ? ORDER BY due_at, created_at, hub_id LIMIT ?"
        sql = f"SELECT {COLUMNS} FROM intent WHERE {where}"  # noqa: S608  # our own names
        return [_intent(row) for row in await self._all(sql, (self._connection, *states, to_millis(at), limit))]

    async def next_due(self, states: Collection[str]) -> datetime | None:
        """Return when the next intent in these states is due, None where none is."""
        marks = ", ".join("?" * len(states))
        sql = f"SELECT min(due_at) AS due_at FROM intent WHERE connection = ? AND state IN ({marks})"  # noqa: S608  # our own names
        row = await self._one(sql, (self._connection, *states))
        return from_millis(row["due_at"]) if row and row["due_at"] is not None else None

    async def unacknowledged(self) -> list[Intent]:
        """Return linked intents whose P21 order differs from what was sent, the oldest first."""
        where = "connection = ? AND state = 'linked' AND differences <> '[]' AND acknowledged = 0 ORDER BY created_at"
        sql = f"SELECT {COLUMNS} FROM intent WHERE {where}"  # noqa: S608  # our own names
        return [_intent(row) for row in await self._all(sql, (self._connection,))]

    async def counts(self) -> dict[str, int]:
        """Return the number of intents in each state."""
        sql = "SELECT state, count(*) AS n FROM intent WHERE connection = ? GROUP BY state"
        return {row["state"]: row["n"] for row in await self._all(sql, (self._connection,))}

    async def begun_since(self, at: datetime) -> int:
        """Return how many intents were made since then, without those a person asked for."""
        sql = "SELECT count(*) AS n FROM intent WHERE connection = ? AND created_at >= ? AND forced = 0"
        row = await self._one(sql, (self._connection, to_millis(at)))
        return int(row["n"]) if row else 0

    async def save(self, intent: Intent) -> None:
        """Write an intent as it is now."""
        sql = (
            f"INSERT INTO intent (connection, {COLUMNS}) VALUES ({_MARKS}) "  # noqa: S608  # our own names
            f"ON CONFLICT (connection, hub_id) DO UPDATE SET {_UPDATES}"
        )
        await self._change(sql, (self._connection, *_values(intent)))

    async def record(self, event: IntentEvent) -> None:
        """Add a step to the intent's history."""
        sql = "INSERT INTO intent_event (connection, hub_id, at, before, after, by, note) VALUES (?, ?, ?, ?, ?, ?, ?)"
        values = (event.hub_id, to_millis(event.at), event.before, event.after, event.by, event.note)
        await self._change(sql, (self._connection, *values))

    async def history(self, hub_id: str) -> list[IntentEvent]:
        """Return the steps of an intent, the first first."""
        sql = "SELECT * FROM intent_event WHERE connection = ? AND hub_id = ? ORDER BY id"
        rows = await self._all(sql, (self._connection, hub_id))
        return [
            IntentEvent(
                hub_id=row["hub_id"],
                at=from_millis(row["at"]),
                before=row["before"],
                after=row["after"],
                by=row["by"],
                note=row["note"],
            )
            for row in rows
        ]


def _values(intent: Intent) -> tuple[object, ...]:
    return (
        *(intent.hub_id, intent.state, intent.hub_number, intent.customer, intent.total, intent.order_no),
        *(
            intent.reference,
            msgspec.json.encode(list(intent.sent)).decode(),
            intent.body,
            intent.order,
            intent.digest,
            intent.reason,
            intent.hint,
        ),
        *(msgspec.json.encode(list(intent.differences)).decode(), int(intent.acknowledged), int(intent.forced)),
        *(intent.attempts, intent.look_ups, to_millis(intent.created_at), to_millis(intent.changed_at)),
        *(_millis(intent.attempt_began_at), _millis(intent.attempt_ended_at), _millis(intent.due_at)),
    )


def _intent(row: sqlite3.Row) -> Intent:
    return Intent(
        hub_id=row["hub_id"],
        state=row["state"],
        hub_number=row["hub_number"],
        customer=row["buyer"],
        total=row["total"],
        order_no=row["order_no"],
        reference=row["reference"],
        sent=tuple(msgspec.json.decode(row["sent"], type=list[Sent])),
        body=row["body"],
        order=row["mapped"],
        digest=row["digest"],
        reason=row["reason"],
        hint=row["hint"],
        differences=tuple(msgspec.json.decode(row["differences"], type=list[str])),
        acknowledged=bool(row["acknowledged"]),
        forced=bool(row["forced"]),
        attempts=row["attempts"],
        look_ups=row["look_ups"],
        created_at=from_millis(row["created_at"]),
        changed_at=from_millis(row["changed_at"]),
        attempt_began_at=_instant(row["attempt_began_at"]),
        attempt_ended_at=_instant(row["attempt_ended_at"]),
        due_at=_instant(row["due_at"]),
    )


def _millis(instant: datetime | None) -> int | None:
    return None if instant is None else to_millis(instant)


def _instant(millis: int | None) -> datetime | None:
    return None if millis is None else from_millis(millis)
