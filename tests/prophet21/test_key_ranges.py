"""Reading by ranges of the key, and telling which of the asked-for keys are not there."""

from __future__ import annotations

import pytest

from p21d.prophet21.reading import Reading
from p21d.row import Row
from p21d.sandbox.prophet21.sandbox import P21Sandbox
from tests.prophet21.conftest import connected


class Item(Row, frozen=True):
    inv_mast_uid: int
    item_id: str


@pytest.fixture
async def source(clock):
    with P21Sandbox(rows=12) as p21:
        async with p21.serve() as url, connected(url, clock, page_rows=3) as source:
            yield source


def items(extra=""):
    key = ("inv_mast_uid",)
    return Reading(table="inv_mast", row=Item, key=key, page_by=key, filter=extra)


async def uids(pages):
    return [row.inv_mast_uid async for page in pages for row in page.rows]


async def test_a_range_ends_with_its_last_key(source):
    assert await uids(source.pages(items(), after=(2,), last=(7,))) == [3, 4, 5, 6, 7]


async def test_the_outer_keys_are_found_under_the_filter(source):
    assert await source.outer_keys(items("inv_mast_uid gt 4")) == ((5,), (12,))


async def test_a_table_without_rows_has_no_outer_keys(source):
    assert await source.outer_keys(items("inv_mast_uid gt 400")) is None


async def test_keys_that_p21_does_not_have_are_named(source):
    assert (await source.by_keys(items(), ["1", "99", "not a number"])).absent == ["99", "not a number"]


async def test_a_key_outside_the_filter_is_absent(source):
    assert (await source.by_keys(items("inv_mast_uid ne 2"), ["1", "2"])).absent == ["2"]


async def test_a_text_key_in_other_letters_is_not_absent(source):
    page = await source.by_keys(items(), ["1"])
    by_id = Reading(table="inv_mast", row=Item, key=("item_id",), page_by=("item_id",))
    assert (await source.by_keys(by_id, [page.rows[0].item_id.lower()])).absent == []
