from __future__ import annotations

import pytest

from p21d.sandbox.prophet21.schema import load_tables


@pytest.mark.parametrize("name", sorted(load_tables()))
async def test_every_table_and_its_view_have_rows(client, name):
    assert (await client.table(name, top="1")).rows
    assert (await client.table(f"p21_view_{name}", "view", top="1")).rows


async def test_a_row_has_every_column_of_its_table_and_nulls_are_present(client):
    row = (await client.table("oe_hdr", top="1")).rows[0]
    assert set(row) == set(load_tables()["oe_hdr"].stored)
    assert row["web_shopper_id"] is None


async def test_every_column_may_be_selected_by_name(client, sandbox):
    sandbox.settings.longest_query = 100_000
    for table in load_tables().values():
        wanted = list(table.stored)
        assert list((await client.table(table.name, top="1", select=",".join(wanted))).rows[0]) == wanted


async def test_the_answer_has_odata_v4_headers_and_context(client):
    answer = await client.table("OE_HDR", top="1")
    assert answer.headers["OData-Version"] == "4.0"
    assert answer.headers["Content-Type"] == "application/json; odata.metadata=minimal; odata.streaming=true"
    assert answer.json["@odata.context"] == f"{client.url}/odataservice/odata/table/$metadata#oe_hdr"


@pytest.mark.parametrize(
    ("surface", "name"), [("view", "oe_hdr"), ("table", "p21_view_oe_hdr"), ("table", "no_such"), ("view", "no_such")]
)
async def test_the_wrong_surface_and_an_unknown_name_are_an_empty_404(client, surface, name):
    answer = await client.table(name, surface)
    assert (answer.status, answer.body) == (404, b"")


async def test_bin_is_a_page_of_iis(client):
    answer = await client.table("bin")
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (404, "text/html")


async def test_the_view_of_order_lines_has_the_item_id_and_the_table_has_not(client):
    line = (await client.table("p21_view_oe_line", "view", top="1", select="inv_mast_uid,item_id")).rows[0]
    item = (await client.table("inv_mast", filter=f"inv_mast_uid eq {line['inv_mast_uid']}", select="item_id")).rows[0]
    assert line["item_id"] == item["item_id"]
    assert (await client.table("oe_line", top="1", select="item_id")).status == 404


async def test_a_table_without_permission_is_a_401_with_its_own_text(client, sandbox):
    sandbox.settings.forbidden_tables = {"oe_hdr"}
    answer = await client.table("oe_hdr", top="1")
    assert (answer.status, answer.text[:39]) == (401, "You are not authorized to access API. P")
    assert (await client.table("oe_line", top="1")).status == 200


async def test_a_site_without_clippership_answers_404(client, sandbox):
    sandbox.settings.missing_tables = {"clippership_return_10004"}
    assert (await client.table("clippership_return_10004", top="1")).status == 404


@pytest.mark.parametrize("surface", ["table", "view"])
async def test_metadata_is_json_csdl_with_keys_and_types(client, surface):
    answer = await client.call("GET", f"/odataservice/odata/{surface}/$metadata")
    name = "oe_hdr" if surface == "table" else "p21_view_oe_hdr"
    described = answer.json["dbo"][name]
    assert (answer.json["$Version"], described["$Key"]) == ("4.0", ["order_no"])
    assert described["customer_id"]["$Type"] == "Edm.Decimal"
    assert described["order_date"]["$Type"] == "Edm.DateTimeOffset"
    assert answer.json["ns"]["container"][name] == {"$Collection": True, "$Type": f"dbo.{name}"}


async def test_metadata_leaves_out_the_columns_of_a_newer_build(client, sandbox):
    sandbox.settings.missing_columns = {"oe_hdr": {"job_name"}}
    answer = await client.call("GET", "/odataservice/odata/table/$metadata")
    assert "job_name" not in answer.json["dbo"]["oe_hdr"]
    assert (await client.table("oe_hdr", select="job_name", top="1")).status == 404


async def test_the_service_root_has_no_metadata(client):
    assert (await client.call("GET", "/odataservice/odata/$metadata")).status == 404
