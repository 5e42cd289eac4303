"""Rows that share one stamp, that change under the reader, or that never rest: all arrive."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial

import anyio

from tests.faults.comparison import arrived, assert_in_step, expected, living
from tests.faults.world import World, until, world

MANY = 25_000


async def test_25000_rows_of_one_timestamp_arrive_once_each(tmp_path):
    sink = {"type": "jsonl", "directory": str(tmp_path / "out")}
    async with world(tmp_path, "product", rows=1) as here:
        here.daemon.settings["sink"] = sink
        here.daemon.write()
        stamp = here.p21.database.time.text(here.p21.database.time.now())
        names = ("inv_mast_uid", "item_id", "item_desc", "price1", "delete_flag", "date_last_modified")
        rows = [(uid, f"BULK-{uid}", "in one update", "1.000000000", "N", stamp) for uid in range(1_000, 1_000 + MANY)]
        here.p21.database.insert_many("inv_mast", names, rows)

        await here.daemon.start()
        await here.daemon.until_in_step()

        lines = (tmp_path / "out" / "product.jsonl").read_text().splitlines()
        skus = Counter(json.loads(line)["external_id"] for line in lines)
        bulk = {sku: count for sku, count in skus.items() if sku.startswith("BULK-")}
        assert len(bulk) == MANY
        assert set(bulk.values()) == {1}


async def test_rows_changed_while_they_are_paged_arrive_in_their_last_state(tmp_path):
    # No overlap, no settle: only the watermark itself can bring a row back that changed behind the reader.
    entity, prophet21 = {"poll_interval": "0.2s", "overlap": 0}, {"page_rows": 5, "settle": 0}
    async with world(tmp_path, "product", rows=60, entity=entity, prophet21=prophet21) as here:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(change_behind_and_before_the_reader, here)
            await here.daemon.start()

        async def in_step() -> bool:
            return arrived(here.hub)["product"] == expected(here.p21)["product"]

        await until(in_step, "the last state of every product in the hub")
        assert_in_step(here.p21, here.hub, "product")


async def change_behind_and_before_the_reader(here: World) -> None:
    """Change a row from the beginning and one from the end at each of the first requests for a page."""
    journal = here.p21.journal
    uids = [row["inv_mast_uid"] for row in living(here.p21, "inv_mast")]
    for number in range(len(uids) // 2):
        seen = journal.by_path.total()
        await journal.wait_until(lambda seen=seen: journal.by_path.total() > seen)
        for uid in (uids[number], uids[-1 - number]):
            here.p21.database.change("inv_mast", {"inv_mast_uid": uid}, price1=f"{1000 + number}.000000000")


async def test_a_row_that_is_stamped_again_and_again_arrives_within_two_polls(tmp_path):
    async with world(tmp_path, "product", rows=10, entity={"poll_interval": "0.2s"}) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        restless = Restless(here)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(restless.stamp_at_every_request)
            for _ in range(4):
                stamps, polls = restless.stamp(), restless.polls()
                await until(partial(restless.has_arrived, stamps), f"stamp {stamps}")
                # the poll that was under way at the stamp, and the two after it
                assert restless.polls() - polls <= 3
            tasks.cancel_scope.cancel()


class Restless:
    """A product that is stamped whenever P21 is asked for anything; its price says how often."""

    def __init__(self, here: World) -> None:
        self._here = here
        self._stamps = 1_000_000
        self._sku = here.p21.database.rows("inv_mast", {"inv_mast_uid": 1})[0]["item_id"].strip()

    def stamp(self) -> int:
        self._stamps += 1
        self._here.p21.database.change("inv_mast", {"inv_mast_uid": 1}, price1=f"{self._stamps}.000000000")
        return self._stamps

    async def stamp_at_every_request(self) -> None:
        journal = self._here.p21.journal
        while True:
            seen = journal.by_path.total()
            await journal.wait_until(lambda seen=seen: journal.by_path.total() > seen)
            self.stamp()

    async def has_arrived(self, stamps: int) -> bool:
        records = self._here.hub.records("product")
        return any(record["sku"] == self._sku and record["default_price"] >= stamps for record in records)

    def polls(self) -> int:
        return sum(line["kind"] == "poll" for line in self._here.daemon.log("cycle"))
