"""Orders, invoices and parcels over both simulators: what P21 has ends right in the hub, and nothing is mixed up."""

from __future__ import annotations

import pytest

from tests.engine.world import PARENTS_FIRST

OLD = "2020-01-01T00:00:00"
MASTERS = ("location", "company", "customer", "product")


@pytest.fixture
async def masters(make):
    """An engine whose hub has companies, customers and products."""
    engine = make(prophet21={"companies": ["01"]})
    await engine.sweep_all(*MASTERS)
    return engine


def order_of(engine, *, lines=2, **columns):
    """Add an order of customer 200001 with that many lines, an hour old by its header; return its number."""
    pattern = engine.p21.rows("oe_hdr", {"order_no": "1400001"})[0]
    number = str(1_500_001 + engine.p21.count("oe_hdr"))
    flags = {"completed": "N", "cancel_flag": "N", "delete_flag": "N", "projected_order": "N", "rma_flag": "N"}
    own = {"order_no": number, "oe_hdr_uid": int(number), "company_id": "01", "customer_id": 200001}
    engine.p21.insert("oe_hdr", **pattern | flags | {"freight_out": "5.0000"} | own | columns)
    for line_no in range(1, lines + 1):
        add_line(engine, columns.get("order_no", number), line_no)
    return columns.get("order_no", number)


def add_line(engine, order_no, line_no, **columns):
    pattern = engine.p21.rows("oe_line", {"order_no": "1400001"})[0]
    uid = 9_500_001 + engine.p21.count("oe_line")
    own = {"order_no": order_no, "line_no": line_no, "oe_line_uid": uid, "inv_mast_uid": line_no, "complete": "N"}
    sizes = {"qty_ordered": "20.000000000", "unit_size": "10.000000000", "pricing_unit_size": "10.000000000"}
    state = {"qty_invoiced": "0", "qty_canceled": "0", "disposition": None, "cancel_flag": "N", "delete_flag": "N"}
    prices = {"unit_price": "12.500000000", "extended_price": "25.0000", "sales_tax": "0", "other_charge": "N"}
    engine.p21.insert("oe_line", **pattern | own | sizes | state | prices | columns)


def add_invoice(engine, invoice_no, order_no, **columns):
    pattern = engine.p21.rows("invoice_hdr")[0]
    line = engine.p21.rows("invoice_line")[0]
    amounts = {"total_amount": "25.0000", "freight": "0", "tax_amount": "0", "other_charge_amount": "0"}
    customer = {"customer_id": "200001", "customer_id_number": 200001, "company_no": "01"}
    own = {"invoice_no": invoice_no, "order_no": order_no}
    engine.p21.insert("invoice_hdr", **pattern | amounts | customer | own | columns)
    uid = 5_500_001 + engine.p21.count("invoice_line")
    prices = {"qty_shipped": "2", "extended_price": "25.0000", "inv_mast_uid": 1, "invoice_line_uid": uid}
    engine.p21.insert("invoice_line", **line | prices | own)


def add_ticket(engine, order_no, **columns):
    pattern = engine.p21.rows("oe_pick_ticket")[0]
    number = 2_500_001 + engine.p21.count("oe_pick_ticket")
    own = {"pick_ticket_no": number, "order_no": order_no, "company_id": "01", "carrier_id": 100001}
    engine.p21.insert("oe_pick_ticket", **pattern | own | {"tracking_no": None, "delete_flag": "N"} | columns)
    return number


def add_label(engine, ticket, number, **columns):
    fixed = {"pick_ticket_no": ticket, "tracking_no": number, "carrier_name": "UPS Ground", "delete_flag": "N"}
    engine.p21.insert("clippership_return_10004", **fixed | {"total_charge": "8.4100"} | columns)


def transactions(engine):
    return {record["transaction_number"]: record for record in engine.hub.records("transaction")}


def parcels(engine, order_no):
    return {parcel["tracking_number"]: parcel for parcel in transactions(engine)[order_no]["tracking"]}


async def run_trigger(engine, name):
    """Poll a trigger and release what it parked."""
    [watch] = [trigger for trigger in engine.runner(name.partition("<")[0]).triggers if trigger.name == name]
    await watch.run_window("poll")
    await engine.releases(name.partition("<")[0]).run_due()


