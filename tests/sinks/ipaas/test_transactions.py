"""Transactions: orders and invoices share a table and are never mixed up; their lines; what is missing is told."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from p21d.errors import ParentMissing, RecordRefused
from p21d.sandbox.faults import Fault
from p21d.sandbox.hub import OTHER_SYSTEM
from p21d.sinks.port import Acknowledged, LinkedChild
from tests.sinks.ipaas.records import ORDERS, line, order

INVOICES = dataclasses.replace(ORDERS, types=("Invoice",), inactive={}, born=(), born_children={})
MODES = ["replace", "merge", "delete_absent_children"]


async def deliver_one(sink, delivery):
    answers = []
    await sink.deliver([delivery], answers)
    return answers[0]


@pytest.fixture(autouse=True)
def products(hub):
    for sku in ("ABC", "DEF"):
        hub.create("product", sku=sku, name=sku, type="Physical", tracking_method="Product", status="Active")


def invoice(external_id="1001", *lines, **changes):
    body = {"transaction_number": external_id, "type": "Invoice", "status": "Complete", "total": 25}
    return replace(order(external_id, *lines), entity="invoice", route=INVOICES, **{"body": body, **changes})


def types(hub):
    return [record["type"] for record in hub.records("transaction")]


async def test_an_order_is_owned_by_our_subscription(sink, hub):
    await deliver_one(sink, order("1001", line("1001|1")))

    record = hub.records("transaction")[0]
    assert (record["system_id"], record["lines"][0]["sku"]) == (5120, "ABC")


async def test_lines_and_addresses_have_links_of_their_own(sink, hub):
    answer = await deliver_one(sink, order("1001", line("1001|1"), line("1001|2", "DEF")))

    tables = [(link.table, link.external_id) for link in answer.links]
    assert tables == [("transaction", "1001"), ("Transaction Line", "1001|1"), ("Transaction Line", "1001|2")]


@pytest.mark.parametrize("within_type", [True, False])
async def test_an_invoice_never_takes_the_order_of_its_number(make_sink, hub, within_type):
    hub.settings.unique_within = {"transaction": ["type"]} if within_type else {}
    await deliver_one(make_sink(), order())

    answer = await deliver_one(make_sink(), invoice())

    assert isinstance(answer, RecordRefused)
    assert answer.code == "other-type"
    assert "type Order; invoice 1001 is of type Invoice" in answer.message
    assert "entities.invoice.external_id" in answer.hint
    assert types(hub) == ["Order"]


@pytest.mark.parametrize("match_first", [True, False])
@pytest.mark.parametrize("names_holder", [True, False])
async def test_a_number_in_use_by_the_other_type_is_refused_not_taken(make_sink, hub, match_first, names_holder):
    hub.settings.names_holder = names_holder
    await deliver_one(make_sink(), order())

    answer = await deliver_one(make_sink(match_first=match_first), prefixed())

    assert isinstance(answer, RecordRefused)
    assert types(hub) == ["Order"]
    assert hub.records("transaction")[0]["external_ids"][0]["external_id"] == "1001"


def prefixed():
    """An invoice whose external id has a prefix, and whose number is an order's."""
    return replace(invoice(), external_id="inv-1001")


async def test_with_a_prefix_both_stand_side_by_side_where_the_hub_lets_them(sink, hub):
    hub.settings.unique_within = {"transaction": ["type"]}
    await deliver_one(sink, order())

    answer = await deliver_one(sink, prefixed())

    assert isinstance(answer, Acknowledged)
    assert types(hub) == ["Order", "Invoice"]


@pytest.mark.parametrize("match_first", [True, False])
async def test_an_order_of_the_number_is_taken_over_past_an_invoice_of_it(make_sink, hub, match_first):
    hub.settings.check_unique = False
    sink = make_sink(match_first=match_first)
    hub.create("transaction", system_id=5120, transaction_number="1001", type="Invoice", status="Complete")
    theirs = hub.create("transaction", system_id=5120, transaction_number="1001", type="Order", status="Pending")

    answer = await deliver_one(sink, order())

    assert (answer.hub_id == theirs["id"]) is match_first
    assert hub.records("transaction")[0]["type"] == "Invoice"


