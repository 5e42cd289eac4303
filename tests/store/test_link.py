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