async def test_an_order_arrives_with_its_lines_in_the_order_unit(masters):
    number = order_of(masters)
    await masters.sweep("transaction")
    record = transactions(masters)[number]
    assert [(line["qty"], line["unit_price"], line["extended_price"]) for line in record["lines"]] == [
        (2, 12.5, 25)
    ] * 2
    assert (record["type"], record["status"], record["subtotal"], record["total"]) == ("Order", "Pending", 50, 55)
    assert [address["shipping_method"] for address in record["addresses"]] == ["100001"]


async def test_a_line_changed_alone_sends_the_order_again(masters):
    number = order_of(masters, date_last_modified=OLD)
    await deliver_by_key(masters, number)
    masters.p21.change("oe_line", {"order_no": number, "line_no": 1}, qty_invoiced="10.000000000")
    await masters.poll("transaction")
    assert transactions(masters)[number]["writes"] == 1
    await run_trigger(masters, "transaction<oe_line")
    record = transactions(masters)[number]
    assert (record["status"], record["lines"][0]["qty_shipped"], record["writes"]) == ("Backorder", 1, 2)


async def test_an_order_that_did_not_change_costs_no_call(masters):
    number = order_of(masters)
    await masters.sweep("transaction")
    writes = masters.hub.writes
    masters.p21.change("oe_hdr", {"order_no": number}, stamp=True)
    await masters.sweep("transaction")
    assert masters.hub.writes == writes


async def test_a_quote_is_skipped_by_that_name_and_sent_once_it_is_an_order(masters):
    number = order_of(masters, projected_order="Y")
    await masters.sweep("transaction")
    assert number not in transactions(masters)
    masters.p21.change("oe_hdr", {"order_no": number}, projected_order="N")
    await masters.sweep("transaction")
    assert number in transactions(masters)


async def test_freight_is_folded_into_the_shipping_amount_and_parks_nothing(masters):
    number = order_of(masters)
    add_line(masters, number, 3, inv_mast_uid=None, other_charge="Y", extended_price="40.0000")
    add_line(masters, number, 4, inv_mast_uid=999_999, extended_price="10.0000")
    tally = await masters.sweep("transaction")
    record = transactions(masters)[number]
    assert (len(record["lines"]), record["shipping_amount"], record["total"]) == (2, 55, 105)
    assert (tally.waiting, tally.dead_lettered) == (0, 0)


async def test_a_deleted_order_becomes_cancelled(masters):
    number = order_of(masters)
    await masters.sweep("transaction")
    masters.p21.change("oe_hdr", {"order_no": number}, delete_flag="Y")
    await masters.sweep("transaction")
    assert transactions(masters)[number]["status"] == "Cancelled"


async def test_a_line_that_is_deleted_becomes_cancelled_and_empty(masters):
    number = order_of(masters)
    await masters.sweep("transaction")
    masters.p21.change("oe_line", {"order_no": number, "line_no": 2}, delete_flag="Y")
    masters.p21.change("oe_hdr", {"order_no": number}, stamp=True)
    await masters.sweep("transaction")
    record = transactions(masters)[number]
    assert [(line["status"], line["qty"]) for line in record["lines"]] == [("Pending", 2), ("Cancelled", 0)]
    assert record["subtotal"] == 25


async def test_an_order_waits_for_the_product_of_its_line(masters):
    pattern = masters.p21.rows("inv_mast", {"inv_mast_uid": 1})[0]
    masters.p21.insert("inv_mast", **pattern | {"inv_mast_uid": 7777, "item_id": "LATE-1", "date_last_modified": OLD})
    number = order_of(masters)
    add_line(masters, number, 3, inv_mast_uid=7777)
    assert (await masters.sweep("transaction")).waiting == 1
    await masters.release_all()
    assert [line["sku"] for line in transactions(masters)[number]["lines"]][2] == "LATE-1"


async def test_an_invoice_keeps_its_zeros_and_names_all_its_orders(masters):
    add_invoice(masters, "0235598", "1400001")
    line = masters.p21.rows("invoice_line", {"invoice_no": "0235598"})[0]
    masters.p21.insert("invoice_line", **line | {"invoice_line_uid": 7_000_001, "line_no": 2, "order_no": "1400002"})
    await masters.sweep("invoice")
    record = transactions(masters)["0235598"]
    assert (record["type"], record["external_ids"][0]["external_id"]) == ("Invoice", "0235598")
    assert [note["text"] for note in record["notes"] if note["type"] == "Orders"] == ["1400001, 1400002"]


async def test_a_line_changed_alone_sends_the_invoice_again(masters):
    add_invoice(masters, "0235598", "1400001", date_last_modified=OLD)
    await deliver_by_key(masters, "0235598", "invoice")
    masters.p21.change("invoice_line", {"invoice_no": "0235598"}, extended_price="30.0000")
    await run_trigger(masters, "invoice<invoice_line")
    assert transactions(masters)["0235598"]["subtotal"] == 30


