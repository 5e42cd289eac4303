"""A hub order that is edited, cancelled or sent again while it is on its way: one P21 order, or none."""

from __future__ import annotations

from pathlib import Path

from p21d.control.order_answers import OrderAnswer
from p21d.engine.orders.ledger import CREATED, DISMISSED, PREPARED, SENDING, UNKNOWN
from p21d.sandbox.faults import Fault
from tests.faults.ordering import BUSY, FREE, LINKED, WRITES, Shop, shop
from tests.faults.world import until

LOCKED = "The customer is being edited by JSMITH"
LOOK_UPS = {"path": "*/oe_hdr", "kind": "status", "status": 503}
EDITED_QTY = 77.0


async def put_off(here: Shop, ids: list[str], attempts: int) -> list[OrderAnswer]:
    """Return the orders once P21 has turned each away so many times."""

    async def turned_away() -> list[OrderAnswer]:
        orders = [order for order in await here.daemon.orders() if order.id in ids]
        tried = [order for order in orders if order.state == PREPARED and order.attempts >= attempts]
        return tried if len(tried) == len(ids) else []

    found: list[OrderAnswer] = await until(turned_away, f"{attempts} attempts of {ids}")
    return found


async def test_a_busy_p21_is_waited_out_and_gets_each_order_as_the_hub_has_it_then(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        here.p21.settings.update(BUSY)
        ids = edited, cancelled, kept = here.place(3)
        waiting = await put_off(here, ids, 1)
        assert all(o.due_at and o.attempt_ended_at and o.due_at > o.attempt_ended_at for o in waiting)
        assert all("session" in order.reason for order in waiting)

        here.edit_line(edited, qty=EDITED_QTY)
        here.edit(cancelled, status="Cancelled")
        await here.daemon.sync_orders(*ids)
        await here.daemon.until_all(DISMISSED, [cancelled])
        await put_off(here, [edited, kept], 2)
        here.p21.settings.update(FREE)
        await here.daemon.sync_orders(*ids)
        await here.daemon.until_all(LINKED, [edited, kept])
        await here.daemon.until_all(DISMISSED, [cancelled])

        again = await here.daemon.sync_orders(*ids)
        assert set(again.left_alone) == {edited, kept}
        await here.daemon.until_all(DISMISSED, [cancelled])
        assert EDITED_QTY in here.quantities(edited)
        assert (await here.daemon.order(edited)).differences == []
        assert here.rows_of(cancelled) == []
        here.assert_each_once([edited, kept])


async def test_a_record_lock_is_waited_out_without_giving_up_the_order(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        here.p21.faults.add(Fault(kind="refuse_order", body=LOCKED, times=2))
        here.p21.faults.add(Fault(kind="lock_order"))
        [id_] = here.place(1)
        for attempt in (1, 2):
            [order] = await put_off(here, [id_], attempt)
            assert LOCKED in order.reason
            assert "open" in order.hint
            await here.daemon.sync_orders(id_)
        await here.daemon.until_all(LINKED, [id_])

        moves = [step for step in await here.daemon.steps(id_) if SENDING in step]
        assert moves == [(PREPARED, SENDING), (SENDING, PREPARED)] * 2 + [(PREPARED, SENDING), (SENDING, CREATED)]
        [row] = here.rows_of(id_)
        assert row["completed"] == "T", "in an editor again, and linked all the same"
        here.assert_each_once([id_])


async def test_an_order_that_changes_after_its_answer_was_lost_is_one_order_that_differs(tmp_path: Path) -> None:
    async with shop(tmp_path, orders={"concurrent_writes": 4}) as here:
        daemon = here.daemon
        here.p21.faults.add(Fault(kind="hang_after", seconds=30, times=2, **WRITES))
        saved = edited, cancelled = here.place(2)
        await here.until_saved(*saved)
        here.p21.faults.add(Fault(kind="drop_before", **WRITES))
        unsaved = edited_unsaved, cancelled_unsaved = here.place(2)
        await daemon.sync_orders()
        assert await daemon.states(saved) == [SENDING, SENDING]
        await daemon.sync_orders(*saved, *unsaved)
        await daemon.until_all(UNKNOWN, unsaved)
        here.p21.faults.add(Fault(**LOOK_UPS))
        await here.restart_p21()
        await daemon.until_all(UNKNOWN, saved)

        here.edit_line(edited, qty=EDITED_QTY)
        here.edit_line(edited_unsaved, qty=EDITED_QTY)
        here.edit(cancelled, status="Cancelled")
        here.edit(cancelled_unsaved, status="Cancelled")
        for _ in range(3):
            refused = await daemon.sync_orders(*saved, *unsaved)
            assert refused.prepared == []
        link_calls = here.hub.faults.add(Fault(kind="status", status=503, path="*/External/UpdateExternalId"))
        here.p21.faults.clear()
        await daemon.sync_orders()
        await until(lambda: linking_tried(here, link_calls), "a link refused for now")
        assert CREATED in await daemon.states(saved)
        await daemon.sync_orders(*saved, *unsaved)
        here.hub.faults.clear()
        await daemon.sync_orders()
        await daemon.until_all(LINKED, [*saved, edited_unsaved])
        await daemon.until_all(DISMISSED, [cancelled_unsaved])
        await daemon.sync_orders(*saved, *unsaved)
        await daemon.until_all(DISMISSED, [cancelled_unsaved])

        assert "edited in the hub after it was sent" in "".join((await daemon.order(edited)).differences)
        assert "cancelled in the hub after it was sent" in "".join((await daemon.order(cancelled)).differences)
        assert (await daemon.order(edited_unsaved)).differences == []
        assert EDITED_QTY not in here.quantities(edited)
        assert EDITED_QTY in here.quantities(edited_unsaved)
        await daemon.until_shown()
        here.assert_each_once([*saved, edited_unsaved])


async def linking_tried(here: Shop, fault_id: int) -> bool:
    return here.hub.faults.fired(fault_id) > 0
