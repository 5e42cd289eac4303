"""Links are unique in both directions within their link table."""

from __future__ import annotations

import pytest

from p21d.errors import StoreError
from p21d.store.link import StoredLink

ACME = StoredLink("Customer", "100", "30211", "customer", "01|100")


async def record(store, *links):
    async with store.transaction() as tables:
        await tables.links.record(links)


async def test_a_link_is_found_from_either_side(store):
    await record(store, ACME)
    assert await store.read.links.by_external_id("Customer", ["100", "101"]) == {"100": ACME}
    assert await store.read.links.by_hub_id("Customer", ["30211", "1"]) == {"30211": ACME}


async def test_link_tables_are_apart(store):
    product = StoredLink("Product", "100", "30211", "product", "100")
    await record(store, ACME, product)
    assert await store.read.links.by_hub_id("Product", ["30211"]) == {"30211": product}
    assert await store.read.links.counts() == {"Customer": 1, "Product": 1}


async def test_a_known_external_id_takes_its_new_id_of_the_sink(store):
    moved = StoredLink("Customer", "100", "30299", "customer", "01|100")
    await record(store, ACME)
    await record(store, moved)
    assert await store.read.links.by_hub_id("Customer", ["30211", "30299"]) == {"30299": moved}


async def test_one_id_of_the_sink_is_never_given_to_two_external_ids(store):
    await record(store, ACME)
    with pytest.raises(StoreError, match="UNIQUE constraint failed: link"):
        await record(store, StoredLink("Customer", "101", "30211", "customer", "01|101"))
    assert await store.read.links.by_hub_id("Customer", ["30211"]) == {"30211": ACME}


EAST = StoredLink("Address", "100|1", "77120", "customer", "01|100")
WEST = StoredLink("Address", "100|2", "77121", "customer", "01|100")


async def test_the_links_of_children_are_found_by_their_records_external_ids(store):
    strangers = [
        StoredLink("Address", "1000|1", "77122", "customer", "01|1000"),
        StoredLink("Address", "100", "77123", "customer", "01|100"),
        StoredLink("Address", "100}", "77124", "customer", "01|100"),
        StoredLink("Line", "100|1", "77120", "transaction", "100"),
    ]
    await record(store, EAST, WEST, *strangers)
    assert await store.read.links.of_children("Address", ["100", "200"]) == [EAST, WEST]


async def test_children_of_more_records_than_one_statement_takes_are_all_found(store):
    links = [StoredLink("Address", f"{number}|1", str(number), "customer", str(number)) for number in range(1000)]
    await record(store, *links)
    assert len(await store.read.links.of_children("Address", [str(number) for number in range(1000)])) == 1000


async def test_children_are_found_by_a_search_of_the_primary_key(store):
    sql = (
        "EXPLAIN QUERY PLAN WITH wanted (low, high) AS (VALUES ('1|', '1}'), ('2|', '2}')) SELECT hub_id FROM wanted "
        "CROSS JOIN link WHERE connection = 'default' AND link_table = 'a' AND external_id > low AND external_id < high"
    )
    plan = " ".join(row["detail"] for row in await store.read.links._all(sql, ()))
    assert "SEARCH link USING PRIMARY KEY (connection=? AND link_table=? AND external_id>? AND external_id<?)" in plan


async def test_a_forgotten_link_leaves_its_id_of_the_sink_free(store):
    renamed = StoredLink("Customer", "101", "30211", "customer", "01|100")
    await record(store, ACME)
    async with store.transaction() as tables:
        await tables.links.forget([ACME])
        await tables.links.record([renamed])
    assert await store.read.links.by_hub_id("Customer", ["30211"]) == {"30211": renamed}


async def test_a_link_that_has_another_id_of_the_sink_meanwhile_is_not_forgotten(store):
    await record(store, ACME)
    async with store.transaction() as tables:
        await tables.links.forget([StoredLink("Customer", "100", "30299", "customer", "01|100")])
    assert await store.read.links.counts() == {"Customer": 1}


async def test_a_child_left_behind_is_counted_until_it_is_delivered_again(store):
    await record(store, StoredLink("Address", "100|1", "77120", "customer", "01|100", left_behind=True))
    assert await store.read.links.left_behind() == {"customer": 1}
    await record(store, EAST)
    assert await store.read.links.left_behind() == {}
