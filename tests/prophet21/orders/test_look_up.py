from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from p21d.errors import ConfigError, PageError, Unavailable
from p21d.sandbox.faults import Fault
from tests.prophet21.conftest import connected
from tests.prophet21.orders.conftest import REFERENCE, TAKER

HEADER = {
    "order_no": "1500001",
    "oe_hdr_uid": 900_001,
    "company_id": "01",
    "customer_id": 200003,
    "address_id": 6000005,
    "contact_id": "5003            ",
    "order_date": "2026-11-02T00:00:00",
    "requested_date": "2026-11-04T00:00:00",
    "po_no": REFERENCE,
    "taker": TAKER,
    "location_id": 30,
    "source_location_id": 20,
    "carrier_id": 100001,
    "completed": "N",
    "cancel_flag": "N",
    "delete_flag": "N",
    "rma_flag": "N",
    "projected_order": "N",
}
LINE = {
    "order_no": "1500001",
    "line_no": 1,
    "oe_line_uid": 9_900_001,
    "inv_mast_uid": 12,
    "user_line_no": "010",
    "unit_quantity": "4.000000000",
    "unit_of_measure": "EA",
    "unit_price": "12.500000000",
    "cancel_flag": "N",
    "delete_flag": "N",
}


def place(sandbox, number=1, *, lines=(LINE,), **columns):
    """Put an order into P21, stamped now."""
    stamp = sandbox.database.time.text(sandbox.database.time.now())
    order_no = f"150000{number}"
    header = {**HEADER, "order_no": order_no, "oe_hdr_uid": 900_000 + number, "date_created": stamp, **columns}
    sandbox.database.insert("oe_hdr", **header)
    for offset, one in enumerate(lines):
        sandbox.database.insert(
            "oe_line", **{**one, "order_no": order_no, "oe_line_uid": 9_900_000 + 10 * number + offset}
        )
    return order_no


async def by_reference(p21, text=REFERENCE, *, field="po_no", customer_id=200003, since=timedelta()):
    found = await p21.orders.by_reference(
        field=field, text=text, customer_id=customer_id, created_since=await p21.now() - since
    )
    return [one.order_no for one in found]


async def test_an_order_is_found_by_its_reference_and_read_whole(p21, sandbox):
    place(sandbox, lines=[{**LINE, "line_no": 2, "user_line_no": "020"}, LINE])
    (found,) = await p21.orders.by_reference(
        field="po_no", text=REFERENCE, customer_id=200003, created_since=await p21.now()
    )
    assert (found.order_no, found.company_id, found.customer_id, found.ship_to_id) == ("1500001", "01", 200003, 6000005)
    assert (found.po_no, found.reference_text, found.taker, found.state) == (REFERENCE, REFERENCE, TAKER, "N")
    assert (str(found.order_date), str(found.requested_date)) == ("2026-11-02", "2026-11-04")
    assert (found.contact_id, found.sales_location_id, found.source_location_id) == ("5003", 30, 20)
    assert (found.carrier, found.cancelled, found.deleted) == ("UPS Ground", False, False)
    assert [(one.line_no, one.user_line_no, one.item_id) for one in found.lines] == [
        (1, "010", "VALVE-000012"),
        (2, "020", "VALVE-000012"),
    ]
    assert (found.lines[0].unit_quantity, found.lines[0].unit_price) == (Decimal(4), Decimal("12.5"))
    assert found.created_at is not None
    assert abs(found.created_at - await p21.now()) < timedelta(minutes=1)


@pytest.mark.parametrize("stored", ["4711 H-880", "14711 H-88", "4711", "4711 h-88", ""])
async def test_a_reference_is_compared_whole_and_with_its_case(p21, sandbox, stored):
    place(sandbox, po_no=stored)
    assert await by_reference(p21) == []


@pytest.mark.parametrize("text", ["O'Brien #7 A&B", "a+b/c 100%", "4711 H-88  "])
async def test_a_reference_of_odd_characters_is_found(p21, sandbox, text):
    place(sandbox, po_no=text)
    assert await by_reference(p21, text) == ["1500001"]


async def test_blanks_p21_pads_with_do_not_hide_an_order(p21, sandbox):
    place(sandbox, po_no=REFERENCE.ljust(50))
    assert await by_reference(p21) == ["1500001"]


async def test_another_customers_order_is_not_ours(p21, sandbox):
    place(sandbox, customer_id=200001)
    assert await by_reference(p21) == []


@pytest.mark.parametrize(
    "columns", [{"delete_flag": "Y"}, {"cancel_flag": "Y"}, {"completed": "T"}, {"projected_order": "Y"}]
)
async def test_whatever_became_of_it_an_order_is_found(p21, sandbox, columns):
    place(sandbox, **columns)
    assert await by_reference(p21) == ["1500001"]


async def test_deleted_and_cancelled_are_told_apart(p21, sandbox):
    place(sandbox, delete_flag="Y")
    place(sandbox, 2, cancel_flag="Y")
    deleted, cancelled = await p21.orders.read("1500001"), await p21.orders.read("1500002")
    assert deleted
    assert cancelled
    assert (deleted.deleted, deleted.cancelled) == (True, False)
    assert (cancelled.deleted, cancelled.cancelled) == (False, True)


