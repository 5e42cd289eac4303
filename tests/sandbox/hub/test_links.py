"""The external-id calls."""

from __future__ import annotations

import pytest
from yarl import URL

from tests.sandbox.hub.bodies import customer, link, order, product

UPDATE = "/products/v2/External/UpdateExternalId"


def body(external_id="ABCBH0007", internal_id="81234", table="product"):
    return {"table_name": table, "system_id": 5120, "external_id": external_id, "internal_id": internal_id}


async def test_a_lookup_answers_the_id_as_json_text(api):
    await api.post("/products/v2/Catalog/Product", product('1/2" x|y'))
    assert (await api.lookup("products", "PRODUCT", '1/2" x|y')).text == '"81234"'


async def test_a_lookup_that_misses_is_404(api):
    assert (await api.lookup("products", "product", "none")).status == 404


async def test_a_lookup_by_path_answers_the_same(api):
    await api.post("/products/v2/Catalog/Product", product("A 1"))
    assert (await api.get("/products/v2/External/LookupSpaceport/5120/product/A%201")).json == "81234"


async def test_a_lookup_by_path_takes_an_encoded_slash(api):
    await api.post("/products/v2/Catalog/Product", product("A/1|x"))
    address = URL(f"{api.url}/products/v2/External/LookupSpaceport/5120/product/A%2F1%7Cx", encoded=True)
    async with api.session.get(address, headers={"Authorization": "Bearer hub-key"}) as answer:
        assert await answer.json() == "81234"


async def test_the_external_id_of_a_record_is_found(api):
    await api.post("/customers/v2/Customer", customer())
    assert (await api.get("/customers/v2/External/LookupExternal/30211/5120/customer")).json == "12345"
    assert (await api.get("/customers/v2/External/LookupExternal/77120/5120/Address")).json == "12345|1001"


@pytest.mark.parametrize(
    ("family", "table", "code"),
    [("customers", "product", "NFND-1003"), ("products", "nonsense", "NFND-1003"), ("products", "", "VALD-1007")],
)
async def test_a_table_is_asked_of_its_own_family(api, family, table, code):
    assert (await api.lookup(family, table, "1")).code == code


async def test_the_wrong_family_is_told_the_right_one(api):
    assert "Products" in (await api.lookup("customers", "product", "1")).json["message"]


async def test_a_table_can_be_unknown(api, hub):
    hub.settings.unknown_tables = ["customer company"]
    assert (await api.lookup("customers", "Customer Company", "1")).code == "NFND-1003"


async def test_a_link_is_made_and_the_same_members_come_back(api, hub):
    hub.create("product", **product(external_ids=[]))
    assert (await api.post(UPDATE, body())).json == body()
    assert (await api.lookup("products", "product", "ABCBH0007")).json == "81234"


async def test_a_new_external_id_replaces_the_records_old_one(api):
    await api.post("/products/v2/Catalog/Product", product("OLD"))
    await api.post(UPDATE, body("NEW"))
    assert (await api.lookup("products", "product", "OLD")).status == 404


async def test_an_external_id_of_another_record_is_refused(api):
    await api.post("/products/v2/Catalog/Product", product("A"))
    await api.post("/products/v2/Catalog/Product", product("B"))
    assert (await api.post(UPDATE, body("A", "81235"))).code == "BIZL-1003"


async def test_an_unknown_internal_id_is_refused(api):
    assert (await api.post(UPDATE, body())).code == "NFND-1005"


async def test_a_link_is_removed(api):
    await api.post("/products/v2/Catalog/Product", product())
    statuses = [(await api.delete("/products/v2/External", body())).status for _ in range(2)]
    assert statuses == [204, 404]


async def test_units_share_the_products_table(api):
    units = [{"name": "EA", "external_ids": link("ABCBH0007")}]
    answer = await api.post("/products/v2/Catalog/Product", product(units=units))
    assert answer.code == "BIZL-1005"


async def test_missing_lists_records_without_a_link_for_the_system(api):
    await api.post("/transactions/v2/Transaction", order("1"))
    await api.post("/transactions/v2/Transaction", order("2", external_ids=link("W2", system=5121)))
    answer = await api.get("/transactions/v2/External/Missing/5120/transaction")
    assert answer.json == ["149050"]
    assert '"total_Count":1' in answer.headers["X-Pagination"]


@pytest.mark.parametrize(
    ("form", "shown"),
    [("text", "149049"), ("numbers", 149049), ("objects", {"id": 149049, "type": "Order"})],
)
async def test_missing_has_several_forms(api, hub, form, shown):
    hub.settings.missing_answer = form
    hub.create("transaction", **order(external_ids=[]))
    assert (await api.get("/transactions/v2/External/Missing/5120/transaction")).json == [shown]


async def test_missing_can_name_an_id_that_is_then_404(api, hub):
    hub.settings.missing_ghost = True
    (ghost,) = (await api.get("/transactions/v2/External/Missing/5120/transaction")).json
    assert (await api.get(f"/transactions/v2/Transaction/{ghost}")).status == 404


async def test_missing_can_come_in_pages(api, hub):
    hub.settings.page_rows = 2
    ids = [str(number) for number in hub.seed_orders(3)]
    pages = [
        (await api.get("/transactions/v2/External/Missing/5120/transaction", pageNumber=page)).json for page in (1, 2)
    ]
    assert pages == [ids[:2], ids[2:]]


async def test_an_order_can_be_linked_by_somebody_else_after_the_list(api, hub):
    hub.settings.missing_taken_next = 1
    (order_id,) = hub.seed_orders(1)
    await api.get("/transactions/v2/External/Missing/5120/transaction")
    assert (await api.get(f"/transactions/v2/External/LookupExternal/{order_id}/5120/transaction")).status == 200


@pytest.mark.parametrize(
    ("form", "text"), [("quoted", '"81234"'), ("bare", "81234"), ("escaped", r'"\u0038\u0031\u0032\u0033\u0034"')]
)
async def test_a_hit_has_several_forms(api, hub, form, text):
    hub.settings.lookup_answer = form
    await api.post("/products/v2/Catalog/Product", product())
    assert (await api.lookup("products", "product", "ABCBH0007")).text == text


@pytest.mark.parametrize(("form", "status"), [("empty", 200), ("no_content", 204)])
async def test_a_miss_can_be_an_empty_success(api, hub, form, status):
    hub.settings.lookup_answer = form
    answer = await api.lookup("products", "product", "none")
    assert (answer.status, answer.text) == (status, "")


async def test_a_record_can_be_saved_without_its_link(api, hub):
    hub.settings.link_lost_next = 1
    await api.post("/products/v2/Catalog/Product", product())
    assert (await api.lookup("products", "product", "ABCBH0007")).status == 404
    assert hub.settings.link_lost_next == 0


@pytest.mark.parametrize(("mode", "count"), [("add", 2), ("replace", 1)])
async def test_nested_links_add_or_replace(api, hub, mode, count):
    hub.settings.nested_links = mode
    both = [*link("A"), *link("W", system=5121)]
    await api.post("/products/v2/Catalog/Product", product("A", external_ids=both))
    changed = (await api.put("/products/v2/Catalog/Product/81234", product("A"))).json
    assert len(changed["external_ids"]) == count
