"""Creating, reading, updating and deactivating records."""

from __future__ import annotations

import pytest

from tests.sandbox.hub.bodies import address, customer, line, link, order, product


async def test_a_create_answers_200_with_the_whole_record(api):
    answer = await api.post("/customers/v2/Customer", customer())
    record = answer.json
    assert answer.status == 200
    assert record["id"] == "30211"
    assert record["created_datetime"] == "2026-07-20T14:00:00+00:00"
    assert record["updated_datetime"] is None


async def test_children_get_ids_and_links_in_the_same_commit(api):
    record = (await api.post("/customers/v2/Customer", customer())).json
    assert record["addresses"][0]["external_ids"][0]["internal_id"] == record["addresses"][0]["id"]
    assert (await api.lookup("customers", "Address", "12345|1001")).json == record["addresses"][0]["id"]


async def test_a_read_shows_what_was_written(api):
    written = (await api.post("/customers/v2/Customer", customer())).json
    assert (await api.get("/customers/v2/Customer/30211")).json == written


async def test_members_that_are_never_null_get_a_value(api):
    record = (await api.post("/transactions/v2/Transaction", order(tax_amount=None))).json
    assert (record["tax_amount"], record["subtotal"], record["customer_id"]) == (0, 0, None)


async def test_undeclared_members_are_ignored(api):
    record = (await api.post("/customers/v2/Customer", customer(favourite_colour="red"))).json
    assert "favourite_colour" not in record


async def test_instants_are_answered_in_utc(api):
    body = order(created_datetime="2026-07-20T10:00:00-04:00")
    record = (await api.post("/transactions/v2/Transaction", body)).json
    assert record["created_datetime"] == "2026-07-20T14:00:00+00:00"


async def test_an_unknown_id_is_404(api):
    answer = await api.get("/products/v2/Catalog/Product/5")
    assert (answer.status, answer.code) == (404, "NFND-1001")


@pytest.mark.parametrize(("text", "code"), [("abc", "VALD-1004"), ("0", "VALD-1005")])
async def test_an_id_that_is_no_positive_integer_is_refused(api, text, code):
    assert (await api.get(f"/products/v2/Catalog/Product/{text}")).code == code


async def test_delete_deactivates_and_answers_204(api, hub):
    await api.post("/products/v2/Catalog/Product", product())
    answer = await api.delete("/products/v2/Catalog/Product/81234")
    assert answer.status == 204
    assert [record["active"] for record in hub.records("product")] == [False]


async def test_an_inactive_record_is_looked_up_with_a_mark(api):
    await api.post("/products/v2/Catalog/Product", product())
    await api.delete("/products/v2/Catalog/Product/81234")
    assert (await api.lookup("products", "product", "ABCBH0007")).text == '"DELETED:81234"'


async def test_an_inactive_record_keeps_its_unique_value(api):
    await api.post("/products/v2/Catalog/Product", product())
    await api.delete("/products/v2/Catalog/Product/81234")
    answer = await api.post("/products/v2/Catalog/Product", product(external_ids=link("other")))
    assert answer.code == "BIZL-1009"


@pytest.mark.parametrize("path", ["81234", "Reactivate/81234"])
async def test_a_put_brings_an_inactive_record_back(api, path):
    await api.post("/products/v2/Catalog/Product", product())
    await api.delete("/products/v2/Catalog/Product/81234")
    await api.put(f"/products/v2/Catalog/Product/{path}", product())
    assert (await api.lookup("products", "product", "ABCBH0007")).json == "81234"


async def test_a_put_that_replaces_resets_members_it_does_not_name(api):
    await api.post("/products/v2/Catalog/Product", product(barcode="123"))
    assert (await api.put("/products/v2/Catalog/Product/81234", product())).json["barcode"] is None


async def test_a_put_that_merges_keeps_members_it_does_not_name(api, hub):
    hub.settings.put_mode = "merge"
    await api.post("/products/v2/Catalog/Product", product(barcode="123"))
    assert (await api.put("/products/v2/Catalog/Product/81234", {"name": "New"})).json["barcode"] == "123"


async def test_a_put_changes_the_child_it_names_by_id(api):
    written = (await api.post("/customers/v2/Customer", customer())).json
    child = address(id=int(written["addresses"][0]["id"]), city="Akron")
    changed = (await api.put("/customers/v2/Customer/30211", customer(addresses=[child]))).json
    assert [(item["id"], item["city"]) for item in changed["addresses"]] == [("77120", "Akron")]


