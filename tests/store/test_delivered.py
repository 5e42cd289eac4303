"""What the sink has acknowledged, and how little room it takes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from p21d.store.delivered import DeliveredRecord
from p21d.store.link import StoredLink

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ACME = DeliveredRecord("01|100", "100", b"f" * 16, active=True, read_at=NOON)
BYTES_PER_KEY = 300


async def acknowledge(store, *records):
    async with store.transaction() as tables:
        await tables.delivered.acknowledge("customer", records, NOON)


async def test_an_acknowledged_record_is_found_by_its_key(store):
    await acknowledge(store, ACME)
    assert await store.read.delivered.by_keys("customer", ["01|100", "01|101"]) == {"01|100": [ACME]}


async def test_a_row_may_have_several_records(store):
    billing = DeliveredRecord("01|100", "100-B", None, active=False, read_at=NOON)
    await acknowledge(store, ACME, billing)
    assert await store.read.delivered.by_keys("customer", ["01|100"]) == {"01|100": [ACME, billing]}


async def test_a_second_acknowledgement_takes_the_place_of_the_first(store):
    newer = DeliveredRecord("01|100", "100", b"g" * 16, active=False, read_at=NOON + timedelta(minutes=5))
    await acknowledge(store, ACME)
    await acknowledge(store, newer)
    assert await store.read.delivered.by_keys("customer", ["01|100"]) == {"01|100": [newer]}


async def test_an_attempt_clears_its_records_only_and_leaves_a_note_of_a_new_one(store):
    other = DeliveredRecord("01|101", "101", b"g" * 16, active=True, read_at=NOON)
    await acknowledge(store, ACME, other)
    async with store.transaction() as tables:
        await tables.delivered.note_attempts("customer", [("01|100", "100"), ("01|999", "999")])
    found = await store.read.delivered.by_keys("customer", ["01|100", "01|101", "01|999"])
    assert {key: records[0].fingerprint for key, records in found.items()} == {
        "01|100": None,
        "01|101": b"g" * 16,
        "01|999": None,
    }
    assert await store.read.delivered.known("customer", ["01|999"]) == set()
    assert await store.read.delivered.count("customer") == 2


async def test_only_an_active_record_is_known(store):
    await acknowledge(store, ACME, DeliveredRecord("01|101", "101", None, active=False, read_at=NOON))
    assert await store.read.delivered.known("customer", ["01|100", "01|101", "01|102"]) == {"01|100"}


async def test_more_keys_than_one_statement_takes_are_all_found(store):
    keys = [f"01|{number}" for number in range(2000)]
    await acknowledge(store, *(DeliveredRecord(key, key, None, active=True, read_at=NOON) for key in keys))
    assert await store.read.delivered.known("customer", keys) == set(keys)
    assert await store.read.delivered.count("customer") == 2000


async def test_no_keys_find_nothing(store):
    assert await store.read.delivered.by_keys("customer", []) == {}


async def test_a_delivered_key_and_its_link_take_at_most_300_bytes(store, path):
    numbers = list(range(50_000))
    random.Random(8).shuffle(numbers)
    empty = path.stat().st_size
    for start in range(0, len(numbers), 5000):
        await deliver_inventory(store, numbers[start : start + 5000])
    await store.backup(path.with_name("copy.db"))
    taken = (path.with_name("copy.db").stat().st_size - empty) / len(numbers)
    assert taken <= BYTES_PER_KEY


async def deliver_inventory(store, numbers):
    keys = [
        (f"01|{100_000 + number}|{10 + number % 7}", f"ITEM-{100_000 + number}|{10 + number % 7}") for number in numbers
    ]
    records = [DeliveredRecord(key, external_id, b"f" * 16, active=True, read_at=NOON) for key, external_id in keys]
    links = [
        StoredLink("Product Inventory", external_id, str(40_000_000 + number), "product_inventory", key)
        for number, (key, external_id) in zip(numbers, keys, strict=True)
    ]
    async with store.transaction() as tables:
        await tables.delivered.acknowledge("product_inventory", records, NOON)
        await tables.links.record(links)


async def test_a_record_that_may_have_been_made_inactive_counts_as_made_so_by_p21d(store):
    await acknowledge(store, ACME)
    async with store.transaction() as tables:
        await tables.delivered.expect_inactive("customer", [("01|100", "100")])
    [found] = (await store.read.delivered.by_keys("customer", ["01|100"]))["01|100"]
    assert (found.fingerprint, found.active) == (None, False)


async def test_all_records_of_a_key_that_the_sink_seems_to_have_lost_are_sent_again(store):
    billing = DeliveredRecord("01|100", "100-B", b"g" * 16, active=True, read_at=NOON)
    await acknowledge(store, ACME, billing)
    async with store.transaction() as tables:
        await tables.delivered.clear_keys("customer", ["01|100"])
    found = (await store.read.delivered.by_keys("customer", ["01|100"]))["01|100"]
    assert [record.fingerprint for record in found] == [None, None]


async def test_a_renamed_record_is_forgotten_under_its_old_name_only(store):
    billing = DeliveredRecord("01|100", "100-B", b"g" * 16, active=True, read_at=NOON)
    await acknowledge(store, ACME, billing)
    async with store.transaction() as tables:
        await tables.delivered.forget("customer", [("01|100", "100")])
    assert await store.read.delivered.by_keys("customer", ["01|100"]) == {"01|100": [billing]}