async def test_an_invoice_of_an_orders_number_is_a_dead_letter_that_names_both(masters):
    number = order_of(masters)
    add_invoice(masters, number, "1400001")
    await masters.sweep("transaction")
    before = transactions(masters)[number]
    await masters.sweep("invoice")
    letter = (await masters.letters("invoice"))[number]
    assert f"transaction {number}" in letter["error"]
    assert f"invoice {number}" in letter["error"]
    assert transactions(masters)[number] == before


async def test_an_order_of_an_invoices_number_is_a_dead_letter_that_names_both(masters):
    number = order_of(masters)
    add_invoice(masters, number, "1400001")
    await masters.sweep("invoice")
    before = transactions(masters)[number]
    await masters.sweep("transaction")
    letter = (await masters.letters("transaction"))[number]
    assert f"transaction {number}" in letter["error"]
    assert f"invoice {number}" in letter["error"]
    assert (before["type"], transactions(masters)[number]) == ("Invoice", before)


async def test_a_prefix_tells_an_order_and_an_invoice_of_one_number_apart(make):
    engine = make(prophet21={"companies": ["01"]}, entities={"invoice": {"options": {"number_prefix": "INV-"}}})
    await engine.sweep_all(*MASTERS)
    number = order_of(engine)
    add_invoice(engine, number, "1400001")
    await engine.sweep_all("transaction", "invoice")
    found = transactions(engine)
    assert (found[number]["type"], found[f"INV-{number}"]["type"]) == ("Order", "Invoice")
    assert await engine.letters() == {}


async def test_a_prefix_given_later_renames_what_was_delivered(masters, make):
    add_invoice(masters, "0235598", "1400001")
    await masters.sweep("invoice")
    later = make(prophet21={"companies": ["01"]}, entities={"invoice": {"options": {"number_prefix": "INV-"}}})
    await later.sweep("invoice")
    found = transactions(later)
    assert "0235598" not in found
    assert found["INV-0235598"]["external_ids"][0]["external_id"] == "INV-0235598"


async def test_a_parcel_never_goes_under_an_invoice_of_the_orders_number(masters):
    number = order_of(masters, date_last_modified=OLD)
    add_invoice(masters, number, "1400001")
    add_ticket(masters, number, tracking_no="1Z1")
    await masters.sweep("invoice")
    await masters.sweep("transaction_tracking_number")
    await masters.release_all()
    assert transactions(masters)[number]["tracking"] == []
    assert number in (await masters.letters("transaction"))


async def test_a_parcel_never_goes_under_an_invoice_that_another_integration_made(masters):
    number = order_of(masters, date_last_modified=OLD)
    add_ticket(masters, number, tracking_no="1Z1")
    link = {"system_id": 5120, "external_id": number}
    members = {"transaction_number": number, "type": "Invoice", "status": "Shipped", "system_id": 5120}
    masters.hub.create("transaction", **members, external_ids=[link])
    await masters.sweep("transaction_tracking_number")
    await masters.release_all()
    record = transactions(masters)[number]
    assert (record["type"], record["tracking"]) == ("Invoice", [])
    assert "Invoice" in (await masters.letters("transaction"))[number]["error"]


async def test_two_parcels_of_one_order_by_one_carrier_are_kept_apart(masters):
    number = order_of(masters)
    ticket = add_ticket(masters, number)
    add_label(masters, ticket, "1Z1")
    add_label(masters, ticket, "1Z2", total_charge="3.0000")
    await masters.sweep_all("transaction", "transaction_tracking_number")
    found = parcels(masters, number)
    assert {name: parcel["cost"] for name, parcel in found.items()} == {"1Z1": 8.41, "1Z2": 3}
    ids = {parcel["external_ids"][0]["external_id"] for parcel in found.values()}
    assert ids == {f"100001|{number}|1Z1", f"100001|{number}|1Z2"}


