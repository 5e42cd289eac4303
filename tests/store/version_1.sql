-- A store of schema version 1 with a row in each table. Never changed: it stands for the stores that are out there.
BEGIN TRANSACTION;
CREATE TABLE backfill (
        connection TEXT NOT NULL, entity TEXT NOT NULL,
        opened_at INTEGER, signature TEXT NOT NULL, force INTEGER NOT NULL,
        asks INTEGER NOT NULL, confirmed INTEGER NOT NULL,
        last_at INTEGER NOT NULL, mapping TEXT NOT NULL,
        PRIMARY KEY (connection, entity)
    ) WITHOUT ROWID;
INSERT INTO "backfill" VALUES('default','customer',1767225600000,'the signature',1,1,1,1767225600000,'the mapping');
CREATE TABLE binding (
        connection TEXT NOT NULL, prophet21 TEXT NOT NULL, sink TEXT NOT NULL,
        bound_at INTEGER NOT NULL, bound_by TEXT NOT NULL,
        PRIMARY KEY (connection)
    ) WITHOUT ROWID;
INSERT INTO "binding" VALUES('default','the prophet21','the sink',1767225600000,'the bound_by');
CREATE TABLE checkpoint (
        connection TEXT NOT NULL, entity TEXT NOT NULL,
        watermark_at INTEGER NOT NULL, watermark_text TEXT NOT NULL,
        PRIMARY KEY (connection, entity)
    ) WITHOUT ROWID;
INSERT INTO "checkpoint" VALUES('default','customer',1767225600000,'the watermark_text');
CREATE TABLE cycle (
        id INTEGER PRIMARY KEY,
        connection TEXT NOT NULL, entity TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL,
        started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
        read INTEGER NOT NULL, delivered INTEGER NOT NULL, unchanged INTEGER NOT NULL, skipped INTEGER NOT NULL,
        waiting INTEGER NOT NULL, dead_lettered INTEGER NOT NULL, unfinished INTEGER NOT NULL
    );
INSERT INTO "cycle" VALUES(1,'default','customer','the kind','the status','the note',1767225600000,1767225600000,1,1,1,1,1,1,1);
CREATE TABLE dead_letter (
        id INTEGER PRIMARY KEY,
        connection TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL, external_id TEXT NOT NULL,
        code TEXT NOT NULL, error TEXT NOT NULL, hint TEXT NOT NULL, attempts INTEGER NOT NULL, times INTEGER NOT NULL,
        parent_entity TEXT NOT NULL, parent_key TEXT NOT NULL,
        plugin TEXT NOT NULL, body TEXT NOT NULL, fingerprint BLOB,
        first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, closed_at INTEGER, closed_because TEXT NOT NULL
    );
INSERT INTO "dead_letter" VALUES(1,'default','customer','01|100','the external_id','the code','the error','the hint',1,1,'the parent_entity','the parent_key','the plugin','the body',X'30313233343536373839616263646566',1767225600000,1767225600000,1767225600000,'the closed_because');
CREATE TABLE delivered (
        connection TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL, external_id TEXT NOT NULL,
        fingerprint BLOB, active INTEGER NOT NULL, read_at INTEGER NOT NULL, delivered_at INTEGER NOT NULL,
        PRIMARY KEY (connection, entity, key, external_id)
    ) WITHOUT ROWID;
INSERT INTO "delivered" VALUES('default','customer','01|100','the external_id',X'30313233343536373839616263646566',1,1767225600000,1767225600000);
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
INSERT INTO "intent" VALUES('default','the hub_id','linked','the hub_number','the buyer','the total','the order_no','the reference','the sent',X'30313233343536373839616263646566',X'30313233343536373839616263646566','the digest','the reason','the hint','the differences',1,1,1,1,1767225600000,1767225600000,1767225600000,1767225600000,1767225600000);
CREATE TABLE intent_event (
        id INTEGER PRIMARY KEY,
        connection TEXT NOT NULL, hub_id TEXT NOT NULL, at INTEGER NOT NULL,
        before TEXT NOT NULL, after TEXT NOT NULL, by TEXT NOT NULL, note TEXT NOT NULL
    );
INSERT INTO "intent_event" VALUES(1,'default','the hub_id',1767225600000,'the before','the after','the by','the note');
CREATE TABLE left_alone (
        connection TEXT NOT NULL, hub_id TEXT NOT NULL, hub_number TEXT NOT NULL, reason TEXT NOT NULL,
        seen_at INTEGER NOT NULL, again_at INTEGER,
        PRIMARY KEY (connection, hub_id)
    ) WITHOUT ROWID;
