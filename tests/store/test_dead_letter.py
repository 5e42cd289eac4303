"""Dead letters are opened once, counted, closed, and forgotten only when closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from p21d.store.dead_letter import DeadLetter

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LETTER = DeadLetter(
    entity="customer",
    key="01|100",
    external_id="100",
    code="VALD-1",
    error="no state",
    attempts=1,
    fingerprint=b"f" * 16,
)


async def add(store, *letters, at=NOON):
    async with store.transaction() as tables:
        await tables.dead_letters.add(letters, at)


async def close(store, *keys, at=NOON):
    async with store.transaction() as tables:
        return await tables.dead_letters.close("customer", keys, "delivered", at)


async def test_a_dead_letter_keeps_what_was_sent_and_answered(store):
    letter = replace(
        LETTER, hint="fill it in", plugin="acme 1.2", body='{"a":1}', parent_entity="company", parent_key="01"
    )
    await add(store, letter)
    (found,) = await store.read.dead_letters.listed()
    expected = {name: getattr(letter, name) for name in DeadLetter.__slots__} | {"fingerprint": "66" * 16}
    assert {name: found[name] for name in expected} == expected


async def test_a_second_failure_of_a_record_is_counted_in_its_open_dead_letter(store):
    await add(store, LETTER)
    await add(store, replace(LETTER, error="no zip", attempts=2), at=NOON + HOUR)
    (found,) = await store.read.dead_letters.listed()
    assert (found["error"], found["times"], found["attempts"]) == ("no zip", 2, 3)
    assert (found["first_at"], found["last_at"], found["closed_at"]) == (NOON, NOON + HOUR, None)


async def test_the_same_content_met_again_is_only_counted(store):
    await add(store, LETTER)
    async with store.transaction() as tables:
        await tables.dead_letters.count_again("customer", ["01|100"], NOON + HOUR)
    (found,) = await store.read.dead_letters.listed()
    assert (found["times"], found["attempts"], found["last_at"]) == (2, 1, NOON + HOUR)


async def test_records_of_one_row_have_their_own_dead_letters(store):
    await add(store, LETTER, replace(LETTER, external_id="100-B", fingerprint=None))
    found = await store.read.dead_letters.open_by_keys("customer", ["01|100"])
    assert {key: letter.fingerprint for key, letter in found.items()} == {
        ("01|100", "100"): b"f" * 16,
        ("01|100", "100-B"): None,
    }


async def test_a_closed_dead_letter_is_open_no_more(store):
    await add(store, LETTER)
    assert await close(store, "01|100") == 1
    assert await store.read.dead_letters.listed() == []
    assert await store.read.dead_letters.counts() == {}


async def test_a_record_that_fails_after_its_letter_was_closed_gets_a_new_one(store):
    await add(store, LETTER)
    await close(store, "01|100")
    await add(store, LETTER)
    (found,) = await store.read.dead_letters.listed()
    assert (found["id"], found["times"]) == (2, 1)


async def test_children_are_the_open_letters_that_name_the_parent(store):
    child = replace(LETTER, entity="transaction", key="500", parent_entity="customer", parent_key="01|100")
    await add(store, child, replace(child, external_id="500-B"), replace(child, key="501", parent_key="01|999"))
    assert await store.read.dead_letters.children("customer", ["01|100"]) == [("transaction", "500")]


async def test_the_list_is_paged_newest_first(store):
    await add(store, *(replace(LETTER, key=str(number)) for number in range(5)))
    first = await store.read.dead_letters.listed(limit=2)
    second = await store.read.dead_letters.listed(limit=2, before=first[-1]["id"])
    assert [letter["key"] for letter in first + second] == ["4", "3", "2", "1"]


async def test_the_list_is_narrowed_to_an_entity_and_a_key(store):
    await add(store, LETTER, replace(LETTER, key="01|101"), replace(LETTER, entity="product"))
    assert len(await store.read.dead_letters.listed(entity="customer")) == 2
    assert len(await store.read.dead_letters.listed(entity="customer", key="01|101")) == 1


async def test_keys_are_chosen_by_cause(store):
    await add(store, LETTER, replace(LETTER, key="01|101", code="VALD-2"))
    assert await store.read.dead_letters.open_keys("customer", code="VALD-2") == ["01|101"]
    assert sorted(await store.read.dead_letters.open_keys("customer")) == ["01|100", "01|101"]


async def test_only_closed_dead_letters_are_forgotten(store):
    await add(store, LETTER, replace(LETTER, key="01|101"))
    await close(store, "01|100")
    async with store.transaction() as tables:
        assert await tables.dead_letters.prune(NOON + HOUR, 10) == 1
    assert await store.read.dead_letters.counts() == {"customer": 1}
