"""The verdict on a world in step says nothing; harm planted in it is found, and what is explained is counted."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

import anyio
import anyio.to_thread
import pytest
from anyio.from_thread import start_blocking_portal

from p21d.clock import SystemClock
from p21d.control.order_answers import OrderAnswer
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.torture.found import SYSTEM_ID
from p21d.torture.playing import Playing
from p21d.torture.remembered import Remembered
from p21d.torture.run import begin, ledger
from p21d.torture.schedule import Event, Schedule
from p21d.torture.settling import settle
from p21d.torture.shop import Shop
from p21d.torture.verdict import Verdict, ahead, judge
from p21d.torture.wanted import living
from p21d.torture.world import world

CALM = Schedule(
    seed=1,
    seconds=0.5,
    rows=12,
    caught_up=True,
    look_back_days=0.0,
    page_rows=1000,
    batch_rows=100,
    events=(
        Event(at=0.1, what="orders", count=3, seed=1),
        Event(at=0.2, what="life"),
        Event(at=0.5, what="life"),
    ),
)


@dataclass
class Settled:
    """A world after a calm run; its daemon has ended, its simulators serve nobody any more."""

    p21: P21Sandbox
    hub: HubSandbox
    store: Remembered
    shop: Shop
    ledger: list[OrderAnswer]

    def judge(self) -> Verdict:
        return judge(self.p21, self.hub, self.store, self.shop, self.ledger)

    def ahead(self) -> list[str]:
        return ahead(self.p21, self.hub, self.store, dict.fromkeys(self.store.watermarks(), ""))

    def record(self, kind: str) -> dict[str, Any]:
        """Return a record of a kind that came from P21."""
        return next(record for record in self.hub.records(kind) if record.get("system_id", SYSTEM_ID) == SYSTEM_ID)

    def ask(self, sql: str, *values: Any) -> None:
        """Change the hub's own tables, past its rules."""
        self.hub._core.database.connection.execute(sql, values)


@pytest.fixture(scope="module")
def calm(tmp_path_factory) -> Iterator[Settled]:
    """Run a calm schedule once for all tests of this file."""
    folder = tmp_path_factory.mktemp("calm")
    made: Queue[Settled | None] = Queue()
    ended = threading.Event()

    async def play() -> None:
        async with world(CALM, folder, SystemClock()) as here:
            shop = Shop(here.p21, here.hub)
            await begin(here, CALM)
            await Playing(here, shop, CALM).play()
            assert await settle(here, shop) == []
            orders = await ledger(here)
            await here.daemon.stop()
            made.put(Settled(here.p21, here.hub, Remembered(here.daemon.store), shop, orders))
            await anyio.to_thread.run_sync(ended.wait)

    with start_blocking_portal() as portal:
        running = portal.start_task_soon(play)
        running.add_done_callback(lambda _: made.put(None))  # also when it fails
        try:
            yield made.get() or running.result()
        finally:
            ended.set()
            running.result()


@pytest.fixture
def settled(calm, tmp_path) -> Iterator[Settled]:
    """Return the calm world; what a test does to it is undone."""
    connections = calm.hub._core.database.connection, calm.p21.database.connection
    copy = tmp_path / "p21d.db"
    shutil.copy(calm.store._path, copy)
    for connection in connections:
        connection.execute("SAVEPOINT test")
    placed, writes = list(calm.shop.placed), list(calm.p21.transactions._orders.writes)
    try:
        yield Settled(calm.p21, calm.hub, Remembered(copy), calm.shop, list(calm.ledger))
    finally:
        for connection in connections:
            connection.execute("ROLLBACK TO test")
            connection.execute("RELEASE test")
        calm.shop.placed = placed
        calm.p21.transactions._orders.writes = type(calm.p21.transactions._orders.writes)(writes)


def test_a_world_in_step_has_nothing_lost_and_nothing_doubled(settled):
    verdict = settled.judge()
    assert (verdict.lost, verdict.doubled, settled.ahead()) == ([], [], [])
    assert verdict.orders_done == verdict.orders_placed == 3


@pytest.mark.parametrize("kind", ["location", "company", "customer", "product", "inventory", "transaction"])
def test_a_record_that_is_gone_from_the_hub_is_lost(settled, kind):
    record = settled.record(kind)
    settled.ask("UPDATE record SET active = 0 WHERE type = ? AND id = ?", kind, int(record["id"]))
    assert settled.judge().lost


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("product", {"default_price": 0.01}),
        ("customer", {"email_address": "nobody@example.com"}),
        ("inventory", {"qty_on_hand": -1.0}),
        ("transaction", {"total": 0.01}),
    ],
)
def test_a_record_with_other_content_is_lost(settled, kind, members):
    settled.hub.change(kind, int(settled.record(kind)["id"]), **members)
    assert len(settled.judge().lost) == 1


def test_a_change_that_no_cycle_has_brought_is_lost(settled):
    uid = living(settled.p21, "inv_mast")[3]["inv_mast_uid"]
    settled.p21.database.change("inv_mast", {"inv_mast_uid": uid}, price1="123456.000000000")
    assert len(settled.judge().lost) == 1