INSERT INTO "left_alone" VALUES('default','the hub_id','the hub_number','the reason',1767225600000,1767225600000);
CREATE TABLE link (
        connection TEXT NOT NULL, link_table TEXT NOT NULL, external_id TEXT NOT NULL, hub_id TEXT NOT NULL,
        entity TEXT NOT NULL, key TEXT NOT NULL, left_behind INTEGER NOT NULL DEFAULT 0,
        born INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (connection, link_table, external_id)
    ) WITHOUT ROWID;
INSERT INTO "link" VALUES('default','the link_table','the external_id','the hub_id','customer','01|100',1,1);
CREATE TABLE met (
        connection TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL,
        PRIMARY KEY (connection, entity, key)
    ) WITHOUT ROWID;
INSERT INTO "met" VALUES('default','customer','01|100');
CREATE TABLE open_window (
        connection TEXT NOT NULL, entity TEXT NOT NULL, kind TEXT NOT NULL,
        low_at INTEGER NOT NULL, low_text TEXT NOT NULL, high_at INTEGER NOT NULL, high_text TEXT NOT NULL,
        reached TEXT NOT NULL, last TEXT NOT NULL, signature TEXT NOT NULL, opened_at INTEGER NOT NULL,
        PRIMARY KEY (connection, entity, kind)
    ) WITHOUT ROWID;
INSERT INTO "open_window" VALUES('default','customer','the kind',1767225600000,'the low_text',1767225600000,'the high_text','the reached','the last','the signature',1767225600000);
CREATE TABLE paused (
        connection TEXT NOT NULL, entity TEXT NOT NULL, paused_at INTEGER NOT NULL, because TEXT NOT NULL,
        PRIMARY KEY (connection, entity)
    ) WITHOUT ROWID;
INSERT INTO "paused" VALUES('default','customer',1767225600000,'the because');
CREATE TABLE proof (
        connection TEXT NOT NULL, name TEXT NOT NULL, build TEXT NOT NULL, result TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (connection, name)
    ) WITHOUT ROWID;
INSERT INTO "proof" VALUES('default','the name','the build','the result',1767225600000);
CREATE TABLE skipped (
        connection TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL,
        reason TEXT NOT NULL, skipped_at INTEGER NOT NULL,
        PRIMARY KEY (connection, entity, key)
    ) WITHOUT ROWID;
INSERT INTO "skipped" VALUES('default','customer','01|100','the reason',1767225600000);
CREATE TABLE waiting (
        connection TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL,
        parent_entity TEXT NOT NULL, parent_key TEXT NOT NULL, asked INTEGER NOT NULL,
        due_at INTEGER, attempts INTEGER NOT NULL, first_failed_at INTEGER, error TEXT NOT NULL,
        parked_at INTEGER NOT NULL, parked_after REAL NOT NULL DEFAULT 0, triggered_at INTEGER,
        PRIMARY KEY (connection, entity, key)
    ) WITHOUT ROWID;
INSERT INTO "waiting" VALUES('default','customer','01|100','the parent_entity','the parent_key',1,1767225600000,1,1767225600000,'the error',1767225600000,1.5,1767225600000);
CREATE TABLE worked (
        connection TEXT NOT NULL, entity TEXT NOT NULL, parent_entity TEXT NOT NULL, seconds REAL NOT NULL,
        PRIMARY KEY (connection, entity, parent_entity)
    ) WITHOUT ROWID;
INSERT INTO "worked" VALUES('default','customer','the parent_entity',1.5);
CREATE TABLE writer (
        connection TEXT NOT NULL, store_id TEXT NOT NULL,
        PRIMARY KEY (connection)
    ) WITHOUT ROWID;
INSERT INTO "writer" VALUES('default','the store_id');
CREATE UNIQUE INDEX link_by_hub_id ON link (connection, link_table, hub_id);
CREATE INDEX waiting_by_parent ON waiting (connection, parent_entity, parent_key);
CREATE INDEX waiting_by_age ON waiting (connection, entity, parent_entity, parked_after);
CREATE INDEX waiting_by_due ON waiting (connection, entity, due_at);
CREATE UNIQUE INDEX dead_letter_open ON dead_letter (connection, entity, key, external_id) WHERE closed_at IS NULL;
CREATE INDEX dead_letter_by_parent ON dead_letter (connection, parent_entity, parent_key) WHERE closed_at IS NULL;
CREATE INDEX cycle_by_entity ON cycle (connection, entity, ended_at);
CREATE INDEX intent_by_state ON intent (connection, state, due_at);
CREATE INDEX intent_by_order_no ON intent (connection, order_no);
CREATE INDEX intent_event_by_hub_id ON intent_event (connection, hub_id);
COMMIT;
PRAGMA application_id = 1882337636;
PRAGMA user_version = 1;
