"""What the hub refuses, and that a refused call leaves nothing behind."""

from __future__ import annotations

import pytest

from tests.sandbox.hub.bodies import address, customer, line, link, order, product

CUSTOMER = "/customers/v2/Customer"
PRODUCT = "/products/v2/Catalog/Product"
INVENTORY = "/products/v2/Catalog/Inventory"
TRANSACTION = "/transactions/v2/Transaction"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (CUSTOMER, customer(customer_number=""), "VALD-1002"),
        (CUSTOMER, customer(email_address=""), "VALD-1021"),
        (CUSTOMER, customer(first_name="", last_name=""), "VALD-1049"),
        (CUSTOMER, customer(addresses=[address(city="")]), "VALD-1002"),
        (CUSTOMER, customer(addresses=[address(country="US")]), "VALD-1045"),
        (CUSTOMER, customer(customer_number=12345), "VALD-1032"),
        (CUSTOMER, customer(addresses={}), "VALD-1032"),
        (CUSTOMER, customer(external_ids=link("1", system=99)), "VALD-1017"),
        (CUSTOMER, customer(addresses=[address("a"), address("a")]), "BIZL-1005"),
        (CUSTOMER, customer(custom_fields=[{"custom_field_name": "Route", "value": "7"}]), "VALD-1016"),
        (CUSTOMER, customer(custom_fields=[{"value": "7"}]), "VALD-1014"),
        (PRODUCT, product(type="Stock"), "VALD-1010"),
        (PRODUCT, product(tracking_method=None), "VALD-1002"),
        (PRODUCT, product(weight="1.5"), "VALD-1032"),
        (PRODUCT, product(inventory=[{"location_id": 5}]), "VALD-1038"),
        (PRODUCT, product(inventory=[{"location_id": "17"}]), "VALD-1004"),
        (INVENTORY + "?id=5", {"location_id": 17}, "VALD-1038"),
        (INVENTORY, {"location_id": 17}, "VALD-1001"),
        (TRANSACTION, order(system_id=99), "VALD-1017"),
        (TRANSACTION, order(status="Open"), "VALD-1010"),
        (TRANSACTION, order(lines=[line(sku="NONE")]), "VALD-1038"),
        (TRANSACTION, order(customer_id=5), "VALD-1038"),
        (TRANSACTION, order(company_id=5), "VALD-1038"),
        (TRANSACTION, order(company_id=0), "VALD-1005"),
        (TRANSACTION, order(addresses=[{"shipping_method": "155509"}]), "VALD-1038"),
        (TRANSACTION, order(payments=[{"method": "Cash"}]), "VALD-1038"),
        (TRANSACTION, order(created_datetime="yesterday"), "VALD-1032"),
        (CUSTOMER, b"", "VALD-1003"),
        (CUSTOMER, b"[1]", "VALD-1032"),
        (CUSTOMER, b"{", "VALD-1032"),
    ],
)
async def test_a_wrong_record_is_refused_with_its_code(api, path, body, code):
    assert (await api.post(path, body)).code == code


@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        (CUSTOMER, customer("1"), customer("1", external_ids=link("2"), addresses=[])),
        (PRODUCT, product("abc"), product("ABC ", external_ids=link("2"))),
        ("/products/v2/Catalog/Location", {"name": "Main"}, {"name": "MAIN"}),
        ("/customers/v2/Customer/Company", {"name": "Acme"}, {"name": "acme"}),
        (TRANSACTION, order("7"), order("7", type="Invoice", external_ids=link("2"))),
    ],
)
async def test_a_unique_value_is_taken_without_regard_to_case_and_names_the_holder(api, path, first, second):
    holder = (await api.post(path, first)).json["id"]
    answer = await api.post(path, second)
    assert answer.code == "BIZL-1004"
    assert f"(ID: {holder})" in answer.json["message"]


async def test_uniqueness_can_be_told_without_the_holder(api, hub):
    hub.settings.names_holder = False
    hub.create("location", name="Main")
    assert (await api.post("/products/v2/Catalog/Location", {"name": "Main"})).code == "BIZL-1006"


async def test_transaction_numbers_can_be_unique_within_a_type(api, hub):
    hub.settings.unique_within = {"transaction": ["type"]}
    await api.post(TRANSACTION, order("7"))
    assert (await api.post(TRANSACTION, order("7", type="Invoice", external_ids=link("I7")))).status == 200


