"""What has had its time is forgotten, in small parts; what may still be needed never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from p21d.clock import to_millis
from p21d.engine import housekeeping
from p21d.engine.housekeeping import forget_old, keep_house
from p21d.engine.watch import Watch
from p21d.errors import StoreFull
from p21d.store.binding import FORGOTTEN, KEPT
from p21d.store.intent import OPEN_STATES
from tests.engine.failing import FULL, fail, mend

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=4000)


async def put(store, table, **values):
    """Insert a row with these values, and something as old as can be everywhere else."""
    columns = await store._writer.execute_fetchall(f"PRAGMA table_info({table})")
    row = {"connection": "default"}
    for column in columns:
        name, kind, is_id = column["name"], column["type"], column["name"] == "id"
        old = to_millis(LONG_AGO) if name.endswith("_at") or name == "at" else 1
        row.setdefault(name, None if is_id else {"TEXT": name, "BLOB": b"0"}.get(kind, old))
    row |= values
    marks = ", ".join("?" * len(row))
    async with store.transaction():
        await store._writer.execute_fetchall(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()]
        )


async def count(store, table):
    return next(iter(await store._reader.execute_fetchall(f"SELECT count(*) FROM {table}")))[0]


@pytest.mark.parametrize("table", sorted({*FORGOTTEN, *KEPT} - {"cycle", "intent_event", "last_stop"}))
async def test_open_work_and_what_was_delivered_stay_however_old(store, table):
    await put(store, table, **({"closed_at": None} if table == "dead_letter" else {}))
    await forget_old(store, NOW)
    assert await count(store, table) == 1


async def test_finished_cycles_and_closed_dead_letters_go_by_age(store):
    for days in (29, 31, 89, 91):
        at = to_millis(NOW - timedelta(days=days))
        await put(store, "cycle", ended_at=at)
        await put(store, "dead_letter", closed_at=at, key=str(days))
    assert await forget_old(store, NOW) == 4
    assert (await count(store, "cycle"), await count(store, "dead_letter")) == (1, 3)


@pytest.mark.parametrize("state", [*OPEN_STATES, "linked", "dismissed"])
async def test_only_the_steps_of_orders_that_are_done_with_go_by_age(store, state):
    await put(store, "intent", hub_id="1", state=state)
    await put(store, "intent_event", hub_id="1")
    await put(store, "intent_event", hub_id="1", at=to_millis(NOW))
    await forget_old(store, NOW)
    assert await count(store, "intent_event") == (2 if state in OPEN_STATES else 1)
    assert await count(store, "intent") == 1


async def test_much_is_forgotten_in_parts(store, monkeypatch):
    monkeypatch.setattr(housekeeping, "ROWS_AT_ONCE", 2)
    for _ in range(5):
        await put(store, "cycle")
    assert await forget_old(store, NOW) == 5


async def test_a_full_disk_puts_housekeeping_off_and_ends_nothing(store, clock, log_lines):
    await put(store, "cycle")
    writer = fail(store, FULL, 1)
    with pytest.raises(StoreFull):
        await forget_old(store, NOW)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_house, store, clock, Watch(clock))
        await anyio.wait_all_tasks_blocked()
        mend(store, writer)
        with anyio.fail_after(5):
            while await count(store, "cycle"):  # noqa: ASYNC110  # the loop has no event of its own
                await anyio.sleep(0.001)
        tasks.cancel_scope.cancel()
    assert "housekeeping put off" in [line["event"] for line in log_lines]
