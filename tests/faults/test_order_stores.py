"""Stores that do not remember: lost links, a day-old copy, and a second daemon; no order of P21 is made twice."""

from __future__ import annotations

import shutil
from collections import Counter
from copy import deepcopy
from pathlib import Path

from p21d.control.client import ControlClient
from p21d.engine.orders.guards import KNOWN_LINK
from p21d.engine.orders.ledger import PREPARED
from p21d.engine.orders.our_own import REPAIRED
from p21d.store.backup import copy_store
from tests.faults.ordering import BUSY, ENTITIES, FREE, LINKED, OrderingDaemon, Shop, linked, shop
from tests.faults.test_order_holds import assert_products_go_on
from tests.faults.world import Daemon, until

OLD, BEFORE = "2019-06-01T10:00:00+00:00", "(orders.not_before: 2020-01-01)"


def of_p21(here: Shop) -> dict[str, str]:
    """Return our external id of each record that came from P21, by the hub's id."""
    records = [record for record in here.hub.records("transaction") if record["system_id"] == 5120]
    return {r["id"]: link["external_id"] for r in records for link in r["external_ids"] if link["system_id"] == 5120}


async def test_a_thousand_old_orders_and_fifty_lost_links_make_no_order(tmp_path: Path) -> None:
    async with shop(tmp_path, "invoice", rows=300, orders={"enabled": False}) as here:
        before = of_p21(here)
        lost = list(before.values())[:50]
        assert len(lost) == 50
        for external_id in lost:
            here.lose_link(external_id)
        here.place(900, created_at=(OLD,))
        here.place(60, types=("Quote",))
        here.place(40, statuses=("Complete",))

        await here.daemon.reload(orders={"enabled": True})

        expected = Counter(
            {
                f"it was created before {BEFORE}": 900,
                "its type is Quote (orders.types: Order)": 60,
                "its status is Complete (orders.statuses: Pending)": 40,
                f"{KNOWN_LINK}{REPAIRED}": 50,
            }
        )
        while "read on" in (await here.daemon.sync_orders()).note:
            pass
        status = (await here.daemon.status()).orders
        assert status is not None
        assert status.left_alone == expected
        assert of_p21(here) == before
        assert here.posts() == 0
        assert await here.daemon.orders() == []


async def test_on_a_day_old_copy_of_the_store_no_order_is_written_again(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        daemon, copy = here.daemon, tmp_path / "yesterday.db"
        here.p21.settings.update(BUSY)
        known = here.place(2)
        await daemon.until_all(PREPARED, known)
        copy_store(daemon.store, copy)
        here.p21.settings.update(FREE)
        ids = [*known, *here.place(8)]
        await daemon.sync_orders()
        await daemon.sync_orders(*known)
        await daemon.until_all(LINKED, ids)
        assert await daemon.stop() == 0
        links, records = linked(here.world), len(here.hub.records("transaction"))
        for lost in (known[0], ids[-1]):
            here.lose_link(links[lost])
        for name in ("-wal", "-shm"):
            daemon.store.with_name(daemon.store.name + name).unlink(missing_ok=True)
        shutil.copy(copy, daemon.store)

        await daemon.start()
        await daemon.sync_orders()
        await until(lambda: has_links(here, links), "all linked again")
        await daemon.until_shown()
        assert (await daemon.sync("transaction", days=3650)).tally.dead_lettered == 0

        here.assert_each_once(ids)
        assert len(here.hub.records("transaction")) == records
        assert here.hub.duplicates() == {}


async def has_links(here: Shop, links: dict[str, str]) -> bool:
    return linked(here.world) == links


async def test_a_second_daemon_holds_its_orders_until_it_takes_them_over(tmp_path: Path) -> None:
    async with shop(tmp_path, claimed=True, orders={"poll_interval": "5m"}) as here:
        first, second = here.daemon, second_daemon(here, tmp_path / "second")
        try:
            ids = here.place(2)
            await first.sync_orders()
            await first.until_all(LINKED, ids)
            await second.start()
            await until(lambda: held_elsewhere(second), "the second held")
            said = await second.command("orders", "list")
            assert "p21d orders take-over" in said.stdout + said.stderr
            await assert_products_go_on(here)
            await second.until_in_step(*ENTITIES)

            here.p21.settings.update({"save_seconds": 0.3})
            ids += here.place(8)
            await first.sync_orders()
            await first.until_all(LINKED, ids[:3])
            async with ControlClient(second.socket) as client:
                await client.take_over_orders()
            await until(lambda: held_elsewhere(first), "the first held")
            await second.sync_orders()
            ids += here.place(2)
            await second.sync_orders()

            await until(lambda: all_linked(here, ids), "all linked")
            assert not await held_elsewhere(second)
            here.assert_each_once(ids)
            await second.until_in_step(*ENTITIES)
            here.assert_each_once(ids)
        finally:
            second.clean_up()


def second_daemon(here: Shop, folder: Path) -> OrderingDaemon:
    """Return another daemon for the same P21 and hub, with a folder and a store of its own."""
    folder.mkdir()
    second = deepcopy(here.daemon.settings)
    second["store"]["path"], second["control"]["socket"] = str(folder / "p21d.db"), str(folder / "control.sock")
    return OrderingDaemon(Daemon(folder, second))


async def held_elsewhere(daemon: OrderingDaemon) -> bool:
    """Tell whether a daemon writes no order because the hub names another."""
    status = (await daemon.status()).orders
    return status is not None and status.state == "held" and "p21d orders take-over" in status.held_hint


async def all_linked(here: Shop, ids: list[str]) -> bool:
    return set(linked(here.world)) == set(ids)