async def test_a_parcel_of_the_hubs_own_integration_is_taken_over_where_the_number_agrees(masters):
    number = order_of(masters)
    await masters.sweep("transaction")
    two_part = {"system_id": 5120, "external_id": f"100001|{number}"}
    made = {"parent_id": int(transactions(masters)[number]["id"]), "shipping_method": "100001"}
    masters.hub.create("tracking", **made, tracking_number="1Z2", external_ids=[two_part])
    ticket = add_ticket(masters, number)
    add_label(masters, ticket, "1Z1")
    add_label(masters, ticket, "1Z2")
    await masters.sweep("transaction_tracking_number")
    found = transactions(masters)[number]["tracking"]
    assert sorted(parcel["tracking_number"] for parcel in found) == ["1Z1", "1Z2"]
    assert sorted(parcel["external_ids"][0]["external_id"] for parcel in found) == [
        f"100001|{number}|1Z1",
        f"100001|{number}|1Z2",
    ]


async def test_parcels_that_travel_under_one_number_are_one(masters):
    number = order_of(masters)
    ticket = add_ticket(masters, number)
    for _ in range(3):
        add_label(masters, ticket, "1Z1")
    await masters.sweep_all("transaction", "transaction_tracking_number")
    assert [parcel["cost"] for parcel in parcels(masters, number).values()] == [25.23]


async def test_a_ticket_waits_for_its_order(masters):
    number = order_of(masters, date_last_modified=OLD)
    add_ticket(masters, number, tracking_no="1Z1")
    await masters.sweep("transaction_tracking_number")
    assert number not in transactions(masters)
    await masters.release_all()
    assert set(parcels(masters, number)) == {"1Z1"}


async def test_a_shipment_alone_sends_its_ticket_again(masters):
    number = order_of(masters)
    ticket = add_ticket(masters, number, date_last_modified=OLD)
    await masters.sweep_all("transaction", "transaction_tracking_number")
    columns = {"transaction_type_cd": 1000, "transaction_no": ticket, "row_status_flag": 2175, "carrier_id": 100002}
    masters.p21.insert("shipment", shipment_uid=77, shipment_id="SHIP-1", **columns)
    await run_trigger(masters, "transaction_tracking_number<shipment")
    assert parcels(masters, number)["SHIP-1"]["shipping_method"] == "100002"


async def test_a_cancelled_parcel_is_skipped_by_that_name(masters):
    number = order_of(masters)
    ticket = add_ticket(masters, number)
    add_label(masters, ticket, "* * CANCELLED * *")
    await masters.sweep_all("transaction", "transaction_tracking_number")
    assert parcels(masters, number) == {}
    assert (await masters.store.read.skipped.by_keys("transaction_tracking_number", [str(ticket)])) == {
        str(ticket): "cancelled"
    }


async def test_a_parcel_that_is_cancelled_beside_another_says_so_in_the_hub(masters):
    number = order_of(masters)
    ticket = add_ticket(masters, number)
    add_label(masters, ticket, "1Z1")
    add_label(masters, ticket, "1Z2")
    await masters.sweep_all("transaction", "transaction_tracking_number")
    masters.p21.change("clippership_return_10004", {"tracking_no": "1Z2"}, tracking_no="* * CANCELLED * *")
    masters.p21.change("oe_pick_ticket", {"pick_ticket_no": ticket}, stamp=True)
    await masters.sweep("transaction_tracking_number")
    assert set(parcels(masters, number)) == {"1Z1", "CANCELLED"}


async def test_a_site_without_clippership_has_its_parcels_all_the_same(masters):
    masters.served.p21.settings.missing_tables = {"clippership_return_10004"}
    number = order_of(masters)
    add_ticket(masters, number, tracking_no="1Z1")
    await masters.sweep_all("transaction", "transaction_tracking_number")
    assert set(parcels(masters, number)) == {"1Z1"}


async def test_a_carrier_without_a_shipping_method_is_a_dead_letter_that_names_it(masters):
    number = order_of(masters)
    ticket = add_ticket(masters, number, carrier_id=100777, tracking_no="1Z1")
    await masters.sweep_all("transaction", "transaction_tracking_number")
    letter = (await masters.letters("transaction_tracking_number"))[str(ticket)]
    assert "100777" in letter["error"] + letter["hint"]
    assert "shipping method" in letter["error"] + letter["hint"]


async def test_a_whole_distributor_arrives_and_nothing_is_left(make):
    engine = make(prophet21={"companies": ["01"]})
    await engine.sweep_all(*PARENTS_FIRST)
    await engine.release_all()
    assert await engine.letters() == {}
    assert engine.hub.duplicates() == {}


async def deliver_by_key(engine, key, entity="transaction"):
    """Have one row read and delivered whatever its stamp says."""
    async with engine.store.transaction() as tables:
        await tables.waiting.park_triggered(entity, [key], engine.clock.now())
    await engine.releases(entity).run_due()
    assert key in transactions(engine)
