"""What stops orders stops nothing else: turned off, without permission, or one of them without an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from p21d.control.client import ControlClient
from p21d.engine.orders.ledger import DISMISSED, HELD, PREPARED, SENDING, UNKNOWN
from p21d.sandbox.distributor.sales import correct_po
from p21d.sandbox.faults import Fault
from tests.faults.ordering import BUSY, FREE, LINKED, WRITES, OrderingDaemon, Shop, shop
from tests.faults.world import until

NEW_PRICE = 4321.5


async def assert_products_go_on(here: Shop) -> None:
    """Change a product in P21 and wait until the hub has it."""
    row = next(row for row in here.p21.database.rows("inv_mast") if row["delete_flag"] == "N")
    here.p21.database.change("inv_mast", {"inv_mast_uid": row["inv_mast_uid"]}, price1=f"{NEW_PRICE}00000000")

    async def delivered() -> bool:
        return any(record["default_price"] == NEW_PRICE for record in here.hub.records("product"))

    await until(delivered, "the changed product in the hub")


async def test_turned_off_by_a_reload_orders_wait_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        here.p21.settings.update(BUSY)
        [on_its_way] = here.place(1)
        await here.daemon.until_all(PREPARED, [on_its_way])
        await here.daemon.reload(orders={"enabled": False})
        here.p21.settings.update(FREE)
        [new] = here.place(1)
        posts = here.posts()

        await assert_products_go_on(here)

        assert (await here.daemon.status()).orders is None
        assert here.posts() == posts
        assert here.rows_of(on_its_way) == here.rows_of(new) == []
        await here.daemon.reload(orders={"enabled": True})
        await here.daemon.sync_orders()
        await here.daemon.sync_orders(on_its_way)
        await here.daemon.until_all(LINKED, [on_its_way, new])
        here.assert_each_once([on_its_way, new])


async def test_without_permission_orders_name_it_and_go_on_when_it_is_given(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        written: list[str] = []
        for form in ("api", "window"):
            here.p21.settings.update({"may_write_orders": False, "no_permission": form})
            ids = here.place(2)
            await until(lambda: held_for(here, "does not let this account write orders"), "orders held")
            for command in (("orders", "list"), ("status",)):
                said = await here.daemon.command(*command)
                words = " ".join((said.stdout + said.stderr).split())
                assert "does not let this account write orders" in words
                assert "a role that may use the Transaction API and open and save in the window Order Entry" in words
            if not written:
                await assert_products_go_on(here)
            assert await here.daemon.states(ids) == [PREPARED, PREPARED]

            here.p21.settings.update({"may_write_orders": True})
            assert (await here.daemon.command("orders", "sync")).returncode == 0
            await here.daemon.until_all(LINKED, ids)
            assert not await held_for(here, "")
            written += ids
        await here.daemon.until_shown()
        here.assert_each_once(written)


async def held_for(here: Shop, words: str) -> bool:
    """Tell whether no order is written now, for a reason with these words."""
    status = (await here.daemon.status()).orders
    assert status is not None
    return status.state == "held" and words in status.held_reason


class PatientDaemon(OrderingDaemon):
    settle_seconds = 600.0


async def test_orders_without_an_answer_do_not_hold_up_the_next_ones(tmp_path: Path) -> None:
    async with shop(tmp_path, daemon=PatientDaemon, prophet21={"timeout": "2s"}) as here:
        assert here.daemon.settings["orders"].get("concurrent_writes", 1) == 1
        company, other = (int(record["id"]) for record in here.hub.records("company"))
        here.p21.faults.add(Fault(kind="hang", seconds=30, times=1, **WRITES))
        here.p21.faults.add(Fault(kind="hang_after", seconds=30, times=1, **WRITES))
        [unsaved] = here.place(1, company_ids=(company,))
        await here.daemon.until_all(SENDING, [unsaved])
        [renamed, *nexts] = here.place(4, company_ids=(other,))
        await here.until_saved(renamed)
        correct_po(here.p21.database, here.p21.clock.now(), own(here, renamed), "SALES-1")  # it cannot be told by that

        await here.daemon.until_all(LINKED, nexts)

        await here.daemon.until_all(UNKNOWN, [unsaved])
        await here.daemon.until_all(HELD, [renamed])
        async with ControlClient(here.daemon.socket) as client:
            await client.adopt_order(renamed, own(here, renamed, "SALES-1"))
            await client.dismiss_order(unsaved, "the buyer has called it off")
        await here.daemon.until_all(LINKED, [renamed, *nexts])
        await here.daemon.until_all(DISMISSED, [unsaved])
        here.assert_each_once([renamed, *nexts])


def own(here: Shop, id_: str, po_no: str = "") -> str:
    """Return the number of the one P21 order of a hub order, or of the one with a PO number."""
    rows: list[dict[str, Any]] = here.p21.database.rows("oe_hdr", {"po_no": po_no}) if po_no else here.rows_of(id_)
    [row] = rows
    return str(row["order_no"])