async def test_cancelling_an_order_leaves_the_invoice_of_its_number_alone(make_sink, hub):
    await deliver_one(make_sink(), invoice())

    answer = await deliver_one(make_sink(), order(active=False))

    assert answer.code == "other-type"
    assert hub.records("transaction")[0]["status"] == "Complete"


@pytest.mark.parametrize("route", [ORDERS, dataclasses.replace(ORDERS, types=())])
async def test_a_deleted_order_of_which_nothing_is_known_leaves_an_invoice_alone(make_sink, hub, route):
    await deliver_one(make_sink(), invoice())

    await deliver_one(make_sink(), gone(route))

    record = hub.records("transaction")[0]
    assert (record["active"], record["type"], record["status"]) == (True, "Invoice", "Complete")


def gone(route):
    return replace(order(active=False, body={}, children={}), route=route)


async def test_a_known_order_is_cancelled_by_its_status(sink, hub):
    hub_id = (await deliver_one(sink, order("1001", line("1001|1")))).hub_id

    answer = await deliver_one(sink, order("1001", line("1001|1"), hub_id=hub_id, active=False))

    assert isinstance(answer, Acknowledged)

    record = hub.records("transaction")[0]
    assert (record["active"], record["status"]) == (True, "Cancelled")


@pytest.mark.parametrize("mode", MODES)
async def test_a_line_that_p21_has_no_more_is_cancelled_or_gone(sink, hub, mode):
    hub.settings.put_mode = mode
    done = await deliver_one(sink, order("1001", line("1001|1"), line("1001|2", "DEF")))
    ids = {link.external_id: link.hub_id for link in done.links}
    left = {"lines": [LinkedChild("1001|2", ids["1001|2"])]}

    answer = await deliver_one(
        sink, order("1001", line("1001|1", hub_id=ids["1001|1"]), hub_id=done.hub_id, left_behind=left)
    )

    lines = {item["id"]: item for item in hub.records("transaction")[0]["lines"]}
    assert (lines[ids["1001|1"]]["qty"], lines[ids["1001|1"]]["status"]) == (2, "Pending")
    if mode == "delete_absent_children":
        assert list(lines) == [ids["1001|1"]]
        assert answer.left_behind == ()
    else:
        other = lines[ids["1001|2"]]
        assert (other["qty"], other["status"], other["sku"]) == (0, "Cancelled", "DEF")
        assert [link.external_id for link in answer.left_behind] == ["1001|2"]


@pytest.mark.parametrize("mode", MODES)
async def test_a_line_that_comes_back_is_itself_again(sink, hub, mode):
    hub.settings.put_mode = mode
    done = await deliver_one(sink, order("1001", line("1001|1"), line("1001|2", "DEF")))
    ids = {link.external_id: link.hub_id for link in done.links}
    left = {"lines": [LinkedChild("1001|2", ids["1001|2"])]}
    first = line("1001|1", hub_id=ids["1001|1"])
    gone = await deliver_one(sink, order("1001", first, hub_id=done.hub_id, left_behind=left))
    known = next((link.hub_id for link in gone.left_behind), None)

    await deliver_one(sink, order("1001", first, line("1001|2", "DEF", hub_id=known), hub_id=done.hub_id))

    lines = hub.records("transaction")[0]["lines"]
    assert [(item["sku"], item["qty"], item["status"]) for item in lines] == [
        ("ABC", 2, "Pending"),
        ("DEF", 2, "Pending"),
    ]


@pytest.mark.parametrize("known", [True, False])
async def test_an_unknown_sku_waits_for_its_product(sink, hub, known):
    hub_id = (await deliver_one(sink, order())).hub_id if known else None

    answer = await deliver_one(sink, order("1001", line("1001|1", "NEW"), hub_id=hub_id))

    assert isinstance(answer, ParentMissing)
    assert "NEW" in answer.message


async def test_an_unknown_company_waits_for_it(sink):
    assert isinstance(await deliver_one(sink, order(parents={"company_id": "999"})), ParentMissing)


