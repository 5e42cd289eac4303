from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from aiohttp import web

from p21d.errors import PageError, ReadRefused
from p21d.prophet21.reading import Reading
from p21d.sandbox.faults import Fault
from tests.prophet21.conftest import NOON, connected
from tests.prophet21.rows import CONTACTS, ENTITY, ORDERS, order


async def collect(source, reading, **options):
    return [page async for page in source.pages(reading, **options)]


def keys_of(pages):
    return [row.oe_hdr_uid for page in pages for row in page.rows]


@pytest.fixture
async def p21(sandbox, clock):
    """A source of four-row pages over the sandbox."""
    async with sandbox.serve() as url, connected(url, clock, page_rows=4) as connection:
        yield connection


def serve(orders):
    """Answer pages by key as P21 does."""

    def read(request):
        query = unquote(request.query_string)
        after = re.search(r"oe_hdr_uid gt (\d+)", query)
        top = int(re.search(r"\$top=(\d+)", query)[1])
        found = [one for one in orders if not after or int(one["oe_hdr_uid"]) > int(after[1])]
        return web.json_response({"value": found[:top]})

    return read


async def test_every_row_is_met_once_in_key_order(p21, sandbox):
    expected = sorted(row["oe_hdr_uid"] for row in sandbox.database.rows("oe_hdr"))
    pages = await collect(p21, ORDERS)
    assert keys_of(pages) == expected
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]


async def test_low_leaves_older_rows_out(p21, sandbox):
    fresh = sandbox.database.rows("oe_hdr")[3]["oe_hdr_uid"]
    sandbox.database.change("oe_hdr", {"oe_hdr_uid": fresh}, po_no="changed")
    low = p21.low_literal(sandbox.database.time.now() - timedelta(minutes=1))
    assert fresh in keys_of(await collect(p21, ORDERS, low=low))
    later = p21.low_literal(sandbox.database.time.now() + timedelta(hours=1))
    assert keys_of(await collect(p21, ORDERS, low=later)) == []


async def test_reading_resumes_after_a_key(p21):
    pages = await collect(p21, ORDERS)
    rest = await collect(p21, ORDERS, after=pages[0].reached)
    assert keys_of(rest) == keys_of(pages)[4:]


async def test_a_page_says_how_far_it_reached_and_when_it_was_read(p21, clock):
    page = (await collect(p21, ORDERS))[0]
    assert page.reached == (page.rows[-1].oe_hdr_uid,)
    assert page.read_at == clock.now()


async def test_an_empty_table_is_one_last_page(source):
    (page,) = await collect(source, ORDERS)
    assert (page.rows, page.reached, page.last) == ([], None, True)


async def test_ten_rows_take_four_requests(source, scripted):
    scripted.read = serve([order(uid) for uid in range(1, 11)])
    assert len(keys_of(await collect(source, ORDERS))) == 10
    assert len(scripted.reads) == 4


async def test_a_limit_of_the_server_loses_no_row(p21, sandbox):
    sandbox.settings.page_cap = 3
    assert len(keys_of(await collect(p21, ORDERS))) == sandbox.database.count("oe_hdr")


async def test_a_row_changed_while_being_read_is_met(p21, sandbox):
    met = []
    async for page in p21.pages(ORDERS):
        met += [row.oe_hdr_uid for row in page.rows]
        for row in sandbox.database.rows("oe_hdr"):
            sandbox.database.change("oe_hdr", {"oe_hdr_uid": row["oe_hdr_uid"]}, po_no="moved")
    assert sorted(met) == sorted(row["oe_hdr_uid"] for row in sandbox.database.rows("oe_hdr"))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="truncate", honest=True, times=1, path="*/table/*"),
        Fault(kind="truncate", times=1, path="*/table/*"),
        Fault(kind="reset", times=1, path="*/table/*"),
        Fault(kind="drop_after", times=1, path="*/table/*"),
        Fault(kind="bad_json", times=1, path="*/table/*"),
        Fault(kind="html", times=1, path="*/table/*"),
        Fault(kind="empty", times=1, path="*/table/*"),
        Fault(kind="status", status=503, times=2, path="*/table/*"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.honest}",
)
async def test_a_page_broken_once_is_read_again(p21, sandbox, fault):
    sandbox.faults.add(fault)
    assert len(keys_of(await collect(p21, ORDERS))) == sandbox.database.count("oe_hdr")
    assert sandbox.faults.list()[0].fired == fault.times