async def test_an_rma_takes_the_reference_over_and_is_not_the_order(p21, sandbox):
    place(sandbox)
    place(sandbox, 2, rma_flag="Y")
    assert await by_reference(p21) == ["1500001"]


async def test_two_orders_of_one_reference_are_both_found(p21, sandbox):
    place(sandbox)
    place(sandbox, 2)
    assert await by_reference(p21) == ["1500001", "1500002"]


async def test_po_no_append_changes_nothing(p21, sandbox):
    place(sandbox, po_no_append="-1")
    assert await by_reference(p21) == ["1500001"]


async def test_a_reference_of_years_ago_is_another_order(p21, sandbox):
    place(sandbox, date_created="2024-01-02T10:00:00")
    assert await by_reference(p21) == []


@pytest.mark.parametrize("literal_zone", ["converted", "dropped"])
@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("skew", [-86_000.0, 0.0, 86_000.0])
async def test_no_zone_and_no_clock_hides_an_order(sandbox, clock, literal_zone, zone, skew):
    sandbox.settings.zone = zone
    sandbox.settings.literal_zone = literal_zone
    sandbox.settings.clock_skew_seconds = skew
    place(sandbox)
    clock.advance((sandbox.clock.now() - clock.now()).total_seconds())  # the box's clock is right
    async with sandbox.serve() as url, connected(url, clock) as p21:
        await p21.now()
        since = clock.now()
        found = await p21.orders.by_reference(field="po_no", text=REFERENCE, customer_id=200003, created_since=since)
        near = await p21.orders.candidates(
            customer_id=200003, taker=TAKER, created_since=since, item_ids=["VALVE-000012"]
        )
    assert [one.order_no for one in found] == ["1500001"]
    assert [one.order_no for one in near] == ["1500001"]


async def test_job_name_carries_a_reference_too(p21, sandbox):
    place(sandbox, po_no="PO 7", job_name="H-88")
    (found,) = await p21.orders.by_reference(
        field="job_name", text="H-88", customer_id=200003, created_since=await p21.now()
    )
    assert (found.reference_text, found.po_no, found.job_name) == ("H-88", "PO 7", "H-88")


async def test_another_column_of_oe_hdr_carries_it_as_well(p21, sandbox):
    place(sandbox, source_id="H-88")
    place(sandbox, 2, source_id="H-88", customer_id=200001)
    assert await by_reference(p21, "H-88", field="source_id") == ["1500001"]
    found = await p21.orders.read("1500001", field="source_id")
    assert found
    assert found.reference_text == "H-88"


async def test_a_column_p21_does_not_have_is_a_matter_of_the_configuration(p21):
    with pytest.raises(ConfigError, match="reference_field"):
        await by_reference(p21, field="hub_ref")


async def test_a_field_is_never_put_into_a_query_unless_it_is_a_name(p21):
    with pytest.raises(ConfigError, match="no name of a column"):
        await by_reference(p21, field="po_no eq 'x' or po_no")


async def test_an_order_is_read_by_its_number(p21, sandbox):
    place(sandbox)
    found = await p21.orders.read(" 1500001 ")
    assert found
    assert found.po_no == REFERENCE


async def test_an_order_that_is_not_there_is_none(p21):
    assert await p21.orders.read("1599999") is None
    assert await p21.orders.read("") is None


async def test_a_cancelled_or_deleted_line_says_so(p21, sandbox):
    place(
        sandbox,
        lines=[{**LINE, "cancel_flag": "Y"}, {**LINE, "line_no": 2, "delete_flag": "Y"}, {**LINE, "line_no": 3}],
    )
    found = await p21.orders.read("1500001")
    assert found
    assert [one.cancelled for one in found.lines] == [True, True, False]


async def test_the_parts_of_an_assembly_are_told(p21, sandbox):
    place(sandbox, lines=[LINE, {**LINE, "line_no": 2, "parent_oe_line_uid": 9_900_010}])
    found = await p21.orders.read("1500001")
    assert found
    assert [one.component for one in found.lines] == [False, True]


async def test_an_unreadable_row_is_never_absence(p21, sandbox):
    rows = '{"value":[{"oe_hdr_uid":1,"order_no":null,"customer_id":200003,"po_no":"4711 H-88"}]}'
    sandbox.faults.add(Fault(kind="status", status=200, path="*/table/oe_hdr", body=rows, times=1))
    with pytest.raises(PageError, match="cannot be read"):
        await by_reference(p21)


@pytest.mark.parametrize(
    "body", ["", "<html></html>", '{"value":[{"oe_hdr_uid":1,"customer_id":1,"po_no":"x"}]}', "{}"]
)
async def test_an_odd_answer_is_never_absence(p21, sandbox, body):
    sandbox.faults.add(Fault(kind="status", status=200, path="*/table/oe_hdr", body=body))
    with pytest.raises(Unavailable):
        await by_reference(p21)


@pytest.mark.parametrize("kind", ["drop_before", "empty", "bad_json", "truncate", "html"])
async def test_an_outage_is_never_absence(p21, sandbox, kind):
    sandbox.faults.add(Fault(kind=kind, path="*/table/oe_hdr"))
    with pytest.raises(Unavailable):
        await by_reference(p21)
