from __future__ import annotations

from dataclasses import replace

import pytest
from aiohttp import web

from p21d.errors import ConfigError, Forbidden, PageError, ReadRefused, RecordRefused
from p21d.plugin import Related, Row
from p21d.testing import row_of
from tests.prophet21.conftest import connected
from tests.prophet21.rows import ENTITY, ITEMS, LINES, ORDERS, Item, Line, Order


@pytest.fixture
async def p21(sandbox, clock):
    async with sandbox.serve() as url, connected(url, clock) as connection:
        yield connection


async def all_rows(source, reading):
    return [row async for page in source.pages(reading) for row in page.rows]


def of(*related):
    return replace(ENTITY, related=related)


def an_order(number):
    return row_of(Order, oe_hdr_uid=1, order_no=number)


async def test_each_parent_gets_its_own_rows_in_key_order(p21, sandbox):
    orders = await all_rows(p21, ORDERS)
    related = await p21.related(ENTITY, orders)
    for one in orders:
        expected = sorted(row["oe_line_uid"] for row in sandbox.database.rows("oe_line", {"order_no": one.order_no}))
        assert [line.oe_line_uid for line in related.rows(LINES, one)] == expected


async def test_a_second_hop_starts_from_the_first(p21):
    orders = await all_rows(p21, ORDERS)
    related = await p21.related(ENTITY, orders)
    lines = [line for one in orders for line in related.rows(LINES, one)]
    assert lines
    assert all(related.first(ITEMS, line).inv_mast_uid == line.inv_mast_uid for line in lines)


async def test_no_parents_cost_no_request(source, scripted):
    related = await source.related(ENTITY, [])
    assert scripted.reads == []
    assert related.first(LINES, an_order("1")) is None


async def test_null_and_blank_values_ask_for_nothing(source, scripted):
    buyers = Related(table="oe_line", row=Line, key=("oe_line_uid",), match={"order_no": "po_no"})
    related = await source.related(of(buyers), [an_order("1"), row_of(Order, oe_hdr_uid=2, order_no="2", po_no=" ")])
    assert scripted.reads == []
    assert related.rows(buyers, an_order("1")) == []


async def test_equal_values_are_asked_for_once(source, scripted):
    await source.related(of(LINES), [an_order("1"), an_order("1"), an_order("1 ")])
    assert scripted.reads[0].query["$filter"] == "order_no eq '1'"


async def test_fifty_values_go_into_one_request(source, scripted):
    await source.related(of(LINES), [an_order(str(number)) for number in range(120)])
    assert len(scripted.reads) == 3


async def test_a_text_matches_a_number_whatever_its_zeros(source, scripted):
    items = Related(table="inv_mast", row=Item, key=("inv_mast_uid",), match={"inv_mast_uid": "order_no"})
    answers = [[{"inv_mast_uid": 12, "item_id": "VALVE-20"}], []]
    scripted.read = lambda _request: web.json_response({"value": answers.pop(0)})
    related = await source.related(of(items), [an_order("0012"), an_order("no number")])
    assert scripted.reads[0].query["$filter"] == "inv_mast_uid eq 12"
    assert related.first(items, an_order("0012")).item_id == "VALVE-20"
    assert related.first(items, an_order("no number")) is None


async def test_blanks_in_front_are_asked_for_both_ways(source, scripted):
    await source.related(of(LINES), [an_order("  7 ")])
    assert scripted.reads[0].query["$filter"] == "order_no eq '  7' or order_no eq '7'"


async def test_two_columns_match_together(source, scripted):
    both = Related(
        table="oe_line",
        row=Line,
        key=("oe_line_uid",),
        match={"order_no": "order_no", "line_no": "customer_id"},
        filter="delete_flag eq 'N'",
    )
    await source.related(of(both), [row_of(Order, oe_hdr_uid=1, order_no="1", customer_id=7)])
    assert scripted.reads[0].query["$filter"] == "(delete_flag eq 'N') and ((order_no eq '1' and line_no eq 7))"


async def test_a_filter_that_p21_drops_is_noticed(source, scripted):
    line = {"oe_line_uid": 1, "order_no": "another", "line_no": 1, "inv_mast_uid": 1, "unit_price": 1}
    scripted.read = lambda _request: web.json_response({"value": [line]})
    with pytest.raises(PageError, match="not asked for"):
        await source.related(of(LINES), [an_order("1")])


