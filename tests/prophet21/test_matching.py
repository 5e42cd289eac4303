from __future__ import annotations

import pytest
from aiohttp import web

from p21d.errors import PageError
from p21d.plugin import Row
from p21d.prophet21.reading import Reading
from tests.prophet21.conftest import connected
from tests.prophet21.rows import ENTITY, ORDERS, order


class ShipTo(Row, frozen=True):
    company_id: str
    ship_to_id: int


SHIP_TOS = Reading(table="ship_to", row=ShipTo, key=("company_id", "ship_to_id"), page_by=("company_id", "ship_to_id"))


@pytest.fixture
async def p21(sandbox, clock):
    async with sandbox.serve() as url, connected(url, clock) as connection:
        yield connection


async def test_rows_are_read_by_key(p21, sandbox):
    keys = [row["order_no"] for row in sandbox.database.rows("oe_hdr")][:7]
    page = await p21.by_keys(ORDERS, keys)
    assert sorted(row.order_no for row in page.rows) == sorted(keys)
    assert page.last


async def test_a_key_of_two_parts_is_read(p21, sandbox):
    keys = [f"{row['company_id']}|{row['ship_to_id']}" for row in sandbox.database.rows("ship_to")]
    page = await p21.by_keys(SHIP_TOS, keys)
    assert sorted(f"{row.company_id}|{row.ship_to_id}" for row in page.rows) == sorted(keys)


@pytest.mark.parametrize("key", ["no such order", "1|2", "", "' or 1 eq 1"])
async def test_a_key_that_does_not_exist_has_no_row(p21, key):
    assert (await p21.by_keys(ORDERS, [key])).rows == []


async def test_a_key_that_is_no_number_is_not_asked_for(source, scripted):
    assert (await source.by_keys(SHIP_TOS, ["01|abc"])).rows == []
    assert scripted.reads == []


async def test_the_filter_holds_for_keys_too(p21, sandbox):
    reading = Reading.of_entity(ENTITY, ["02"])
    other = sandbox.database.rows("oe_hdr", {"company_id": "01"})[0]["order_no"]
    assert (await p21.by_keys(reading, [other])).rows == []


async def test_fifty_keys_go_into_one_request(source, scripted):
    await source.by_keys(ORDERS, [str(number) for number in range(120)])
    assert len(scripted.reads) == 3


async def test_a_url_stays_under_its_limit(source, scripted):
    await source.by_keys(ORDERS, [f"{number:040}" for number in range(60)])
    assert max(len(request.path_qs) for request in scripted.reads) <= 2000


async def test_a_row_that_was_not_asked_for_ends_the_reading(source, scripted):
    scripted.read = lambda _request: web.json_response({"value": [order(1), order(2)]})
    with pytest.raises(PageError, match="not asked for"):
        await source.by_keys(ORDERS, ["1"])


async def test_padding_and_case_of_a_key_are_no_stranger(source, scripted):
    answers = [[order(1, order_no="AB ")], []]
    scripted.read = lambda _request: web.json_response({"value": answers.pop(0)})
    assert len((await source.by_keys(ORDERS, ["ab"])).rows) == 1


async def test_a_bad_row_is_reported(source, scripted):
    scripted.read = lambda request: web.json_response(
        {"value": [] if "gt" in request.query["$filter"] else [order(1, customer_id="none")]}
    )
    page = await source.by_keys(ORDERS, ["1"])
    assert [bad.key for bad in page.undecodable] == ["1"]