def test_a_record_that_nobody_wants_is_told_as_well(settled):
    twin(settled, "location", name="Nowhere")
    assert settled.judge().lost == ["location Nowhere: wanted None, found True"]


@pytest.mark.parametrize("fate", ["dead_letter", "skipped", "waiting"])
def test_a_row_whose_fate_the_store_tells_is_explained_and_counted(settled, fate):
    uid = living(settled.p21, "inv_mast")[3]["inv_mast_uid"]
    settled.p21.database.change("inv_mast", {"inv_mast_uid": uid}, price1="123456.000000000")
    remember(settled.store._path, fate, "product", str(uid))
    verdict = settled.judge()
    assert verdict.lost == []
    assert verdict.explained[f"product {fate.replace('_', ' ')}"] == 1


def test_a_closed_dead_letter_explains_nothing(settled):
    uid = living(settled.p21, "inv_mast")[3]["inv_mast_uid"]
    settled.p21.database.change("inv_mast", {"inv_mast_uid": uid}, price1="123456.000000000")
    remember(settled.store._path, "dead_letter", "product", str(uid), closed_at=1)
    assert len(settled.judge().lost) == 1


def test_two_records_of_one_natural_key_are_doubled(settled):
    twin(settled, "location")
    assert len(settled.judge().doubled) == 2  # by our rules, and by the hub's


def test_two_orders_in_p21_of_one_hub_order_are_doubled(settled):
    writes = settled.p21.transactions._orders.writes
    writes.append(writes[0])
    assert len(settled.judge().doubled) == 1


def test_an_order_that_came_back_to_the_hub_as_a_new_record_is_doubled(settled):
    number = next(iter(settled.shop.linked().values()))
    settled.hub.change("transaction", int(settled.record("transaction")["id"]), transaction_number=number)
    assert f"order {number}: came back to the hub as a new record" in settled.judge().doubled


def test_a_placed_order_without_a_link_is_lost(settled):
    id_ = settled.shop.placed[0]
    unlink(settled, id_)
    assert f"hub order {id_}: not in P21, and nobody was told" in settled.judge().lost


def test_a_placed_order_that_is_held_with_a_reason_is_told(settled):
    id_ = settled.shop.placed[0]
    unlink(settled, id_)
    for order in settled.ledger:
        if order.id == id_:
            order.state, order.reason = "held", "no such item"
    verdict = settled.judge()
    assert verdict.told == [f"hub order {id_}: held, no such item"]
    assert not any(id_ in lost for lost in verdict.lost)
    assert verdict.orders_done == 2


def test_an_order_linked_with_a_number_that_p21_lacks_is_lost(settled):
    id_, number = next(iter(settled.shop.linked().items()))
    settled.p21.database.delete("oe_hdr", {"order_no": number})
    assert f"hub order {id_}: linked with {number}, which P21 does not have" in settled.judge().lost


def test_a_watermark_over_a_change_that_has_no_fate_is_ahead(settled):
    row = living(settled.p21, "inv_mast")[3]
    key = {"inv_mast_uid": row["inv_mast_uid"]}
    # what P21 says now, under its old stamp: the watermark has passed it
    settled.p21.database.change("inv_mast", key, stamp=False, price1="123456.000000000")
    assert len(settled.ahead()) == 1


def test_a_change_above_the_watermark_is_not_ahead(settled):
    uid = living(settled.p21, "inv_mast")[3]["inv_mast_uid"]
    settled.p21.database.change("inv_mast", {"inv_mast_uid": uid}, price1="123456.000000000")
    assert settled.ahead() == []


def remember(path: Path, fate: str, entity: str, key: str, **columns: Any) -> None:
    """Write a fate into a store as the daemon would: every other column is empty."""
    with closing(sqlite3.connect(path)) as sqlite, sqlite:
        known = sqlite.execute(f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{fate}')").fetchall()
        values: dict[str, Any] = {
            name: 0 if kind in ("INTEGER", "REAL") else "" for name, kind, required, _ in known if required
        }
        values |= {"connection": "default", "entity": entity, "key": key, **columns}
        marks = ", ".join("?" * len(values))
        sqlite.execute(f"INSERT INTO {fate} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def twin(settled: Settled, kind: str, **members: Any) -> None:
    """Add a copy of the first record of a kind to the hub, with these members changed."""
    read = "SELECT max(id) + 1, body FROM (SELECT * FROM record WHERE type = ? ORDER BY id)"
    (id_, body) = settled.hub._core.database.connection.execute(read, (kind,)).fetchone()
    columns = "type, id, parent, active, writes, created_at, body"
    body = json.dumps({**json.loads(body), **members})
    settled.ask(f"INSERT INTO record ({columns}) VALUES (?, ?, NULL, 1, 1, 0, ?)", kind, id_, body)


def unlink(settled: Settled, id_: str) -> None:
    """Take our link of a hub order away, and let the ledger know nothing of it."""
    found = "SELECT row FROM record WHERE type = 'transaction' AND id = ?"
    settled.ask(f"DELETE FROM link WHERE system_id = {SYSTEM_ID} AND row = ({found})", int(id_))
    for order in settled.ledger:
        if order.id == id_:
            order.reason = ""
