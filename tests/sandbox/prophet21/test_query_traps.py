from __future__ import annotations

import pytest


@pytest.fixture
def orders(sandbox):
    return sandbox.database.count("oe_hdr")


@pytest.mark.parametrize("values", ["(200001,200002,200003)", "(200001)"])
async def test_in_is_ignored_and_the_whole_table_comes(client, orders, values):
    assert len((await client.table("oe_hdr", filter=f"customer_id in {values}")).rows) == orders
    combined = f"completed eq 'Y' and customer_id in {values}"
    assert len((await client.table("oe_hdr", filter=combined)).rows) == orders


async def test_the_word_in_inside_a_text_is_only_text(client):
    assert (await client.table("oe_hdr", filter="po_no eq 'made in Ohio'")).rows == []


async def test_no_top_is_the_whole_table_without_a_next_link(client, sandbox):
    answer = await client.table("inv_loc")
    assert len(answer.rows) == sandbox.database.count("inv_loc")
    assert set(answer.json) == {"@odata.context", "value"}


async def test_two_text_columns_compare_to_nothing(client):
    assert (await client.table("oe_hdr", filter="order_no eq order_no")).rows == []


@pytest.mark.parametrize(
    ("condition", "type_name"),
    [
        ("customer_id eq corp_address_id", "Decimal"),
        ("date_created eq date_last_modified", "DateTime"),
    ],
)
async def test_two_typed_columns_are_a_404(client, condition, type_name):
    answer = await client.table("oe_hdr", filter=condition)
    assert answer.status == 404
    assert answer.text == f"Failed to convert parameter value from a String to a {type_name}."


@pytest.mark.parametrize("options", [{"select": "no_such"}, {"filter": "no_such eq 1"}, {"orderby": "no_such"}])
async def test_an_unknown_column_is_a_404_that_names_it(client, options):
    answer = await client.table("oe_hdr", **options)
    assert (answer.status, answer.text) == (404, "Could not find a property named 'no_such' on type 'dbo.oe_hdr'")


async def test_an_unknown_column_may_be_an_empty_404(client, sandbox):
    sandbox.settings.name_unknown_columns = False
    answer = await client.table("oe_hdr", select="no_such")
    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.parametrize("options", [{"select": "Order_No"}, {"filter": "ORDER_NO eq '1'"}])
async def test_column_names_are_case_sensitive(client, options):
    assert (await client.table("oe_hdr", **options)).status == 404


async def test_a_quoted_number_on_a_decimal_column_is_a_404(client):
    answer = await client.table("oe_hdr", filter="customer_id eq '200001'")
    assert answer.status == 404
    assert answer.text == (
        "A binary operator with incompatible types was detected. Found operand types 'Edm.Decimal' and 'Edm.String' "
        "for operator kind 'Equal'."
    )


@pytest.mark.parametrize(
    "condition",
    [
        "order_no eq 1400001",
        "oe_hdr_uid gt '5'",
        "date_last_modified ge '2026-11-02T10:00:00Z'",
        "contains(customer_id, '2')",
    ],
)
async def test_a_literal_of_the_wrong_type_is_a_404(client, condition):
    assert (await client.table("oe_hdr", filter=condition)).status == 404


@pytest.mark.parametrize(
    "condition",
    [
        "order_no eq",
        "order_no = '1'",
        "(order_no eq '1'",
        "order_no eq '1",
        "order_no eq '1' and",
        "date_last_modified ge datetime'2026-11-02T10:00:00'",
        "date_last_modified ge now()",
        "substringof('1', order_no)",
        "tolower(order_no) eq '1'",
        "date_last_modified ge 2026-02-31T10:00:00Z",
        "date_last_modified ge 2026-11-02T10:00:00 05:00",
    ],
)
async def test_what_p21_cannot_read_is_a_404_and_never_a_400(client, condition):
    assert (await client.table("oe_hdr", filter=condition)).status == 404


@pytest.mark.parametrize("terms", [150, 1_500])
async def test_a_query_too_long_for_iis_is_its_404_page(client, terms):
    chain = " or ".join(f"oe_hdr_uid eq {number}" for number in range(terms))
    answer = await client.table("oe_hdr", filter=chain)
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (404, "text/html")


async def test_a_syntax_error_tells_its_position(client):
    assert (await client.table("oe_hdr", filter="order_no eq '1' xor 2")).text.startswith("Syntax error at position 15")


@pytest.mark.parametrize("options", [{"expand": "x"}, {"top": "-1"}, {"skip": "x"}, {"orderby": "order_no up"}])
async def test_an_option_p21_does_not_have_is_a_404(client, options):
    assert (await client.table("oe_hdr", **options)).status == 404


async def test_columns_named_like_keywords_are_columns(client):
    assert (await client.table("customer", filter="allowed_account_no eq null", top="1")).rows


async def test_null_matches_only_eq_null_and_ne_null(client, sandbox):
    sandbox.database.change("oe_hdr", {"order_no": "1400001"}, po_no=None)
    without = {row["order_no"] for row in (await client.table("oe_hdr", filter="po_no eq null")).rows}
    named = {row["order_no"] for row in (await client.table("oe_hdr", filter="po_no ne null")).rows}
    other = {row["order_no"] for row in (await client.table("oe_hdr", filter="po_no ne 'X'")).rows}
    assert "1400001" in without
    assert other == named == {row["order_no"] for row in sandbox.database.rows("oe_hdr")} - without


async def test_ne_y_and_eq_n_differ_by_orders_open_in_an_editor(client):
    not_done = (await client.table("oe_hdr", filter="completed ne 'Y'")).rows
    open_ones = (await client.table("oe_hdr", filter="completed eq 'N'")).rows
    assert {row["completed"] for row in not_done} == {"N"} or len(not_done) > len(open_ones)


async def test_equality_ignores_trailing_blanks_and_case(client, sandbox):
    sandbox.database.insert("contacts", id="PAD-1".ljust(16), delete_flag="N")
    assert (await client.table("contacts", filter="id eq 'pad-1'")).rows[0]["id"] == "PAD-1".ljust(16)


@pytest.mark.parametrize("item", [" LEAD-1", "A/B-1", "A+B", "A#1 A&B", "O'RING", 'X 3/4"', "\u00c9CROU", "A%20B"])
async def test_an_odd_item_id_is_found_by_its_literal(client, sandbox, item):
    sandbox.database.insert("inv_mast", inv_mast_uid=999_999, item_id=item)
    quoted = item.replace("'", "''")
    assert (await client.table("inv_mast", filter=f"item_id eq '{quoted}'")).rows[0]["inv_mast_uid"] == 999_999


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("startswith(item_id,'ZZ_')", True),
        ("endswith(item_id,'%9')", True),
        ("contains(item_id,'_1%')", True),
        ("startswith(item_id,'ZZ%')", False),
        ("not(contains(item_id,'_1%')) and inv_mast_uid eq 999999", False),
        ("startswith(item_id,'ZZ_') eq true", True),
        ("(inv_mast_uid lt 5 or inv_mast_uid gt 999998) and not (inv_mast_uid le 4)", True),
    ],
)
async def test_functions_and_logic(client, sandbox, condition, found):
    sandbox.database.insert("inv_mast", inv_mast_uid=999_999, item_id="ZZ_1%9")
    rows = (await client.table("inv_mast", filter=condition, select="inv_mast_uid")).rows
    assert rows == ([{"inv_mast_uid": 999_999}] if found else [])
