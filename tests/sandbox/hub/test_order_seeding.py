from __future__ import annotations

import pytest

from tests.sandbox.hub.bodies import customer, product


def transactions(hub):
    return {record["id"]: record for record in hub.records("transaction")}


@pytest.fixture
def acme(hub):
    """Return the hub's company Acme, which has one customer."""
    company = hub.create("company", name="Acme Supply")
    hub.create("customer", **customer() | {"company": "ACME supply "})
    return company


def test_an_order_names_the_company_whose_name_its_customer_carries(hub, acme):
    hub.seed_orders(3)
    assert {record["company_id"] for record in transactions(hub).values()} == {int(acme["id"])}


def test_an_order_of_a_customer_without_company_names_none(hub):
    hub.create("company", name="Acme Supply")
    hub.seed_orders(2)
    assert {record["company_id"] for record in transactions(hub).values()} == {None}


def test_companies_instants_and_numbers_may_be_wished(hub, acme):
    other = hub.create("company", name="Other")
    ids = (int(acme["id"]), int(other["id"]))
    wishes = {"created_at": ("2026-01-05T10:00:00+00:00",), "numbers": ("A-1", "A-2")}
    hub.seed_orders(3, company_ids=ids, **wishes)
    seeded = list(transactions(hub).values())
    assert [record["company_id"] for record in seeded] == [ids[0], ids[1], ids[0]]
    assert {record["created_datetime"][:10] for record in seeded} == {"2026-01-05"}
    assert [record["transaction_number"] for record in seeded][:2] == ["A-1", "A-2"]


def test_only_products_for_sale_are_ordered(hub):
    hub.create("product", **product(sku="OLD") | {"status": "Inactive"})
    hub.create("product", **product(sku="NEW"))
    hub.seed_orders(5)
    assert {line["sku"] for record in transactions(hub).values() for line in record["lines"]} == {"NEW"}


def test_a_sku_that_the_hub_lacks_is_a_product_of_the_shop_alone(hub):
    hub.seed_orders(1, skus=("SHOP-1",))
    hub.seed_orders(1, skus=("shop-1",))
    [made] = hub.records("product")
    assert (made["sku"], made["external_ids"]) == ("SHOP-1", [])


async def test_wishes_come_over_http_too(api, hub):
    ids = (await api.post("/_sandbox/orders", {"count": 1, "numbers": ["B-1"]})).json["ids"]
    assert [record["transaction_number"] for record in transactions(hub).values()] == ["B-1"]
    assert len(ids) == 1


def test_the_portal_changes_one_member_and_leaves_the_rest(hub):
    (order_id,) = hub.seed_orders(1, types=("Order",), statuses=("Pending",))
    before = hub.records("transaction")[0]
    after = hub.change("transaction", order_id, status="Cancelled")
    assert (after["status"], after["total"], len(after["lines"])) == (
        "Cancelled",
        before["total"],
        len(before["lines"]),
    )
    assert after["updated_datetime"] is not None
    with pytest.raises(KeyError):
        hub.change("transaction", 1, status="Cancelled")