@pytest.mark.parametrize("kind", ["bad_json", "html", "empty"])
async def test_a_page_broken_for_good_ends_the_reading(p21, sandbox, kind):
    sandbox.faults.add(Fault(kind=kind, path="*/table/*", after=1))
    with pytest.raises(PageError, match="oe_hdr"):
        await collect(p21, ORDERS)


async def test_a_page_that_comes_again_names_the_key(p21, sandbox):
    sandbox.faults.add(Fault(kind="repeat_page", path="*/table/*"))
    first = sandbox.database.rows("oe_hdr")[0]["oe_hdr_uid"]
    with pytest.raises(PageError, match=f"key {first} of oe_hdr twice"):
        await collect(p21, ORDERS)


async def test_a_row_sent_twice_in_a_page_is_refused(source, scripted):
    scripted.read = lambda _request: web.json_response({"value": [order(1), order(1)]})
    with pytest.raises(PageError, match="key 1 of oe_hdr twice"):
        await collect(source, ORDERS)
    assert len(scripted.reads) == 2


async def test_more_rows_than_asked_for_are_refused(source, scripted):
    scripted.read = lambda _request: web.json_response({"value": [order(uid) for uid in range(9)]})
    with pytest.raises(PageError, match="9 rows"):
        await collect(source, ORDERS)


async def test_a_bad_row_does_not_stop_its_page(source, scripted):
    scripted.read = serve([order(1), order(2, customer_id="none"), order(3), order(4)])
    pages = await collect(source, ORDERS)
    assert keys_of(pages) == [1, 3, 4]
    assert [bad.key for page in pages for bad in page.undecodable] == ["2"]


async def test_a_bad_row_at_the_end_of_a_page_is_passed(source, scripted):
    scripted.read = serve([order(1), order(2), order(3, customer_id="none"), order(4)])
    pages = await collect(source, ORDERS)
    assert pages[0].reached == (3,)
    assert keys_of(pages) == [1, 2, 4]


async def test_a_full_page_without_readable_keys_is_no_endless_loop(source, scripted):
    scripted.read = lambda _request: web.json_response({"value": [{}, {}, {}]})
    with pytest.raises(PageError, match="readable key"):
        await collect(source, ORDERS)


async def test_a_short_page_without_readable_keys_is_reported(source, scripted):
    scripted.read = lambda _request: web.json_response({"value": [{}]})
    (page,) = await collect(source, ORDERS)
    assert (len(page.undecodable), page.last) == (1, True)


async def test_the_zone_is_learned_from_what_is_read(source, scripted):
    scripted.read = serve([order(1, date_last_modified="2026-11-02T05:00:00-06:00")])
    await collect(source, ORDERS)
    assert source.statistics().zone == "-06:00"
    assert "America/New_York says -05:00" in source.statistics().notice
    assert source.low_literal(NOON) == "2026-11-02T05:00:00.000-06:00"


async def test_an_unknown_column_is_refused_at_once(p21):
    with pytest.raises(ReadRefused, match="no such column"):
        await collect(p21, Reading.of_entity(ENTITY, ["01"], "nonsense eq 1"))


async def test_the_filter_of_the_entity_holds(p21, sandbox):
    reading = Reading.of_entity(ENTITY, ["02"])
    expected = sandbox.database.count("oe_hdr", {"company_id": "02", "rma_flag": "N"})
    assert len(keys_of(await collect(p21, reading))) == expected


async def test_a_text_key_that_is_proven_is_paged_by_key(p21, sandbox):
    pages = await collect(p21, CONTACTS)
    assert len([row for page in pages for row in page.rows]) == sandbox.database.count("contacts")
    assert not [seen for seen in sandbox.requests if "skip" in str(seen)]


async def test_a_text_key_is_proven_once(p21, sandbox):
    await collect(p21, CONTACTS)
    first = p21.statistics().requests
    await collect(p21, CONTACTS)
    assert p21.statistics().requests - first == first - 5  # four of the proof, one for the build