async def test_more_members_can_be_made_unique(api, hub):
    hub.settings.more_unique = {"customer": ["email_address"]}
    await api.post(CUSTOMER, customer("1", email_address="ann@acme.example"))
    answer = await api.post(CUSTOMER, customer("2", email_address="ANN@acme.example"))
    assert answer.code == "BIZL-1004"


async def test_uniqueness_can_be_off_so_that_duplicates_show_in_the_counters(api, hub):
    hub.settings.check_unique = False
    for number in ("1", "2"):
        await api.post(CUSTOMER, customer("7", external_ids=link(number), addresses=[]))
    assert hub.duplicates() == {"customer": 1}


async def test_a_second_inventory_of_a_location_names_the_first(api, hub):
    hub.create("location", name="Main")
    await api.post(PRODUCT, product(inventory=[{"location_id": 17}]))
    answer = await api.post(f"{INVENTORY}?id=81234", {"location_id": 17})
    assert answer.code == "BIZL-1007"
    assert "location 17 already exists (Id: 55010)" in answer.json["message"]


async def test_an_external_id_links_one_record_only(api):
    await api.post(CUSTOMER, customer("1"))
    answer = await api.post(CUSTOMER, customer("2", external_ids=link("1")))
    assert answer.code == "BIZL-1003"


async def test_shipping_methods_are_compared_with_case(api, hub):
    hub.create("shipping_method", name="UPS")
    answers = [
        (await api.post(TRANSACTION, order(name, addresses=[{"shipping_method": name}]))).status
        for name in ("ups", "UPS")
    ]
    assert answers == [400, 200]


async def test_skus_of_lines_are_compared_without_case(api):
    await api.post(PRODUCT, product("abc"))
    assert (await api.post(TRANSACTION, order(lines=[line(sku="ABC")]))).status == 200


@pytest.mark.parametrize(
    "body",
    [
        order(lines=[line(1, external_ids=link("a")), line(2, "NONE")]),
        order(lines=[line(1, external_ids=link("a")), line(2, external_ids=link("taken"))]),
    ],
)
async def test_a_refused_post_leaves_neither_record_nor_child_nor_link(api, hub, body):
    await api.post(PRODUCT, product())
    await api.post(TRANSACTION, order("0", lines=[line(external_ids=link("taken"))]))
    hub.counters.clear()
    assert (await api.post(TRANSACTION, body)).status == 400
    assert (len(hub.records("transaction")), len(hub.records("line")), hub.writes) == (1, 1, 2)
    assert [(await api.lookup("transactions", t, e)).status for t, e in (("transaction line", "a"),)] == [404]
    # The unique transaction number is free again.
    assert (await api.post(TRANSACTION, order())).status == 200


async def test_a_refused_put_changes_nothing(api, hub):
    await api.post(PRODUCT, product())
    before = hub.records("product")
    assert (await api.put(f"{PRODUCT}/81234", product(name="New", units=[{"name": 5}]))).status == 400
    assert hub.records("product") == before


async def test_a_changed_unique_value_frees_the_old_one(api):
    await api.post(PRODUCT, product("OLD"))
    await api.put(f"{PRODUCT}/81234", product("NEW"))
    assert (await api.post(PRODUCT, product("OLD"))).status == 200


async def test_a_parent_can_come_late(api, hub, clock):
    hub.settings.parent_late_seconds = 30
    hub.create("location", name="Main")
    clock.advance(29)
    early = await api.post(PRODUCT, product(inventory=[{"location_id": 17}]))
    clock.advance(1)
    assert (early.code, (await api.post(PRODUCT, product(inventory=[{"location_id": 17}]))).status) == (
        "VALD-1038",
        200,
    )


async def test_a_defined_custom_field_is_kept(api, hub):
    hub.settings.custom_fields = {"customer": ["Route"]}
    body = customer(custom_fields=[{"custom_field_name": "Route", "value": "7"}])
    assert (await api.post(CUSTOMER, body)).json["custom_fields"][0]["value"] == "7"


async def test_object_ids_are_taken_and_shown_where_the_collections_use_them(api, hub):
    hub.settings.ids = "hex"
    location = (await api.post("/products/v2/Catalog/Location", {"name": "Main"})).json["id"]
    number = await api.post(PRODUCT, product(inventory=[{"location_id": 17}]))
    written = await api.post(PRODUCT, product(inventory=[{"location_id": location}]))
    assert (location, number.code) == ("000000000000000000000011", "VALD-1008")
    assert written.json["inventory"][0]["location_id"] == location


async def test_ids_can_be_numbers(api, hub):
    hub.settings.ids = "numbers"
    assert (await api.post(CUSTOMER, customer())).json["id"] == 30211
