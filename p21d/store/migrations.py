"""The numbered migrations of the store; `PRAGMA user_version` says how many have run.

A migration is never changed once released: a new one is added below. `PRAGMA application_id` marks a file as ours, so
that a store.path that names another program's database is refused before anything is written to it.
"""

from __future__ import annotations

from pathlib import Path

import aiosqlite

from p21d.errors import StoreError

APPLICATION_ID = 0x70323164
"""The letters `p21d`; SQLite keeps the number in the file's header."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE checkpoint (
        connection TEXT NOT NULL, entity TEXT NOT NULL,
        watermark_at INTEGER NOT NULL, watermark_text TEXT NOT NULL,
        PRIMARY KEY (connection, entity)
    ) WITHOUT ROWID;
    CREATE TABLE open_window (
        connection TEXT NOT NULL, entity TEXT NOT NULL, kind TEXT NOT NULL,
        low_at INTEGER NOT NULL, low_text TEXT NOT NULL, high_at INTEGER NOT NULL, high_text TEXT NOT NULL,
        reached TEXT NOT NULL, last TEXT NOT NULL, signature TEXT NOT NULL, opened_at INTEGER NOT NULL,
        PRIMARY KEY (connection, entity, kind)
    ) WITHOUT ROWID;
    CREATE TABLE backfill (
        connection TEXT NOT NULL, entity TEXT NOT NULL,
        opened_at INTEGER, signature TEXT NOT NULL, force INTEGER NOT NULL,
        asks INTEGER NOT NULL, confirmed INTEGER NOT NULL,
        last_at INTEGER NOT NULL, mapping TEXT NOT NULL,
        PRIMARY KEY (connection, entity)
    ) WITHOUT ROWID;
    CREATE TABLE met (
        connection TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL,
        PRIMARY KEY (connection, entity, key)
    ) WITHOUT ROWID;
    CREATE TABLE delivered (
        connection TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL, external_id TEXT NOT NULL,
        fingerprint BLOB, active INTEGER NOT NULL, read_at INTEGER NOT NULL, delivered_at INTEGER NOT NULL,
        PRIMARY KEY (connection, entity, key, external_id)
    ) WITHOUT ROWID;
    CREATE TABLE link (
        connection TEXT NOT NULL, link_table TEXT NOT NULL, external_id TEXT NOT NULL, hub_id TEXT NOT NULL,
        entity TEXT NOT NULL, key TEXT NOT NULL, left_behind INTEGER NOT NULL DEFAULT 0,
        born INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (connection, link_table, external_id)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX link_by_hub_id ON link (connection, link_table, hub_id);
    CREATE TABLE waiting (
        connection TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL,
        parent_entity TEXT NOT NULL, parent_key TEXT NOT NULL, asked INTEGER NOT NULL,
        due_at INTEGER, attempts INTEGER NOT NULL, first_failed_at INTEGER, error TEXT NOT NULL,
        parked_at INTEGER NOT NULL, parked_after REAL NOT NULL DEFAULT 0, triggered_at INTEGER,
        PRIMARY KEY (connection, entity, key)
    ) WITHOUT ROWID;
    CREATE INDEX waiting_by_parent ON waiting (connection, parent_entity, parent_key);
    CREATE INDEX waiting_by_age ON waiting (connection, entity, parent_entity, parked_after);
    CREATE TABLE worked (
        connection TEXT NOT NULL, entity TEXT NOT NULL, parent_entity TEXT NOT NULL, seconds REAL NOT NULL,
        PRIMARY KEY (connection, entity, parent_entity)
    ) WITHOUT ROWID;
    CREATE INDEX waiting_by_due ON waiting (connection, entity, due_at);
    CREATE TABLE dead_letter (
        id INTEGER PRIMARY KEY,
        connection TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL, external_id TEXT NOT NULL,
        code TEXT NOT NULL, error TEXT NOT NULL, hint TEXT NOT NULL, attempts INTEGER NOT NULL, times INTEGER NOT NULL,
        parent_entity TEXT NOT NULL, parent_key TEXT NOT NULL,
        plugin TEXT NOT NULL, body TEXT NOT NULL, fingerprint BLOB,
        first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, closed_at INTEGER, closed_because TEXT NOT NULL
    );
    CREATE UNIQUE INDEX dead_letter_open ON dead_letter (connection, entity, key, external_id) WHERE closed_at IS NULL;
    CREATE INDEX dead_letter_by_parent ON dead_letter (connection, parent_entity, parent_key) WHERE closed_at IS NULL;
    CREATE TABLE skipped (
        connection TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL,
        reason TEXT NOT NULL, skipped_at INTEGER NOT NULL,
        PRIMARY KEY (connection, entity, key)
    ) WITHOUT ROWID;
    CREATE TABLE cycle (
        id INTEGER PRIMARY KEY,
        connection TEXT NOT NULL, entity TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL,
        started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
        read INTEGER NOT NULL, delivered INTEGER NOT NULL, unchanged INTEGER NOT NULL, skipped INTEGER NOT NULL,
        waiting INTEGER NOT NULL, dead_lettered INTEGER NOT NULL, unfinished INTEGER NOT NULL
    );
    CREATE INDEX cycle_by_entity ON cycle (connection, entity, ended_at);
    CREATE TABLE proof (
        connection TEXT NOT NULL, name TEXT NOT NULL, build TEXT NOT NULL, result TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (connection, name)
    ) WITHOUT ROWID;
    CREATE TABLE binding (
        connection TEXT NOT NULL, prophet21 TEXT NOT NULL, sink TEXT NOT NULL,
        bound_at INTEGER NOT NULL, bound_by TEXT NOT NULL,
        PRIMARY KEY (connection)
    ) WITHOUT ROWID;
    CREATE TABLE paused (
        connection TEXT NOT NULL, entity TEXT NOT NULL, paused_at INTEGER NOT NULL, because TEXT NOT NULL,
        PRIMARY KEY (connection, entity)
    ) WITHOUT ROWID;
    CREATE TABLE intent (
        connection TEXT NOT NULL, hub_id TEXT NOT NULL, state TEXT NOT NULL,
        hub_number TEXT NOT NULL, buyer TEXT NOT NULL, total TEXT NOT NULL,
        order_no TEXT NOT NULL, reference TEXT NOT NULL, sent TEXT NOT NULL, body BLOB NOT NULL, mapped BLOB NOT NULL,
        digest TEXT NOT NULL, reason TEXT NOT NULL, hint TEXT NOT NULL, differences TEXT NOT NULL,
        acknowledged INTEGER NOT NULL, forced INTEGER NOT NULL, attempts INTEGER NOT NULL, look_ups INTEGER NOT NULL,
        created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
        attempt_began_at INTEGER, attempt_ended_at INTEGER, due_at INTEGER,
        PRIMARY KEY (connection, hub_id)
    );
    CREATE INDEX intent_by_state ON intent (connection, state, due_at);
    CREATE INDEX intent_by_order_no ON intent (connection, order_no);
    CREATE TABLE intent_event (
        id INTEGER PRIMARY KEY,
        connection TEXT NOT NULL, hub_id TEXT NOT NULL, at INTEGER NOT NULL,
        before TEXT NOT NULL, after TEXT NOT NULL, by TEXT NOT NULL, note TEXT NOT NULL
    );
    CREATE INDEX intent_event_by_hub_id ON intent_event (connection, hub_id);
    CREATE TABLE left_alone (
        connection TEXT NOT NULL, hub_id TEXT NOT NULL, hub_number TEXT NOT NULL, reason TEXT NOT NULL,
        seen_at INTEGER NOT NULL, again_at INTEGER,
        PRIMARY KEY (connection, hub_id)
    ) WITHOUT ROWID;
    CREATE TABLE writer (
        connection TEXT NOT NULL, store_id TEXT NOT NULL,
        PRIMARY KEY (connection)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE last_stop (clean INTEGER NOT NULL);
    INSERT INTO last_stop VALUES (0);
    CREATE INDEX dead_letter_closed ON dead_letter (connection, closed_at) WHERE closed_at IS NOT NULL;
    CREATE INDEX intent_event_by_age ON intent_event (connection, at);
    """,
)


async def check_origin(sqlite: aiosqlite.Connection, path: Path) -> None:
    """Raise StoreError for another program's database, or a store of a newer p21d; writes nothing."""
    version = await _number(sqlite, "PRAGMA user_version")
    owner = await _number(sqlite, "PRAGMA application_id")
    empty = await _number(sqlite, "SELECT count(*) FROM sqlite_master") == 0
    if owner != APPLICATION_ID and not (owner == version == 0 and empty):
        raise StoreError(f"{path} is another program's database", hint="let store.path name another file")
    if version > len(MIGRATIONS):
        hint = "install that version again, or restore a backup made before the upgrade"
        raise StoreError(
            f"{path} was written by a newer p21d (schema {version}, this one knows {len(MIGRATIONS)})", hint=hint
        )


async def migrate(sqlite: aiosqlite.Connection) -> None:
    """Bring the schema up to this version, each migration in a transaction of its own."""
    version = await _number(sqlite, "PRAGMA user_version")
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number};"
        await sqlite.executescript(f"BEGIN IMMEDIATE; {script} {marks} COMMIT;")


async def _number(sqlite: aiosqlite.Connection, sql: str) -> int:
    row = next(iter(await sqlite.execute_fetchall(sql)))
    return int(row[0])
