"""Dead letters: records that ended, with what was sent, what was answered, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from p21d.clock import from_millis, to_millis
from p21d.redactor import KNOWN
from p21d.store.statements import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that is not delivered and not tried again by itself. `body` is the JSON sent, empty where none was."""

    entity: str
    key: str
    external_id: str = ""
    code: str
    error: str
    hint: str = ""
    attempts: int = 0
    parent_entity: str = ""
    parent_key: str = ""
    plugin: str = ""
    body: str = ""
    fingerprint: bytes | None = None


class OpenLetter(NamedTuple):
    """What decides whether a record is tried again: the content that failed, under which plug-in, for which parent."""

    fingerprint: bytes | None
    plugin: str
    parent_entity: str
    parent_key: str


class DeadLetters(Table):
    """The table `dead_letter`."""

    async def add(self, letters: Sequence[DeadLetter], at: datetime) -> None:
        """Open dead letters; where one is open for the same record, it is brought up to date and counted."""
        sql = (
            "INSERT INTO dead_letter (connection, entity, key, external_id, code, error, hint, attempts, times, "
            "parent_entity, parent_key, plugin, body, fingerprint, first_at, last_at, closed_because) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, '') "
            "ON CONFLICT (connection, entity, key, external_id) WHERE closed_at IS NULL DO UPDATE SET "
            "code = excluded.code, error = excluded.error, hint = excluded.hint, "
            "attempts = dead_letter.attempts + excluded.attempts, times = dead_letter.times + 1, "
            "parent_entity = excluded.parent_entity, parent_key = excluded.parent_key, plugin = excluded.plugin, "
            "body = excluded.body, fingerprint = excluded.fingerprint, last_at = excluded.last_at"
        )
        now = to_millis(at)
        await self._change_many(sql, [self._values(letter, now) for letter in letters])

    def _values(self, letter: DeadLetter, now: int) -> tuple[object, ...]:
        error, body = KNOWN.text(letter.error), KNOWN.text(letter.body)
        what = (letter.entity, letter.key, letter.external_id, letter.code, error, letter.hint, letter.attempts)
        sent = (letter.parent_entity, letter.parent_key, letter.plugin, body, letter.fingerprint)
        return (self._connection, *what, *sent, now, now)

    async def count_again(self, entity: str, keys: Sequence[str], at: datetime) -> None:
        """Count that the same content was met again under the same mapping, and not sent."""
        sql = (
            "UPDATE dead_letter SET times = times + 1, last_at = ? "
            "WHERE connection = ? AND entity = ? AND closed_at IS NULL AND key IN"
        )
        await self._change_for_keys(sql, (to_millis(at), self._connection, entity), keys)

    async def open_by_keys(self, entity: str, keys: Sequence[str]) -> dict[tuple[str, str], OpenLetter]:
        """Return what is known of the open dead letters of those keys, by (key, external id)."""
        sql = (
            "SELECT key, external_id, fingerprint, plugin, parent_entity, parent_key FROM dead_letter "
            "WHERE connection = ? AND entity = ? AND closed_at IS NULL AND key IN"
        )
        rows = await self._for_keys(sql, (self._connection, entity), keys)
        return {(row[0], row[1]): OpenLetter(*row[2:]) for row in rows}

    async def close(self, entity: str, keys: Sequence[str], because: str, at: datetime) -> int:
        """Close the open dead letters of those keys; return how many."""
        sql = (
            "UPDATE dead_letter SET closed_at = ?, closed_because = ? "
            "WHERE connection = ? AND entity = ? AND closed_at IS NULL AND key IN"
        )
        return await self._change_for_keys(sql, (to_millis(at), because, self._connection, entity), keys)

    async def children(self, parent_entity: str, parent_keys: Sequence[str]) -> list[tuple[str, str]]:
        """Return (entity, key) of the open dead letters that name one of these parents."""
        sql = (
            "SELECT DISTINCT entity, key FROM dead_letter "
            "WHERE connection = ? AND parent_entity = ? AND closed_at IS NULL AND parent_key IN"
        )
        rows = await self._for_keys(sql, (self._connection, parent_entity), parent_keys)
        return [(row["entity"], row["key"]) for row in rows]

    async def refused_names(self, entity: str, external_ids: Sequence[str], code: str) -> list[str]:
        """Return the keys of the entity's open dead letters of that code whose external id is one of these."""
        sql = (
            "SELECT DISTINCT key FROM dead_letter "
            "WHERE connection = ? AND entity = ? AND code = ? AND closed_at IS NULL AND external_id IN"
        )
        rows = await self._for_keys(sql, (self._connection, entity, code), external_ids)
        return [row["key"] for row in rows]

    async def forget_content(self, entity: str, keys: Sequence[str]) -> None:
        """Let open dead letters be sent again unchanged, because what they failed for may be mended."""
        sql = (
            "UPDATE dead_letter SET fingerprint = NULL "
            "WHERE connection = ? AND entity = ? AND closed_at IS NULL AND key IN"
        )
        await self._change_for_keys(sql, (self._connection, entity), keys)

    async def listed(
        self, *, entity: str = "", key: str = "", limit: int = 1000, before: int = 0
    ) -> list[dict[str, Any]]:
        """Return open dead letters, newest first, from before that id; instants as aware datetimes."""
        sql = "SELECT * FROM dead_letter WHERE connection = ? AND closed_at IS NULL"
        values: list[object] = [self._connection]
        for column, value in (("entity", entity), ("key", key)):
            if value:
                sql += f" AND {column} = ?"
                values.append(value)
        if before:
            sql += " AND id < ?"
            values.append(before)
        rows = await self._all(f"{sql} ORDER BY id DESC LIMIT ?", [*values, limit])
        return [_readable(dict(row)) for row in rows]

    async def open_keys(self, entity: str, *, code: str = "") -> list[str]:
        """Return the keys of the entity's open dead letters, of one cause where `code` is given."""
        sql = "SELECT DISTINCT key FROM dead_letter WHERE connection = ? AND entity = ? AND closed_at IS NULL"
        values = [self._connection, entity]
        if code:
            sql += " AND code = ?"
            values.append(code)
        return [row["key"] for row in await self._all(sql, values)]

    async def counts(self) -> dict[str, int]:
        """Return the number of open dead letters, by entity."""
        sql = "SELECT entity, count(*) AS n FROM dead_letter WHERE connection = ? AND closed_at IS NULL GROUP BY entity"
        return {row["entity"]: row["n"] for row in await self._all(sql, (self._connection,))}

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget at most so many dead letters closed before that instant; return how many. Open ones stay."""
        old = "SELECT id FROM dead_letter WHERE connection = ? AND closed_at < ? LIMIT ?"
        values = (self._connection, to_millis(before), limit)
        return await self._change(f"DELETE FROM dead_letter WHERE id IN ({old})", values)  # noqa: S608  # fixed text


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("first_at", "last_at", "closed_at"):
        row[name] = from_millis(row[name]) if row[name] is not None else None
    row["fingerprint"] = row["fingerprint"].hex() if row["fingerprint"] else ""
    del row["connection"]
    return row