async def test_a_related_row_that_does_not_decode_refuses_its_parent_only(source, scripted):
    lines = [
        {"oe_line_uid": 1, "order_no": "1", "line_no": "x", "inv_mast_uid": 1, "unit_price": 1},
        {"oe_line_uid": 2, "order_no": "2", "line_no": 1, "inv_mast_uid": 1, "unit_price": 1},
    ]
    scripted.read = lambda request: web.json_response({"value": [] if "gt" in request.query["$filter"] else lines})
    related = await source.related(of(LINES), [an_order("1"), an_order("2")])
    with pytest.raises(RecordRefused, match="row 1 of oe_line does not decode"):
        related.rows(LINES, an_order("1"))
    assert related.first(LINES, an_order("2")).oe_line_uid == 2


async def test_a_table_that_is_not_there_ends_the_reading(p21, sandbox):
    sandbox.settings.missing_tables.add("oe_line")
    with pytest.raises(ReadRefused, match="oe_line"):
        await p21.related(ENTITY, await all_rows(p21, ORDERS))


async def test_a_table_that_is_forbidden_ends_the_reading(p21, sandbox):
    sandbox.settings.forbidden_tables.add("oe_line")
    with pytest.raises(Forbidden, match="oe_line"):
        await p21.related(ENTITY, await all_rows(p21, ORDERS))


@pytest.mark.parametrize("how", ["missing_tables", "forbidden_tables"])
async def test_an_optional_table_that_is_not_there_reads_as_empty(p21, sandbox, how):
    getattr(sandbox.settings, how).add("oe_line")
    optional = replace(LINES, optional=True)
    orders = await all_rows(p21, ORDERS)
    assert (await p21.related(of(optional), orders)).rows(optional, orders[0]) == []


async def test_an_optional_table_is_asked_for_again_after_a_while(p21, sandbox, clock):
    sandbox.settings.missing_tables.add("oe_line")
    optional = replace(LINES, optional=True)
    orders = await all_rows(p21, ORDERS)
    await p21.related(of(optional), orders)
    sandbox.settings.missing_tables.clear()
    assert not (await p21.related(of(optional), orders)).rows(optional, orders[0])
    clock.advance(901)
    assert (await p21.related(of(optional), orders)).rows(optional, orders[0])


async def test_an_outage_of_an_optional_table_is_an_outage(source, scripted):
    scripted.read = lambda _request: web.Response(text="<html>", content_type="text/html")
    with pytest.raises(PageError):
        await source.related(of(replace(LINES, optional=True)), [an_order("1")])


async def test_a_hop_from_a_table_that_is_not_listed_is_refused(source):
    with pytest.raises(ConfigError, match="inv_mast"):
        await source.related(of(ITEMS), [an_order("1")])


async def test_a_parent_without_the_column_is_refused(source):
    class Bare(Row, frozen=True):
        oe_hdr_uid: int

    with pytest.raises(ConfigError, match="Bare has no field for the column order_no"):
        await source.related(of(LINES), [Bare(oe_hdr_uid=1)])


class Label(Row, frozen=True):
    pick_ticket_no: int
    tracking_no: str | None


class Ticket(Row, frozen=True):
    pick_ticket_no: int


LABELS = Related(
    table="clippership_return_10004",
    row=Label,
    key=("pick_ticket_no", "tracking_no"),
    match={"pick_ticket_no": "pick_ticket_no"},
    unique=False,
)


@pytest.mark.parametrize("page_rows", [2, 3, 1000])
async def test_rows_of_a_table_without_a_key_come_all_however_often_they_repeat(sandbox, clock, page_rows):
    for number in (["1Z1"] * 5) + [None, None, "1Z2"]:
        sandbox.database.insert("clippership_return_10004", pick_ticket_no=9_999_001, tracking_no=number)
    ticket = row_of(Ticket, pick_ticket_no=9_999_001)
    async with sandbox.serve() as url, connected(url, clock, page_rows=page_rows) as source:
        related = await source.related(replace(ENTITY, row=Ticket, related=(LABELS,)), [ticket])
    found = [label.tracking_no for label in related.rows(LABELS, ticket)]
    assert sorted(map(str, found)) == ["1Z1"] * 5 + ["1Z2", "None", "None"]


async def test_the_rows_of_a_table_with_a_key_may_not_repeat(sandbox, clock):
    for _ in range(2):
        sandbox.database.insert("clippership_return_10004", pick_ticket_no=9_999_001, tracking_no="1Z1")
    ticket = row_of(Ticket, pick_ticket_no=9_999_001)
    async with sandbox.serve() as url, connected(url, clock) as source:
        with pytest.raises(PageError, match="twice"):
            await source.related(replace(ENTITY, row=Ticket, related=(replace(LABELS, unique=True),)), [ticket])
