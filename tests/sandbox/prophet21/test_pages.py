from __future__ import annotations

from decimal import Decimal

import pytest


async def read_by_key(client, table, key, after, **options):
    """Page by a key literal until a page is short; return all rows."""
    rows = []
    while True:
        page = (await client.table(table, filter=after(rows[-1] if rows else None), orderby=key, **options)).rows
        rows += page
        if len(page) < int(options["top"]):
            return rows


async def test_paging_by_an_integer_key_meets_every_row_once(client, sandbox):
    rows = await read_by_key(
        client, "inv_mast", "inv_mast_uid", lambda row: f"inv_mast_uid gt {row['inv_mast_uid'] if row else 0}", top="7"
    )
    assert [row["inv_mast_uid"] for row in rows] == [row["inv_mast_uid"] for row in sandbox.database.rows("inv_mast")]


async def test_paging_by_a_two_part_key_meets_every_row_once(client, sandbox):
    def after(row):
        company, customer = (row["company_id"], row["customer_id"]) if row else ("", 0)
        return f"(company_id gt '{company}') or (company_id eq '{company}' and customer_id gt {customer})"

    rows = await read_by_key(client, "customer", "company_id,customer_id", after, top="2")
    assert len(rows) == sandbox.database.count("customer")
    assert len({(row["company_id"], row["customer_id"]) for row in rows}) == len(rows)


@pytest.mark.parametrize("trimmed", [False, True])
async def test_paging_by_a_text_key_meets_padded_ids_once(client, sandbox, trimmed):
    def after(row):
        last = row["id"] if row else ""
        return f"id gt '{last.strip() if trimmed else last}'"

    rows = await read_by_key(client, "contacts", "id", after, top="1")
    assert [row["id"] for row in rows] == [row["id"] for row in sandbox.database.rows("contacts")]
    assert any(row["id"].endswith(" ") for row in rows)


async def test_skip_and_top_cut_an_ordered_table(client):
    everything = (await client.table("inv_loc", orderby="inv_mast_uid desc,location_id asc")).rows
    part = (await client.table("inv_loc", orderby="inv_mast_uid desc,location_id asc", skip="3", top="5")).rows
    assert part == everything[3:8]
    keys = [(-row["inv_mast_uid"], row["location_id"]) for row in everything]
    assert keys == sorted(keys)


async def test_count_counts_the_filter_and_not_the_page(client, sandbox):
    answer = await client.table("inv_loc", filter="location_id eq 10", top="1", count="true")
    assert answer.json["@odata.count"] == sandbox.database.count("inv_loc", {"location_id": 10})
    assert len(answer.rows) == 1


async def test_no_rows_are_an_empty_list_with_200(client):
    assert (await client.table("oe_hdr", filter="order_no eq 'nothing'")).rows == []


async def test_top_zero_is_an_empty_page(client):
    assert (await client.table("oe_hdr", top="0")).rows == []


async def test_a_decimal_keeps_every_digit_and_compares_as_a_number(client, sandbox):
    exact = Decimal("1234567890.123456789")
    sandbox.database.change("inv_loc", {"inv_mast_uid": 1, "location_id": 10}, qty_on_hand=exact)
    rows = await client.decimals("inv_loc", filter="qty_on_hand gt 1000000", select="qty_on_hand")
    assert rows == [{"qty_on_hand": exact}]
    assert await client.decimals("inv_loc", filter=f"qty_on_hand eq {exact}", select="qty_on_hand") == rows
    ordered = await client.decimals("inv_loc", orderby="qty_on_hand", select="qty_on_hand")
    assert ordered == sorted(ordered, key=lambda row: row["qty_on_hand"])


async def test_ids_are_bare_whole_numbers_and_texts_are_quoted(client):
    body = (await client.table("invoice_hdr", top="1", select="invoice_no,customer_id,customer_id_number")).text
    assert '"invoice_no":"000' in body
    assert '"customer_id":"2000' in body
    assert '"customer_id_number":2000' in body


async def test_fifty_keys_in_an_or_chain_find_their_rows(client, sandbox):
    numbers = [row["order_no"] for row in sandbox.database.rows("oe_hdr")]
    chain = " or ".join(f"order_no eq '{number}'" for number in [*numbers, *(f"X{n}" for n in range(50))][:50])
    rows = (await client.table("oe_hdr", filter=chain, top="1000")).rows
    assert {row["order_no"] for row in rows} == set(numbers)


async def test_a_page_may_repeat_its_last_row(client, sandbox):
    sandbox.settings.repeat_last_row = True
    rows = (await client.table("oe_hdr", top="2", orderby="order_no")).rows
    assert [row["order_no"] for row in rows] == ["1400001", "1400002", "1400002"]


async def test_a_page_may_be_shorter_than_asked(client, sandbox):
    sandbox.settings.page_cap = 2
    assert len((await client.table("oe_hdr", top="5")).rows) == 2


async def test_rows_may_change_while_a_client_pages(client, sandbox):
    def move(table):
        sandbox.odata.after_page = None
        sandbox.database.change(table, {"order_no": "1400001"}, taker="LATE")

    sandbox.odata.after_page = move
    assert (await client.table("oe_hdr", filter="order_no eq '1400001'")).rows[0]["taker"] != "LATE"
    assert (await client.table("oe_hdr", filter="order_no eq '1400001'")).rows[0]["taker"] == "LATE"


@pytest.mark.parametrize("text", ["Zo\u00eb \u4e2d\u6587", 'quote " and \\ back', "tab\tline\nend", "\u00a0nbsp"])
async def test_any_text_comes_through(client, sandbox, text):
    sandbox.database.change("oe_hdr", {"order_no": "1400001"}, delivery_instructions=text)
    rows = (await client.table("oe_hdr", filter="order_no eq '1400001'", select="delivery_instructions")).rows
    assert rows == [{"delivery_instructions": text}]
