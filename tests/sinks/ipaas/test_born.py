"""A record that came from the hub gets its status and shipped quantities, and nothing else, whatever a PUT replaces."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from p21d.errors import RecordFailed, RecordRefused, Unavailable
from p21d.sandbox.faults import Fault
from p21d.sandbox.hub import OTHER_SYSTEM
from p21d.sinks.port import Acknowledged
from tests.sinks.ipaas.records import ORDERS, line, order

MODES = ["replace", "merge", "delete_absent_children"]


async def deliver_one(sink, delivery):
    answers = []
    await sink.deliver([delivery], answers)
    return answers[0]


@pytest.fixture
async def shop_order(sink, hub):
    """An order of the web shop with everything an order can have, linked to ours as the order writer leaves it."""
    hub.settings.custom_fields = {"transaction": ["PO"]}
    hub.create("shipping_method", name="UPS Ground")
    for sku in ("ABC", "DEF"):
        hub.create("product", sku=sku, name=sku, type="Physical", tracking_method="Product", status="Active")
    hub.create("payment_method", name="Credit Card")
    customer = hub.create("customer", customer_number="1", first_name="A", last_name="B", email_address="a@b.example")
    made = {"type": "Product", "status": "Pending", "qty": 2, "unit_price": 0.1, "options": {"gift_id": "12"}}
    hub.create(
        "transaction",
        system_id=OTHER_SYSTEM,
        transaction_number="WEB-1",
        type="Order",
        status="Pending",
        customer_id=int(customer["id"]),
        total=34.75,
        subtotal=25.1,
        created_datetime="2026-07-20T10:00:00-04:00",
        lines=[
            {**made, "sku": sku, "sequence_number": number, "external_ids": _shop(f"WEB-1|{number}")}
            | ({"address": {"city": "Akron", "customer_id": 7}} if number == 2 else {})
            for number, sku in enumerate(("ABC", "DEF", "ABC"), 1)
        ],
        taxes=[{"authority": "OH", "amount": 1.75, "orginal_amount": 1.75, "tax_percent": 7}],
        addresses=[
            {"type": "Shipping", "city": "Dayton", "shipping_method": "UPS Ground", "is_primary_shipping": True}
        ],
        payments=[{"method": "Credit Card", "amount": 34.75, "status": "Paid", "method_info": {"card_id": "4242"}}],
        tracking=[{"shipping_method": "UPS Ground", "tracking_number": "1Z", "cost": 3.1}],
        notes=[{"sequence_number": 1, "type": "Order", "text": "Dock", "is_public": True}],
        custom_fields=[{"custom_field_name": "PO", "value": "4711"}],
        external_ids=_shop("WEB-1"),
    )
    record = hub.records("transaction")[0]
    await sink.inbox.link(ORDERS, "1001", record["id"])
    for number, item in enumerate(record["lines"][:2], 1):
        await sink.inbox.link(ORDERS, f"1001|{number}", item["id"], member="lines")
    hub.counters.clear()
    return record["id"]


def _shop(external_id):
    return [{"system_id": OTHER_SYSTEM, "external_id": external_id}]


def update(hub_id, status="Complete", shipped=2, **changes):
    """Return what P21 says of the order: its own numbers, prices and texts all differ from the shop's."""
    lines = [
        line(f"1001|{number}", "P21-SKU", hub_id=None, status=status, qty_shipped=shipped, qty=99, unit_price=7)
        for number in (1, 2, 3)
    ]
    body = {
        "transaction_number": "1001",
        "type": "Order",
        "status": status,
        "total": 99,
        "email_address": "x@y.example",
    }
    values = {"born": True, "body": body, "parents": {"company_id": "4411"}, **changes}
    return order("1001", *lines, hub_id=hub_id, **values)


def plain(record):
    """Return a record without what every write moves."""
    if isinstance(record, list):
        return [plain(item) for item in record]
    if not isinstance(record, dict):
        return record
    return {name: plain(value) for name, value in record.items() if name not in {"writes", "updated_datetime"}}


def laid_over(record, status, shipped):
    expected = plain(record) | {"status": status}
    for item in expected["lines"][:2]:
        item.update(status=status, qty_shipped=shipped)
    return expected


def puts(hub):
    return [call for call in hub.requests if call.method == "PUT"]


@pytest.mark.parametrize("links", ["add", "replace"])
@pytest.mark.parametrize("ids", ["text", "numbers", "hex"])
@pytest.mark.parametrize("mode", MODES)
async def test_only_the_named_members_change(sink, hub, shop_order, mode, ids, links):
    hub.settings.put_mode, hub.settings.ids, hub.settings.nested_links = mode, ids, links
    before = hub.records("transaction")[0]

    answer = await deliver_one(sink, update(str(before["id"])))

    assert isinstance(answer, Acknowledged), answer
    assert answer.warning == ""
    assert plain(hub.records("transaction")[0]) == laid_over(before, "Complete", 2)


@pytest.mark.parametrize("odd", ["unknown_members", "null_members", "missing_members"])
@pytest.mark.parametrize("mode", MODES)
async def test_odd_answers_lose_nothing(sink, hub, shop_order, mode, odd):
    hub.settings.put_mode = mode
    before = hub.records("transaction")[0]
    setattr(hub.settings, odd, True)

    await deliver_one(sink, update(shop_order))

    setattr(hub.settings, odd, False)
    assert plain(hub.records("transaction")[0]) == laid_over(before, "Complete", 2)