@pytest.mark.parametrize(
    "words",
    [
        "Sku 'NEW' does not exist",
        "Product NEW was not found",
        "The company 999 doesn't exist",
        "Unknown: sku NEW unknown",
    ],
)
async def test_words_that_name_a_missing_parent_are_understood_under_another_code(sink, hub, words):
    body = f'{{"code": "VALD-1036", "message": "{words}"}}'
    hub.faults.add(Fault(kind="status", status=400, method="POST", path="*/Transaction", body=body))

    assert isinstance(await deliver_one(sink, order()), ParentMissing)


async def test_a_wrong_value_waits_for_nothing(sink, hub):
    answer = await deliver_one(sink, replace(order(), body={**order().body, "status": "Odd"}))

    assert type(answer) is RecordRefused


@pytest.mark.parametrize("style", ["body", "reason", "reason_code", "both", "problem", "text"])
async def test_an_unknown_shipping_method_of_an_address_is_named(sink, hub, style):
    hub.create("shipping_method", name="Ups Ground")
    hub.settings.error_style = style
    address = {"type": "Shipping", "city": "Dayton", "shipping_method": "UPS Ground"}
    child = replace(line("1001|ship"), body=address)

    answer = await deliver_one(sink, order(children={"lines": (), "addresses": (child,)}))

    assert isinstance(answer, RecordRefused)
    assert answer.code == "unknown-shipping-method"
    assert "'UPS Ground'" in answer.hint
    assert "case" in answer.hint


async def test_a_company_may_be_kept_as_a_custom_field(make_sink, hub):
    hub.settings.custom_fields = {"transaction": ["Firm"]}
    sink = make_sink(members={"transaction": {"company_id": "custom_fields.Firm"}})

    await deliver_one(sink, order(parents={"company_id": "4411"}))

    record = hub.records("transaction")[0]
    assert record["company_id"] is None
    assert (await sink.inbox.order(ORDERS, record["id"])).company_id == "4411"


def of_the_shop(hub, **members):
    values = {"system_id": OTHER_SYSTEM, "type": "Order", "status": "Pending", "total": 5, **members}
    return hub.create("transaction", lines=[{"type": "Product", "status": "Pending", "sku": "DEF", "qty": 9}], **values)


@pytest.mark.parametrize("mode", MODES)
async def test_an_order_of_the_shop_linked_by_the_vendor_is_never_written_over(sink, hub, mode):
    hub.settings.put_mode = mode
    theirs = of_the_shop(hub, transaction_number="WEB-1", external_ids=[{"system_id": 5120, "external_id": "1001"}])
    wanted = order("1001", line("1001|1"))

    answer = await deliver_one(sink, replace(wanted, body={**wanted.body, "status": "Complete"}))

    record = hub.records("transaction")[0]
    assert (answer.hub_id, answer.born) == (theirs["id"], True)
    assert (record["status"], record["transaction_number"], record["total"]) == ("Complete", "WEB-1", 5)
    assert (record["system_id"], len(record["lines"])) == (OTHER_SYSTEM, 1)


@pytest.mark.parametrize("match_first", [True, False])
async def test_an_order_of_the_shop_with_our_number_is_not_taken_over(make_sink, hub, match_first):
    of_the_shop(hub, transaction_number="1001")

    answer = await deliver_one(make_sink(match_first=match_first), order("1001", line("1001|1")))

    assert isinstance(answer, RecordRefused)
    assert "another system's own" in str(answer)
    assert [(record["total"], len(record["lines"])) for record in hub.records("transaction")] == [(5, 1)]


async def test_our_own_order_is_written_whole_where_only_the_hub_knows_its_link(make_sink, hub):
    first = await deliver_one(make_sink(), order("1001", line("1001|1")))

    answer = await deliver_one(make_sink(), order("1001", line("1001|1", qty=3)))

    assert (answer.hub_id, answer.born) == (first.hub_id, False)
    assert [item["qty"] for item in hub.records("transaction")[0]["lines"]] == [3]
