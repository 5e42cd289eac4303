from __future__ import annotations

import pytest

from tests.sandbox.prophet21.order_bodies import (
    LINE_10,
    LINE_20,
    WRITE,
    element,
    header,
    items,
    order,
    transactions,
    update,
)

FIRST_ORDERS = {"quote": "1400004", "rma": "1400012"}


def header_of(sandbox, order_no):
    (row,) = sandbox.database.rows("oe_hdr", {"order_no": order_no})
    return row


def lines_of(sandbox, order_no):
    return sandbox.database.rows("oe_line", {"order_no": order_no})


async def test_an_order_is_there_at_once_in_both_tables(client, sandbox):
    order_no = await client.order_no(order())
    (row,) = (await client.table("oe_hdr", filter=f"order_no eq '{order_no}'")).rows
    assert (row["customer_id"], row["address_id"], row["company_id"]) == (200001, 200001, "01")
    assert (row["po_no"], row["taker"], row["location_id"], row["completed"]) == ("WEB-000731", "P21D", 10, "N")
    assert (row["order_date"][:10], row["requested_date"][:10]) == ("2026-11-02", "2026-11-04")
    lines = (await client.table("oe_line", filter=f"order_no eq '{order_no}'", orderby="line_no")).rows
    assert [(line["line_no"], line["user_line_no"], line["company_no"]) for line in lines] == [
        (1, "010", "01"),
        (2, "020", "01"),
    ]


async def test_the_stamp_is_server_local_time(client, sandbox):
    before = sandbox.database.time.text(sandbox.database.time.now())
    row = header_of(sandbox, await client.order_no(order()))
    assert before <= row["date_created"] == row["date_last_modified"]
    assert row["created_by"] == "p21d"


async def test_order_numbers_count_up_as_text(client, sandbox):
    last = max(row["order_no"] for row in sandbox.database.rows("oe_hdr"))
    assert [await client.order_no(order()) for _ in range(2)] == [str(int(last) + 1), str(int(last) + 2)]


async def test_the_same_call_twice_makes_two_orders(client, sandbox):
    assert await client.order_no(order()) != await client.order_no(order())
    assert sandbox.database.count("oe_hdr", {"po_no": "WEB-000731"}) == 2


async def test_a_reference_nobody_can_write_stays_null(client, sandbox):
    assert header_of(sandbox, await client.order_no(order())).get("web_reference_no") is None


async def test_the_price_is_the_items_unless_one_is_typed(client, sandbox):
    lines = lines_of(sandbox, await client.order_no(order()))
    (item,) = sandbox.database.rows("inv_mast", {"item_id": "GASKET-000002"})
    assert lines[0]["unit_price"] == lines[0]["system_calc_unit_price"] == item["price1"]
    assert lines[0]["manual_price_overide"] == "N"


async def test_a_typed_price_raises_the_flag_and_keeps_the_systems_price(client, sandbox):
    typed = transactions([header(), items(LINE_10 | {"unit_price": "12.50"})])
    (line,) = lines_of(sandbox, await client.order_no(typed))
    assert (line["unit_price"], line["manual_price_overide"]) == ("12.500000000", "Y")
    assert line["system_calc_unit_price"] != line["unit_price"]
    assert line["extended_price"] == "50.0000"


async def test_a_unit_typed_behind_the_price_prices_anew(client, sandbox):
    fields = {"user_line_no": "1", "oe_order_item_id": "GASKET-000002", "unit_price": "12.50", "unit_quantity": "2"}
    (line,) = lines_of(
        sandbox, await client.order_no(transactions([header(), items(fields | {"unit_of_measure": "EA"})]))
    )
    assert line["manual_price_overide"] == "N"
    assert line["unit_price"] == line["system_calc_unit_price"]


async def test_quantities_are_kept_in_base_units_beside_the_order_unit(client, sandbox):
    line = LINE_10 | {"unit_of_measure": "CS", "unit_quantity": "2"}
    (row,) = lines_of(sandbox, await client.order_no(transactions([header(), items(line)])))
    assert (row["unit_quantity"], row["unit_size"], row["qty_ordered"]) == (
        "2.000000000",
        "48.000000000",
        "96.000000000",
    )


async def test_the_ship_to_gives_its_address_to_the_order(client, sandbox):
    row = header_of(sandbox, await client.order_no(order()))
    (address,) = sandbox.database.rows("address", {"id": 200001})
    assert (row["ship2_name"], row["ship2_add1"]) == (address["name"], address["phys_address1"])
    assert (row["ship2_zip"], row["ship2_country"]) == (address["phys_postal_code"], address["phys_country"])


