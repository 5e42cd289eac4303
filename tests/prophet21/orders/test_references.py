from __future__ import annotations

import pytest
from aiohttp import web

from p21d.errors import Forbidden, Unavailable
from p21d.prophet21.orders.rows import HEADERS

WHERE = {"field": "hub_ref", "text": "H-88", "customer_id": 200003}
HEADER = {"oe_hdr_uid": 1, "order_no": "1500001", "customer_id": 200003, "date_created": "2026-11-02T10:00:00-05:00"}


class Tables:
    """Answers each table with its rows; a table without them does not have the column."""

    def __init__(self, script, **rows):
        self.rows, self.asked = rows, []
        script.read = self.answer

    def answer(self, request):
        table = request.path.rsplit("/", 1)[-1]
        self.asked.append((table, request.query["$select"], request.query.get("$filter", "")))
        wants = "hub_ref" in request.query["$select"]
        if table not in self.rows or (wants and table == "oe_hdr"):
            return web.Response(status=404, text="Could not find a property named 'hub_ref'")
        rows = self.rows[table] if "gt" not in request.query.get("$filter", "") else []
        return web.json_response({"value": rows})


async def test_a_udf_of_the_window_is_read_from_its_own_table(source, scripted):
    udf = {"order_no": "1500001 ", "hub_ref": "H-88 "}
    full = {name: HEADER.get(name) for name in HEADERS.columns.select}
    tables = Tables(scripted, oe_hdr_ud=[udf], oe_hdr=[full], oe_line=[], inv_mast=[], address=[])
    (found,) = await source.orders.by_reference(**WHERE, created_since=await source.now())
    assert (found.order_no, found.reference_text) == ("1500001", "H-88")
    assert any(table == "oe_hdr_ud" and "hub_ref eq 'H-88'" in text for table, _, text in tables.asked)


async def test_where_it_stands_is_asked_once(source, scripted):
    tables = Tables(scripted, oe_hdr_ud=[], oe_hdr=[])
    for _ in range(2):
        assert await source.orders.by_reference(**WHERE, created_since=await source.now()) == []
    assert len([one for one in tables.asked if one[0] == "oe_hdr"]) == 1


async def test_an_outage_is_no_missing_column(source, scripted):
    scripted.read = lambda _request: web.Response(status=503)
    with pytest.raises(Unavailable):
        await source.orders.by_reference(**WHERE, created_since=await source.now())


async def test_a_missing_permission_is_no_missing_column(source, scripted):
    scripted.read = lambda _request: web.Response(status=401, text="You are not authorized to access API.")
    with pytest.raises(Forbidden):
        await source.orders.by_reference(**WHERE, created_since=await source.now())
