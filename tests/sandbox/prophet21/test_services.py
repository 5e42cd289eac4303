from __future__ import annotations

from tests.sandbox.prophet21.order_bodies import HEADER, ITEMS, WRITE, order

BASE = "/uiserver0/api/v2"


async def test_the_definition_has_every_field_with_its_column(client):
    definition = (await client.call("GET", f"{BASE}/definition/Order")).json
    elements = {each["Name"]: each for each in definition["TransactionDefinition"]["DataElementDefinitions"]}
    fields = {each["Name"]: each for each in elements[ITEMS]["FieldDefinitions"]}
    assert elements[ITEMS]["Type"] == "List"
    assert elements[ITEMS]["KeyFields"] == ["oe_order_item_id"]
    assert fields["oe_order_item_id"]["DbColumnName"] == "inv_mast.item_id"
    assert fields["item_desc"]["DataType"] is None
    assert not {"line_no", "required_date", "tax_item"} & set(fields)
    header = {each["Name"]: each for each in elements[HEADER]["FieldDefinitions"]}
    assert header["po_no"] == {
        "Name": "po_no",
        "Label": "Customer PO Number",
        "DbColumnName": "oe_hdr.po_no",
        "DataType": "Char",
        "Required": False,
        "ValidValues": None,
    }
    assert header["quote"]["ValidValues"] == ["ON", "OFF"]
    assert "web_reference_no" not in header
    assert definition["Template"]["TransactionSet"]["Transactions"][0]["Status"] == "New"


async def test_services_defaults_and_basics_answer(client):
    assert (await client.call("GET", f"{BASE}/services")).json[0]["Name"] == "Order"
    assert (await client.call("GET", f"{BASE}/defaults/order")).status == 200
    assert (await client.call("GET", f"{BASE}/basics/Order")).json["DataElements"][0]["KeyFields"] == ["order_no"]


async def test_an_unknown_service_is_an_empty_500(client):
    answer = await client.call("GET", f"{BASE}/definition/Nonsense")
    assert (answer.status, answer.body) == (500, b"")


async def test_an_unknown_path_is_iis(client):
    assert (await client.call("GET", f"{BASE}/nonsense/Order")).text.startswith("<!DOCTYPE html")


async def test_a_window_is_read_back_with_an_empty_row_behind_the_lines(client):
    order_no = await client.order_no(order(oe_hdr_carrier_id="UPS Ground"))
    keys = [{"Name": "order_no", "Value": order_no}]
    query = {"ServiceName": "Order", "TransactionStates": [{"DataElementName": HEADER, "Keys": keys}]}
    (found,) = (await client.call("POST", f"{WRITE}/get", json=query)).json["Transactions"]
    elements = {each["Name"]: each["Rows"] for each in found["DataElements"]}
    shown = [{edit["Name"]: edit["Value"] for edit in row["Edits"]} for row in elements[ITEMS]]
    assert [line["oe_order_item_id"] for line in shown] == ["GASKET-000002", "GASKET-000002", ""]
    (header,) = [{edit["Name"]: edit["Value"] for edit in row["Edits"]} for row in elements[HEADER]]
    assert (header["order_no"], header["oe_hdr_carrier_id"], header["quote"]) == (order_no, "UPS Ground", "OFF")