async def test_an_order_may_have_an_address_of_its_own(client, sandbox):
    own = element("TP_SHIPTO.shipto", {"phys_address1": "9 Dock Rd", "phys_country": "CA"})
    row = header_of(sandbox, await client.order_no(order(own)))
    assert (row["ship2_add1"], row["ship2_country"], row["address_id"]) == ("9 Dock Rd", "CA", 200001)
    assert sandbox.database.rows("address", {"id": 200001})[0]["phys_address1"] != "9 Dock Rd"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"customer_id": None}, "Customer ID is required"),
        ({"ship_to_id": None}, "This column is required."),
        ({"sales_loc_id": None}, "Sales Location ID is required"),
        ({"source_loc_id": None}, "Jurisdiction ID for Order Header Tax is required"),
        ({"requested_date": "2026-11-02"}, "Requested Date must be later than Order Date"),
        ({"requested_date": None}, "Requested Date must be later than Order Date"),
        ({"customer_id": "1"}, "Invalid customer_id value: 1"),
        ({"customer_id": "ACME"}, "Invalid customer_id value: ACME"),
        ({"ship_to_id": "200002"}, "Invalid ship_to_id value: 200002"),
        ({"sales_loc_id": "99"}, "Invalid sales_loc_id value: 99"),
        ({"sales_loc_id": "40"}, "Customer 200001 does not exist for company 02"),
        ({"contact_id": "5002"}, "Invalid contact_id value: 5002"),
        ({"oe_hdr_carrier_id": "Pigeon"}, "Invalid oe_hdr_carrier_id value: Pigeon"),
        ({"oe_hdr_carrier_id": "100001"}, "Invalid oe_hdr_carrier_id value: 100001"),
        ({"order_date": "next week"}, "Invalid order_date value: next week"),
        ({"taker": "x" * 31}, f"Invalid taker value: {'x' * 31}"),
        ({"po_no": "x" * 51}, f"Invalid po_no value: {'x' * 51}"),
        ({"packing_basis": "Whatever"}, "Invalid packing_basis value: Whatever"),
        ({"company_id": "01"}, "Column is disabled: company_id"),
        ({"web_reference_no": "1"}, "Invalid column name: web_reference_no"),
        ({"PO_NO": "1"}, "Invalid column name: PO_NO"),
    ],
    ids=str,
)
async def test_a_header_p21_does_not_take_is_refused_with_200_and_nothing_saved(client, sandbox, changes, words):
    count = sandbox.database.count("oe_hdr")
    assert await client.refusal(order(**changes)) == words
    assert sandbox.database.count("oe_hdr") == count


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"oe_order_item_id": "NO-SUCH"}, "Invalid oe_order_item_id value: NO-SUCH"),
        ({"unit_of_measure": "PALLET"}, "Invalid unit_of_measure value: PALLET"),
        ({"unit_quantity": "0"}, "Invalid unit_quantity value: 0"),
        ({"unit_quantity": "four"}, "Invalid unit_quantity value: four"),
        ({"line_no": "1"}, "Invalid column name: line_no"),
        ({"disposition": "B"}, "Column is disabled: disposition"),
        ({"extended_desc": "x" * 256}, f"Invalid extended_desc value: {'x' * 256}"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_line_p21_does_not_take_is_refused(client, changes, words):
    assert await client.refusal(transactions([header(), items(LINE_10 | changes)])) == words


async def test_an_item_that_is_deleted_or_inactive_is_unknown(client, sandbox):
    for column in ("delete_flag", "inactive"):
        sandbox.database.change("inv_mast", {"item_id": "GASKET-000002"}, **{"delete_flag": "N", column: "Y"})
        assert await client.refusal(order()) == "Invalid oe_order_item_id value: GASKET-000002"


async def test_notes_are_disabled(client):
    note = element("HDR_NOTE.hdr_note", {"topic": "Web", "note": "Ring twice"}, kind="List")
    assert await client.refusal(order(note)) == "Column is disabled: topic"


async def test_ignore_disabled_passes_and_writes_nothing(client, sandbox):
    body = order(company_id="02") | {"IgnoreDisabled": True}
    assert header_of(sandbox, await client.order_no(body))["company_id"] == "01"


async def test_labels_or_codes_by_use_code_values(client, sandbox):
    labels = header_of(sandbox, await client.order_no(order(quote="ON", oe_hdr_carrier_id="FedEx Freight")))
    codes = order(quote="Y", oe_hdr_carrier_id="100002") | {"UseCodeValues": True}
    told = header_of(sandbox, await client.order_no(codes))
    for row in (labels, told):
        assert (row["projected_order"], row["carrier_id"]) == ("Y", 100002)
    assert await client.refusal(order(quote="Y")) == "Invalid quote value: Y"


async def test_edits_are_typed_in_the_order_sent(client):
    fields = {"ship_to_id": "200001", "customer_id": "200001", "sales_loc_id": "10", "source_loc_id": "10"}
    late = element("TABPAGE_1.order", fields | {"order_date": "2026-11-02", "requested_date": "2026-11-04"})
    assert await client.refusal(transactions([late, items(LINE_10)])) == "This column is required."


async def test_lines_before_the_header_have_no_customer(client):
    assert await client.refusal(transactions([items(LINE_10), header()])) == "Customer ID is required"


async def test_american_dates_are_taken(client, sandbox):
    row = header_of(sandbox, await client.order_no(order(order_date="11/02/2026", requested_date="11/05/2026")))
    assert row["requested_date"] == "2026-11-05T00:00:00"


async def test_a_contact_padded_with_blanks_is_found_by_its_trimmed_id(client, sandbox):
    sandbox.database.change("contacts", {"id": "5003".ljust(16)}, address_id=200001, delete_flag="N")
    assert header_of(sandbox, await client.order_no(order(contact_id="5003")))["contact_id"] == "5003".ljust(16)


@pytest.mark.parametrize("keys", [(), ("oe_order_item_id",)])
async def test_lines_of_one_item_collapse_without_a_line_number_as_key(client, sandbox, keys):
    (line,) = lines_of(sandbox, await client.order_no(transactions([header(), items(LINE_10, LINE_20, keys=keys)])))
    assert (line["user_line_no"], line["unit_quantity"]) == ("020", "1.000000000")


async def test_a_key_that_is_not_among_the_edits_is_refused(client):
    line = {"oe_order_item_id": "GASKET-000002", "unit_quantity": "1"}
    words = "General Exception: Sequence contains no matching element"
    assert await client.refusal(transactions([header(), items(line)])) == words


async def test_lines_without_a_number_are_numbered(client, sandbox):
    rows = [{"oe_order_item_id": item, "unit_quantity": "1"} for item in ("GASKET-000002", "BOLT-000003")]
    lines = lines_of(sandbox, await client.order_no(transactions([header(), items(*rows, keys=())])))
    assert [line["user_line_no"] for line in lines] == ["001", "002"]


async def test_one_element_per_line_makes_as_many_lines(client, sandbox):
    order_no = await client.order_no(transactions([header(), items(LINE_10), items(LINE_20)]))
    assert [line["user_line_no"] for line in lines_of(sandbox, order_no)] == ["010", "020"]


async def test_an_order_is_saved_as_a_whole_or_not_at_all(client, sandbox):
    bad = transactions([header(), items(LINE_10, LINE_20 | {"oe_order_item_id": "NO-SUCH"})])
    before = sandbox.database.count("oe_hdr"), sandbox.database.count("oe_line")
    await client.refusal(bad)
    assert (sandbox.database.count("oe_hdr"), sandbox.database.count("oe_line")) == before


async def test_several_transactions_succeed_and_fail_by_themselves(client, sandbox):
    body = transactions(
        [header(), items(LINE_10)], [header(customer_id="1"), items(LINE_10)], [header(), items(LINE_20)]
    )
    answer = (await client.write(body)).json
    assert answer["Summary"] == {"Succeeded": 2, "Failed": 1, "Other": 0}
    assert [each["Status"] for each in answer["Results"]["Transactions"]] == ["Passed", "Failed", "Passed"]
    assert answer["Messages"][1] == "Transaction 2:: Invalid customer_id value: 1"


@pytest.mark.parametrize("value", [5, True, {"a": 1}])
async def test_a_value_that_is_no_string_is_400(client, value):
    answer = await client.write(order(po_no=value))
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")


async def test_a_property_in_the_wrong_case_is_not_bound(client):
    body = order()
    body["Transactions"][0]["dataElements"] = body["Transactions"][0].pop("DataElements")
    assert await client.refusal(body) == "Customer ID is required"


@pytest.mark.parametrize(("setting", "status"), [(400, 400), (500, 500)])
async def test_any_status_but_new_is_an_error_of_the_call(client, sandbox, setting, status):
    sandbox.settings.wrong_status_answer = setting
    body = order()
    body["Transactions"][0]["Status"] = "Existing"
    assert (await client.write(body)).status == status


async def test_without_accept_the_answer_is_xml(client):
    answer = await client.write(order(), accept=None)
    assert answer.text.startswith("<TransactionResponse")
    assert "<Succeeded>1</Succeeded>" in answer.text


async def test_path_case_does_not_matter_and_another_service_is_an_empty_500(client):
    assert (await client.call("POST", "/uiserver0/API/V2/Transaction", json=order())).status == 200
    answer = await client.write(order() | {"Name": "Nonsense"})
    assert (answer.status, answer.body) == (500, b"")


async def test_a_keyed_row_updates_what_matches(client, sandbox):
    order_no = await client.order_no(order())
    changed = update(order_no, items({"user_line_no": "020", "unit_quantity": "7"}), job_name="Roof")
    assert await client.order_no(changed) == order_no
    assert header_of(sandbox, order_no)["job_name"] == "Roof"
    assert [line["unit_quantity"] for line in lines_of(sandbox, order_no)] == ["4.000000000", "7.000000000"]


async def test_a_keyed_row_inserts_what_does_not_match(client, sandbox):
    order_no = await client.order_no(order())
    await client.order_no(update(order_no, items(LINE_10 | {"user_line_no": "030"})))
    assert [line["user_line_no"] for line in lines_of(sandbox, order_no)] == ["010", "020", "030"]


async def test_a_mistyped_order_number_begins_a_new_order(client, sandbox):
    changed = order()
    changed["Transactions"][0]["DataElements"][0]["Keys"] = ["order_no"]
    changed["Transactions"][0]["DataElements"][0]["Rows"][0]["Edits"].insert(0, {"Name": "order_no", "Value": "99"})
    count = sandbox.database.count("oe_hdr")
    await client.order_no(changed)
    assert sandbox.database.count("oe_hdr") == count + 1


async def test_the_customer_of_an_order_is_disabled(client):
    order_no = await client.order_no(order())
    assert await client.refusal(update(order_no, customer_id="200001")) == "Column is disabled: customer_id"


@pytest.mark.parametrize(("completed", "words"), [("T", "is open in another window"), ("Y", "is complete")])
async def test_a_locked_or_complete_order_takes_no_change(client, sandbox, completed, words):
    order_no = await client.order_no(order())
    sandbox.database.change("oe_hdr", {"order_no": order_no}, completed=completed)
    assert words in await client.refusal(update(order_no, job_name="Roof"))


async def test_an_rma_is_not_for_this_window(client):
    words = "You cannot retrieve an RMA from the Order Entry/Front Counter window."
    assert await client.refusal(update(FIRST_ORDERS["rma"], job_name="x")) == words


async def test_customers_may_have_rules_of_their_own(client, sandbox):
    sandbox.settings.customer_rules = {"200001": {"duplicate_po_refused"}}
    await client.order_no(order())
    assert "has already been used" in await client.refusal(order())
    assert "has already been used" not in await client.order_no(order(po_no="WEB-2"))
    sandbox.settings.customer_rules = {"*": {"credit_refused"}}
    assert "credit hold" in await client.refusal(order(po_no="WEB-3"))


async def test_a_site_may_want_more_fields(client, sandbox):
    sandbox.settings.required_order_columns = {"contact_id"}
    assert await client.refusal(order()) == "contact_id is required"


async def test_a_repeated_po_may_get_something_appended(client, sandbox):
    sandbox.settings.po_no_append_on_repeat = True
    first, second = [header_of(sandbox, await client.order_no(order())) for _ in range(2)]
    assert (first.get("po_no_append"), second["po_no_append"]) == (None, "-1")
    assert first["po_no"] == second["po_no"]


async def test_the_account_may_lack_permission(client, sandbox):
    sandbox.settings.may_write_orders = False
    for method, path in (("POST", WRITE), ("GET", "/uiserver0/api/v2/definition/Order")):
        answer = await client.call(method, path)
        assert answer.status == 401
        assert answer.text.startswith("You are not authorized to access API.")
    sandbox.settings.no_permission = "window"
    assert await client.refusal(order()) == "You do not have permission to open the Order Entry window."


async def test_the_token_is_asked_for(stranger):
    assert (await stranger.write(order())).status == 401
