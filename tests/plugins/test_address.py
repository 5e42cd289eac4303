from __future__ import annotations

import pytest

from p21d.plugin import Address, complete_address, hub_address, split_name
from p21d.testing import row_of

MAIL = {"mail_address1": "PO Box 1", "mail_city": "Dayton", "mail_state": "OH", "mail_postal_code": "45402"}
PHYS = {"phys_address1": "9 Dock Rd", "phys_city": "Troy", "phys_state": "OH", "phys_postal_code": "45373"}


def address(**values):
    return row_of(Address, id=1, **values)


def members(row, **choices):
    return hub_address(row, first_name="Ann", last_name="Lee", **choices)


@pytest.mark.parametrize(
    ("choices", "street"),
    [
        ({}, "PO Box 1"),
        ({"billing": True}, "PO Box 1"),
        ({"billing": True, "shipping": True}, "PO Box 1"),
        ({"shipping": True}, "9 Dock Rd"),
        ({"physical": True}, "9 Dock Rd"),
    ],
)
def test_each_use_shows_its_kind_of_address(choices, street):
    assert members(address(**MAIL, **PHYS), **choices)["address_1"] == street


def test_a_row_with_one_kind_only_shows_that():
    assert members(address(**MAIL), shipping=True)["city"] == "Dayton"


def test_a_row_without_any_street_is_not_complete():
    assert not complete_address(members(address()))


@pytest.mark.parametrize("column", ["mail_address1", "mail_city", "mail_state", "mail_postal_code"])
def test_an_address_needs_each_required_member(column):
    assert complete_address(members(address(**MAIL)))
    assert not complete_address(members(address(**MAIL | {column: "  "})))


@pytest.mark.parametrize(
    ("typed", "told"),
    [(None, "United States"), ("usa ", "United States"), ("CA", "Canada"), ("Österreich", "Österreich")],
)
def test_a_country_is_told_by_name(typed, told):
    assert members(address(mail_country=typed))["country"] == told


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Acme Supply Co", ("Acme", "Supply Co")),
        (" Acme  Supply ", ("Acme", "Supply")),
        ("Acme", ("Acme", "Acme")),
        (None, ("", "")),
    ],
)
def test_a_business_name_fills_both_names(name, names):
    assert split_name(name) == names
