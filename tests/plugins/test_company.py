from __future__ import annotations

from p21d.plugin import Address, Skip
from p21d.testing import check_entity, related_rows, row_of
from plugins.company import ENTITY, OWN_ADDRESS, SHIP_TO, SHIP_TO_ADDRESS, Customer, OwnAddress, ShipTo

STREET = {
    "mail_address1": "1 Main St",
    "mail_city": "Dayton",
    "mail_state": "OH",
    "mail_postal_code": "45402",
    "mail_country": "USA",
}
DOCK = {
    "phys_address1": "9 Dock Rd",
    "phys_city": "Troy",
    "phys_state": "OH",
    "phys_postal_code": "45373",
    "phys_country": "US",
}


def customer(**values):
    fixed = {"company_id": "01", "customer_id": 1001, "customer_uid": 7, "customer_name": "Acme Supply"}
    return row_of(Customer, **fixed | values)


def own_address(**values):
    return row_of(OwnAddress, **{"id": 1001, "name": "Acme Supply"} | STREET | values)


def ship_to(ship_to_id, **values):
    return row_of(ShipTo, **{"company_id": "01", "ship_to_id": ship_to_id, "customer_id": 1001} | values)


def dock(id_, **values):
    return row_of(Address, **{"id": id_, "name": "Acme Dock"} | STREET | DOCK | values)


def read(row=None, *, own=None, ship_tos=(), docks=()):
    related = {OWN_ADDRESS: [own or own_address()], SHIP_TO: ship_tos, SHIP_TO_ADDRESS: docks}
    [record] = check_entity(ENTITY, row or customer(), related=related)
    return record


def primaries(record):
    return {
        child.id: (child.body["is_primary_billing"], child.body["is_primary_shipping"])
        for child in record.children["addresses"]
    }


def test_a_company_has_its_name_and_accounts():
    own = own_address(federal_id_number="31-123", central_fax_number="555-0199", url="acme.example")
    assert read(customer(ar_account_no="120000"), own=own).body == {
        "name": "Acme Supply",
        "account_number": "120000",
        "tax_id_number": "31-123",
        "email_address": "",
        "phone_number": "",
        "fax_number": "555-0199",
        "url": "acme.example",
    }


def test_a_company_is_known_by_its_customer_id():
    assert read().external_id == {"customer_id": 1001, "company_id": "01"}


def test_accounts_that_are_null_are_left_out():
    assert not {"account_number", "tax_id_number", "url"} & read().body.keys()


def test_a_company_without_a_name_takes_its_address_name():
    assert read(customer(customer_name=" "), own=own_address(name="Acme, Inc. ")).body["name"] == "Acme, Inc."


def test_a_company_without_any_name_is_skipped():
    assert ENTITY.records(customer(customer_name=None), related_rows()) == Skip("no customer name")


def test_a_company_without_an_address_row_is_sent():
    [record] = check_entity(ENTITY, customer())
    assert (record.body, record.children) == ({"name": "Acme Supply"}, {"addresses": []})


def test_the_own_address_alone_is_for_billing_and_shipping():
    assert primaries(read()) == {"1001": (True, True)}


def test_a_ship_to_at_another_address_is_for_shipping():
    assert primaries(read(ship_tos=[ship_to(2002)], docks=[dock(2002)])) == {
        "1001": (True, False),
        "2002": (False, True),
    }


def test_an_own_address_that_is_a_ship_to_comes_once_and_first():
    record = read(ship_tos=[ship_to(900), ship_to(1001)], docks=[dock(900), dock(1001)])
    assert list(primaries(record).items()) == [("1001", (True, True)), ("900", (False, False))]


def test_the_lowest_ship_to_is_the_primary_one():
    record = read(ship_tos=[ship_to(2003), ship_to(2002)], docks=[dock(2002), dock(2003)])
    assert primaries(record) == {"1001": (True, False), "2002": (False, True), "2003": (False, False)}


def test_a_ship_to_shows_its_physical_address():
    record = read(ship_tos=[ship_to(2002), ship_to(2003)], docks=[dock(2002), dock(2003)])
    assert [child.body["city"] for child in record.children["addresses"]] == ["Dayton", "Troy", "Troy"]


def test_a_deleted_ship_to_is_left_out():
    record = read(ship_tos=[ship_to(2002, delete_flag="Y")], docks=[dock(2002)])
    assert primaries(record) == {"1001": (True, True)}


def test_a_deleted_address_is_left_out():
    assert "2002" not in primaries(read(ship_tos=[ship_to(2002)], docks=[dock(2002, delete_flag="Y")]))


def test_a_ship_to_of_another_company_is_not_ours():
    assert primaries(read(ship_tos=[ship_to(2002, company_id="02")], docks=[dock(2002)])) == {"1001": (True, True)}


def test_an_address_without_a_city_is_left_out():
    assert primaries(read(own=own_address(mail_city=None))) == {}


def test_an_address_is_named_for_the_business():
    [child] = read().children["addresses"]
    assert (child.body["first_name"], child.body["last_name"]) == ("Acme", "Supply")


def test_an_address_without_a_name_takes_the_company_name():
    [child] = read(customer(customer_name="Müller"), own=own_address(name=None)).children["addresses"]
    assert (child.body["first_name"], child.body["last_name"]) == ("Müller", "Müller")