async def test_a_child_without_its_id_is_a_new_child(api):
    await api.post("/customers/v2/Customer", customer())
    changed = (await api.put("/customers/v2/Customer/30211", customer(addresses=[address()]))).json
    assert len(changed["addresses"]) == 2


async def test_a_child_without_its_id_cannot_take_its_twins_link(api):
    await api.post("/customers/v2/Customer", customer())
    assert (await api.put("/customers/v2/Customer/30211", customer())).code == "BIZL-1003"


@pytest.mark.parametrize(("mode", "left"), [("replace", 2), ("merge", 2), ("delete_absent_children", 1)])
async def test_put_mode_decides_over_children_that_a_put_does_not_hold(api, hub, mode, left):
    hub.settings.put_mode = mode
    written = (await api.post("/customers/v2/Customer", customer(addresses=[address("a"), address("b")]))).json
    kept = address(id=written["addresses"][0]["id"])
    changed = (await api.put("/customers/v2/Customer/30211", customer(addresses=[kept]))).json
    assert len(changed["addresses"]) == left


async def test_the_id_of_another_records_child_is_refused(api):
    await api.post("/customers/v2/Customer", customer("1"))
    await api.post("/customers/v2/Customer", customer("2"))
    answer = await api.put("/customers/v2/Customer/30212", customer("2", addresses=[address(id=77120)]))
    assert answer.code == "NFND-1005"


async def test_a_put_counts_as_one_more_write_of_the_record(api, hub):
    await api.post("/products/v2/Catalog/Product", product())
    await api.put("/products/v2/Catalog/Product/81234", product())
    assert ([record["writes"] for record in hub.records("product")], hub.writes) == ([2], 2)


async def test_inventory_is_shown_inside_its_product(api, hub):
    hub.create("location", name="Main")
    await api.post("/products/v2/Catalog/Product", product())
    body = {"parent_id": 81234, "location_id": 17, "qty_on_hand": 40.0, "external_ids": link("ABCBH0007|10")}
    written = (await api.post("/products/v2/Catalog/Inventory?id=81234", body)).json
    assert (written["location_id"], written["parent_id"]) == ("17", 81234)
    assert (await api.get("/products/v2/Catalog/Product/81234")).json["inventory"] == [written]


async def test_inventories_of_a_product_are_listed(api, hub):
    hub.create("location", name="Main")
    await api.post("/products/v2/Catalog/Product", product(inventory=[{"location_id": 17}]))
    await api.post("/products/v2/Catalog/Product", product("B"))
    assert len((await api.get("/products/v2/Catalog/Inventories", id="81234")).json) == 1
    assert (await api.get("/products/v2/Catalog/Inventories", id="81235")).json == []


async def test_tracking_has_an_endpoint_of_its_own(api, hub):
    hub.create("shipping_method", name="155509")
    await api.post("/transactions/v2/Transaction", order())
    body = {"shipping_method": "155509", "tracking_number": "1Z9", "external_ids": link("155509|62679")}
    written = (await api.post("/transactions/v2/Transaction/Tracking?id=149049", body)).json
    assert (await api.get("/transactions/v2/Transaction/149049")).json["tracking"] == [written]


async def test_tracking_goes_by_put_of_the_transaction_too(api, hub):
    hub.create("shipping_method", name="155509")
    await api.post("/transactions/v2/Transaction", order())
    body = order(tracking=[{"shipping_method": "155509", "tracking_number": "1Z9"}])
    assert len((await api.put("/transactions/v2/Transaction/149049", body)).json["tracking"]) == 1


async def test_the_tracking_endpoint_can_be_switched_off(api, hub):
    hub.settings.own_paths_off = ["tracking"]
    assert (await api.post("/transactions/v2/Transaction/Tracking?id=149049", {})).status == 404


async def test_nested_tracking_can_be_ignored(api, hub):
    hub.settings.nested_off = ["tracking"]
    body = order(tracking=[{"tracking_number": "1Z9"}])
    assert (await api.post("/transactions/v2/Transaction", body)).json["tracking"] == []


async def test_lines_have_no_endpoint_of_their_own(api):
    assert (await api.post("/transactions/v2/Transaction/Line?id=149049", line())).status in {404, 405}


async def test_records_survive_a_restart(tmp_path):
    from p21d.sandbox.hub import HubSandbox

    first = HubSandbox(tmp_path / "hub.db")
    first.create("location", name="Main")
    first.close()
    second = HubSandbox(tmp_path / "hub.db")
    assert [second.records("location")[0]["name"], second.create("location", name="East")["id"]] == ["Main", "18"]
    second.close()
