from __future__ import annotations

from datetime import timedelta

from tests.prophet21.orders.conftest import REFERENCE, TAKER
from tests.prophet21.orders.test_look_up import place


async def candidates(p21, *item_ids, taker=TAKER, since=timedelta()):
    found = await p21.orders.candidates(
        customer_id=200003, taker=taker, created_since=await p21.now() - since, item_ids=item_ids or ["VALVE-000012"]
    )
    return [one.order_no for one in found]


async def test_an_order_of_our_taker_that_shares_an_item_is_a_candidate(p21, sandbox):
    place(sandbox, po_no="corrected by sales")
    assert await candidates(p21, "valve-000012 ") == ["1500001"]
    assert await candidates(p21, "BOLT-000003") == []
    assert await candidates(p21, taker="ANN") == []


async def test_an_order_without_any_line_is_a_candidate(p21, sandbox):
    place(sandbox, lines=(), taker=" p21d ")
    assert await candidates(p21, "BOLT-000003") == ["1500001"]


async def test_a_candidate_was_created_since(p21, sandbox):
    hours_ago = sandbox.database.time.text(sandbox.database.time.now() - timedelta(hours=5))
    place(sandbox, date_created=hours_ago)
    assert await candidates(p21) == []
    assert await candidates(p21, since=timedelta(hours=4)) == ["1500001"]


async def test_an_old_order_is_no_candidate(p21, sandbox):
    place(sandbox, date_created="2026-01-02T10:00:00")
    assert await candidates(p21) == []


async def test_an_order_with_the_reference_in_another_case_is_at_least_a_candidate(p21, sandbox):
    place(sandbox, po_no=REFERENCE.lower())
    assert await candidates(p21) == ["1500001"]


async def test_hundreds_of_candidates_are_read_whole(p21, sandbox):
    for number in range(10, 160):
        place(sandbox, number)
    assert len(await candidates(p21)) == 150
