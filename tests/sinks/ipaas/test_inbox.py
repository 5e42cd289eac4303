"""The inbox over a real hub: what is listed, what is read, what is linked."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from p21d.errors import Forbidden, RecordRefused, Unavailable
from p21d.sandbox.faults import Fault
from p21d.sandbox.hub import OTHER_SYSTEM
from p21d.secret import Secret
from p21d.sinks.ipaas import IpaasOptions
from p21d.sinks.ipaas.sink import IpaasSink
from tests.sinks.ipaas.records import TRANSACTION

MISSING = re.compile(r"https://hub\.example/transactions/v2/External/Missing/5120/transaction\?.*")


async def listed(sink):
    return [list(page) async for page in sink.inbox.unlinked(TRANSACTION)]


@pytest.fixture
async def odd_sink(clock):
    options = IpaasOptions(base_url="https://hub.example", system_id=5120, api_key=Secret("key"))
    made = IpaasSink(options, clock)
    yield made
    await made.aclose()


@pytest.mark.parametrize("form", ["text", "numbers", "objects", "internal_ids"])
@pytest.mark.parametrize("paging", ["header", "none", "wrong_totals", "size_ignored", "page_repeated"])
async def test_each_unlinked_record_is_listed_once_in_any_form_and_paging(sink, hub, form, paging):
    ids = hub.seed_orders(7)
    hub.settings.missing_answer, hub.settings.paging = form, paging
    hub.settings.page_rows = 10 if paging == "page_repeated" else 3

    pages = await listed(sink)

    assert [hub_id for page in pages for hub_id in page] == [str(hub_id) for hub_id in ids]


async def test_a_server_that_repeats_its_page_is_asked_twice_and_no_more(sink, hub):
    hub.seed_orders(5)
    hub.settings.paging, hub.settings.page_rows = "page_repeated", 2

    assert [len(page) for page in await listed(sink)] == [2]
    assert len(hub.requests) == 2


async def test_an_empty_list_is_no_page(sink):
    assert await listed(sink) == []


async def test_ids_of_24_digits_are_listed_and_read(sink, hub):
    hub.seed_orders(1)
    hub.settings.ids = "hex"

    ((hub_id,),) = await listed(sink)

    assert len(hub_id) == 24
    assert (await sink.inbox.order(TRANSACTION, hub_id)).id == hub_id


async def test_a_linked_record_is_not_listed(sink, hub):
    first, second = hub.seed_orders(2)

    await sink.inbox.link(TRANSACTION, "1001", str(first))

    assert await listed(sink) == [[str(second)]]


async def test_a_listed_record_that_is_gone_is_none(sink, hub):
    hub.seed_orders(1)
    hub.settings.missing_ghost = True

    ((_, ghost),) = await listed(sink)

    assert await sink.inbox.order(TRANSACTION, ghost) is None


async def test_a_record_that_somebody_linked_meanwhile_is_told_by_its_link(sink, hub):
    hub.seed_orders(1)
    hub.settings.missing_taken_next = 1

    ((hub_id,),) = await listed(sink)

    assert await sink.inbox.external_id(TRANSACTION, hub_id) == f"taken-{hub_id}"
    assert (await sink.inbox.order(TRANSACTION, hub_id)).our_external_id == f"taken-{hub_id}"


async def test_the_table_of_the_configuration_is_asked(make_sink, hub):
    hub.seed_orders(1)
    hub.settings.unknown_tables = ["transaction"]

    with pytest.raises(Unavailable) as refused:
        await listed(make_sink())

    assert "sink.tables.transaction" in refused.value.hint


@pytest.mark.parametrize("body", ['{"items": [1]}', '"149049"', "12", "rubbish", "[null, {}]", "[[1]]", "[true]"])
async def test_a_list_without_ids_is_an_outage_not_an_empty_inbox(odd_sink, answers, body):
    answers.answer("GET", MISSING, body=body)

    with pytest.raises(Unavailable, match="holds no ids"):
        await listed(odd_sink)


@pytest.mark.parametrize(("body", "status"), [("", 200), ("", 204), ("[]", 200)])
async def test_nothing_is_an_empty_inbox(odd_sink, answers, body, status):
    answers.answer("GET", MISSING, body=body, status=status)

    assert await listed(odd_sink) == []


@pytest.mark.parametrize("header", ["rubbish", "[]", '{"CURRENT_PAGE": 1, "Total_Pages": 1}', '{"current_page": "1"}'])
async def test_an_odd_pagination_header_neither_loops_nor_stops_short(odd_sink, answers, header):
    answers.answer("GET", MISSING, body="[1, 2]", headers={"X-Pagination": header})
    answers.answer("GET", MISSING, body="[2, 1]", headers={"X-Pagination": header})

    assert await listed(odd_sink) == [["1", "2"]]


async def test_a_refused_permission_is_told_with_its_name(sink, hub):
    hub.settings.denied = ["GET external"]

    with pytest.raises(Forbidden, match="Transaction: View"):
        await listed(sink)


@pytest.mark.parametrize("odd", ["unknown_members", "null_members", "missing_members"])
async def test_an_order_is_read_whatever_the_answer_leaves_out(sink, hub, odd):
    (hub_id,) = hub.seed_orders(1, types=("Order",), statuses=("Pending",))
    setattr(hub.settings, odd, True)

    order = await sink.inbox.order(TRANSACTION, str(hub_id))

    record = hub.records("transaction")[0]
    assert (order.id, order.number, order.status) == (str(hub_id), record["transaction_number"], "Pending")
    assert (order.system_id, order.customer_id) == (OTHER_SYSTEM, str(record["customer_id"]))
    assert [line.id for line in order.lines] == [line["id"] for line in record["lines"]]
    assert [str(line.unit_price) for line in order.lines] == [str(line["unit_price"]) for line in record["lines"]]
    assert order.total == Decimal(str(record["total"]))
    assert order.shipping.city == "Dayton"
    assert order.notes == ("Leave at the dock",)
    assert order.created_at.utcoffset() is not None


async def test_the_company_stands_where_the_configuration_says(make_sink, hub):
    company = hub.create("company", name="Acme")
    hub.settings.custom_fields = {"transaction": ["Firm"]}
    fields = [{"custom_field_name": "Firm", "value": str(company["id"])}]
    made = hub.create("transaction", system_id=OTHER_SYSTEM, type="Order", status="Pending", custom_fields=fields)
    sink = make_sink(members={"transaction": {"company_id": "custom_fields.Firm"}})

    assert (await sink.inbox.order(TRANSACTION, made["id"])).company_id == company["id"]


async def test_a_bare_404_is_an_outage_until_another_record_is_found(sink, hub):
    first, second = (str(hub_id) for hub_id in hub.seed_orders(2))
    hub.faults.add(Fault(kind="status", status=404, path=f"*/Transaction/{first}"))

    with pytest.raises(Unavailable):
        await sink.inbox.order(TRANSACTION, first)
    assert await sink.inbox.order(TRANSACTION, second) is not None
    assert await sink.inbox.order(TRANSACTION, first) is None


async def test_a_bare_404_for_everything_stays_an_outage(sink, hub):
    first, second = (str(hub_id) for hub_id in hub.seed_orders(2))
    await sink.inbox.order(TRANSACTION, second)
    hub.faults.add(Fault(kind="status", status=404, path="*/Transaction/*"))

    with pytest.raises(Unavailable):
        await sink.inbox.order(TRANSACTION, first)


@pytest.mark.parametrize("form", ["quoted", "bare", "escaped"])
async def test_an_external_id_is_read_in_any_form(sink, hub, form):
    (hub_id,) = hub.seed_orders(1)
    await sink.inbox.link(TRANSACTION, "0235598", str(hub_id))
    hub.settings.lookup_answer = form

    assert await sink.inbox.external_id(TRANSACTION, str(hub_id)) == "0235598"


@pytest.mark.parametrize("form", ["quoted", "empty", "no_content"])
async def test_a_record_without_a_link_has_no_external_id(sink, hub, form):
    (hub_id,) = hub.seed_orders(1)
    hub.settings.lookup_answer = form

    assert await sink.inbox.external_id(TRANSACTION, str(hub_id)) is None


async def test_linking_again_changes_nothing(sink, hub):
    (hub_id,) = hub.seed_orders(1)

    await sink.inbox.link(TRANSACTION, "1001", str(hub_id))
    await sink.inbox.link(TRANSACTION, "1001", str(hub_id))

    assert hub.link_writes == 1
    assert await sink.find(TRANSACTION, "1001") == str(hub_id)


async def test_a_lost_answer_to_a_link_is_found_out_by_the_next(sink, hub):
    (hub_id,) = hub.seed_orders(1)
    hub.faults.add(Fault(kind="drop_after", path="*/UpdateExternalId", times=1))

    with pytest.raises(Unavailable):
        await sink.inbox.link(TRANSACTION, "1001", str(hub_id))
    await sink.inbox.link(TRANSACTION, "1001", str(hub_id))

    assert hub.link_writes == 1


async def test_an_external_id_of_another_record_is_refused_naming_both(sink, hub):
    first, second = (str(hub_id) for hub_id in hub.seed_orders(2))
    await sink.inbox.link(TRANSACTION, "1001", first)

    with pytest.raises(RecordRefused) as refused:
        await sink.inbox.link(TRANSACTION, "1001", second)

    assert all(name in str(refused.value) for name in ("1001", first, second))
    assert await sink.inbox.external_id(TRANSACTION, first) == "1001"


async def test_a_record_with_another_external_id_is_refused_naming_both(sink, hub):
    hub_id = str(hub.seed_orders(1)[0])
    await sink.inbox.link(TRANSACTION, "1001", hub_id)

    with pytest.raises(RecordRefused) as refused:
        await sink.inbox.link(TRANSACTION, "2002", hub_id)

    assert "1001" in str(refused.value)
    assert "2002" in str(refused.value)
    assert await sink.find(TRANSACTION, "1001") == hub_id
    assert hub.link_writes == 1


async def test_a_record_that_is_gone_is_not_linked(sink):
    with pytest.raises(RecordRefused):
        await sink.inbox.link(TRANSACTION, "1001", "999999")


async def test_a_line_is_linked_in_the_table_of_lines(sink, hub):
    hub.seed_orders(1)
    line_id = hub.records("transaction")[0]["lines"][0]["id"]

    await sink.inbox.link(TRANSACTION, "1001|1", line_id, member="lines")
    await sink.inbox.link(TRANSACTION, "1001|1", line_id, member="lines")

    links = hub.records("transaction")[0]["lines"][0]["external_ids"]
    assert [(link["system_id"], link["external_id"]) for link in links] == [(5120, "1001|1")]
    assert hub.link_writes == 1


async def test_a_record_linked_in_between_is_told_from_one_linked_otherwise(sink, hub):
    first, second = (str(hub_id) for hub_id in hub.seed_orders(2))
    await sink.inbox.link(TRANSACTION, "1001", first)
    # a look-up that does not see the link yet, as of a hub whose copies lag behind
    hub.faults.add(Fault(kind="status", status=404, path="*/LookupSpecial", times=1))

    with pytest.raises(RecordRefused, match="1001"):
        await sink.inbox.link(TRANSACTION, "1001", second)


async def test_a_sink_of_the_hub_names_its_own_subscription(sink):
    assert sink.inbox.system_id == 5120
