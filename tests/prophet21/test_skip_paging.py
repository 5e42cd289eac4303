"""Contacts of a P21 that ignores `gt` on a text key."""

from __future__ import annotations

import pytest
from aiohttp import web

from p21d.errors import PageError
from tests.prophet21.rows import CONTACTS


class Contacts:
    """Serves `$skip`, `$top` and `$count`, and drops conditions on the key."""

    def __init__(self, names: str) -> None:
        self.names = list(names)
        self.between_pages = lambda _skip: None
        self.count = lambda: len(self.names)

    def __call__(self, request):
        skip, top = int(request.query.get("$skip", 0)), int(request.query["$top"])
        if skip:
            self.between_pages(skip)
        rows = [{"id": name, "first_name": None} for name in self.names[skip : skip + top]]
        counted = {"@odata.count": self.count()} if "$count" in request.query else {}
        return web.json_response({**counted, "value": rows})


async def names(source, **options):
    return "".join([row.id async for page in source.pages(CONTACTS, **options) for row in page.rows])


async def test_all_rows_are_met_once(source, scripted):
    scripted.read = Contacts("abcdefgh")
    assert await names(source) == "abcdefgh"


async def test_resuming_begins_again(source, scripted):
    scripted.read = Contacts("abcdefgh")
    assert await names(source, after=("e",)) == "abcdefgh"


@pytest.mark.parametrize("text", ["", "a", "ab", "abc", "abcd", "abcde"])
async def test_any_number_of_rows_comes_to_an_end(source, scripted, text):
    scripted.read = Contacts(text)
    assert await names(source) == text


async def test_a_row_that_comes_behind_is_a_repeat_that_is_dropped(source, scripted):
    contacts = Contacts("abcdefgh")

    def insert(_skip):
        contacts.names.insert(0, "A")
        contacts.between_pages = lambda _skip: None

    contacts.between_pages = insert
    scripted.read = contacts
    assert await names(source) == "abcdefgh"


async def test_a_row_that_vanishes_behind_ends_the_reading(source, scripted):
    contacts = Contacts("abcdefgh")

    def remove(_skip):
        contacts.names.remove("a")
        contacts.between_pages = lambda _skip: None

    contacts.between_pages = remove
    scripted.read = contacts
    with pytest.raises(PageError, match="rows have moved"):
        await names(source)


async def test_fewer_rows_than_counted_end_the_reading(source, scripted):
    contacts = Contacts("abcdefgh")
    contacts.count = lambda: 12
    scripted.read = contacts
    with pytest.raises(PageError, match="8 rows were met where P21 counts 12"):
        await names(source)


async def test_without_a_count_nothing_is_proven(source, scripted):
    contacts = Contacts("abcdefgh")
    contacts.count = lambda: None
    scripted.read = contacts
    with pytest.raises(PageError, match=r"no @odata\.count"):
        await names(source)