async def test_amounts_are_sent_back_to_the_digit(sink, hub, shop_order):
    await deliver_one(sink, update(shop_order))

    sent = msgspec.json.Decoder(float_hook=Decimal).decode(puts(hub)[0].body)
    assert (sent["subtotal"], sent["lines"][0]["unit_price"]) == (Decimal("25.1"), Decimal("0.1"))
    assert sent["payments"][0]["method_info"] == {"card_id": "4242"}
    assert sent["lines"][0]["options"] == {"gift_id": "12"}
    assert sent["lines"][0]["id"] == int(hub.records("transaction")[0]["lines"][0]["id"])


async def test_it_is_read_just_before_it_is_written(sink, hub, shop_order):
    await deliver_one(sink, update(shop_order))

    assert [call.method for call in hub.requests] == ["GET", "PUT"]


async def test_without_a_difference_there_is_no_put(sink, hub, shop_order):
    await deliver_one(sink, update(shop_order))
    hub.counters.clear()

    answer = await deliver_one(sink, update(shop_order))

    assert puts(hub) == []
    assert answer.hub_id == shop_order


async def test_the_links_of_record_and_lines_are_acknowledged(sink, hub, shop_order):
    answer = await deliver_one(sink, update(shop_order))

    lines = [item["id"] for item in hub.records("transaction")[0]["lines"]]
    assert [(link.external_id, link.hub_id) for link in answer.links] == [
        ("1001", shop_order),
        ("1001|1", lines[0]),
        ("1001|2", lines[1]),
    ]


async def test_a_line_is_known_by_its_id_where_its_link_was_lost(sink, hub, shop_order):
    third = hub.records("transaction")[0]["lines"][2]
    lines = [line("1001|3", hub_id=third["id"], qty_shipped=2, status="Shipped")]

    await deliver_one(sink, order("1001", *lines, hub_id=shop_order, born=True))

    after = hub.records("transaction")[0]["lines"][2]
    assert (after["qty_shipped"], after["qty"], after["status"]) == (2, 2, "Shipped")
    assert [link["external_id"] for link in after["external_ids"] if link["system_id"] == 5120] == ["1001|3"]


async def test_what_the_shop_adds_in_between_stays(sink, hub, shop_order):
    await deliver_one(sink, update(shop_order, status="Backorder", shipped=1))
    hub.create("note", parent_id=int(shop_order), text="call first", sequence_number=2)

    await deliver_one(sink, update(shop_order))

    assert [note["text"] for note in hub.records("transaction")[0]["notes"]] == ["Dock", "call first"]


@pytest.mark.parametrize("mode", MODES)
async def test_an_order_cancelled_in_p21_is_cancelled_not_deleted(sink, hub, shop_order, mode):
    hub.settings.put_mode = mode

    await deliver_one(sink, order("1001", hub_id=shop_order, born=True, active=False, body={}, children={}))

    record = hub.records("transaction")[0]
    assert (record["active"], record["status"], record["transaction_number"]) == (True, "Cancelled", "WEB-1")


async def test_a_record_that_is_gone_is_never_made_anew(sink, hub, shop_order):
    answer = await deliver_one(sink, update("999999"))

    assert isinstance(answer, RecordRefused)
    assert answer.code == "gone-in-hub"
    assert len(hub.records("transaction")) == 1


async def test_a_record_without_a_link_is_never_made_anew(sink, hub):
    answer = await deliver_one(sink, update(None))

    assert answer.code == "gone-in-hub"
    assert hub.records("transaction") == []


async def test_a_record_is_found_by_its_link_where_its_id_is_not_known(sink, hub, shop_order):
    answer = await deliver_one(sink, update(None))

    assert answer.hub_id == shop_order
    assert hub.records("transaction")[0]["status"] == "Complete"


async def test_a_bare_404_is_an_outage(sink, hub, shop_order):
    hub.faults.add(Fault(kind="status", status=404))

    with pytest.raises(Unavailable):
        await deliver_one(sink, update(shop_order))


async def test_a_child_that_goes_in_between_is_tried_again_later(sink, hub, shop_order):
    body = '{"code": "NFND-1005", "message": "Line 620001 does not exist in this record"}'
    hub.faults.add(Fault(kind="status", status=404, body=body, method="PUT", times=1))

    answer = await deliver_one(sink, update(shop_order))

    assert isinstance(answer, RecordFailed)
    assert isinstance(await deliver_one(sink, update(shop_order)), Acknowledged)


@pytest.mark.parametrize("mode", MODES)
async def test_a_lost_answer_is_made_good_by_the_next_attempt(sink, hub, shop_order, mode):
    hub.settings.put_mode = mode
    before = hub.records("transaction")[0]
    hub.faults.add(Fault(kind="drop_after", method="PUT", times=2))  # aiohttp repeats a PUT by itself
    with pytest.raises(Unavailable):
        await deliver_one(sink, update(shop_order))
    hub.counters.clear()

    answer = await deliver_one(sink, update(shop_order))

    assert isinstance(answer, Acknowledged)
    assert plain(hub.records("transaction")[0]) == laid_over(before, "Complete", 2)
    assert puts(hub) == []


async def test_a_renamed_order_keeps_its_record(sink, hub, shop_order):
    lines = [line("so1001|1", hub_id=hub.records("transaction")[0]["lines"][0]["id"], qty_shipped=1)]

    await deliver_one(sink, order("so1001", *lines, hub_id=shop_order, born=True, renamed_from="1001"))

    assert await sink.find(ORDERS, "so1001") == shop_order
    assert hub.records("transaction")[0]["transaction_number"] == "WEB-1"
