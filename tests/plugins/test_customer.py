from __future__ import annotations

from p21d.plugin import Address, Skip
from p21d.testing import check_entity, related_rows, row_of
from plugins.customer import ADDRESS, ENTITY, LINK, Contact, ContactLink


def contact(**values):
    fixed = {
        "id": "5127",
        "company_id": "01",
        "address_id": 1001,
        "first_name": "Ann",
        "last_name": "Lee",
        "email_address": "ann@acme.example",
    }
    return row_of(Contact, **fixed | values)


def link(**values):
    fixed = {"id": "5127", "link_type": "CU", "link_id": "1001", "company_id": "01", "link_name": "Acme Supply"}
    return row_of(ContactLink, **fixed | values)


def address(**values):
    fixed = {
        "id": 1001,
        "name": "Acme Office",
        "mail_address1": "1 Main St",
        "mail_city": "Dayton",
        "mail_state": "OH",
        "mail_postal_code": "45402",
    }
    return row_of(Address, **fixed | values)


def read(row=None, *, links=(), addresses=()):
    [record] = check_entity(ENTITY, row or contact(), related={LINK: links, ADDRESS: addresses})
    return record


def names(record):
    return record.body["first_name"], record.body["last_name"]


def test_a_customer_has_number_names_and_e_mail():
    assert read().body == {
        "customer_number": "5127",
        "first_name": "Ann",
        "last_name": "Lee",
        "email_address": "ann@acme.example",
    }


def test_a_padded_contact_id_is_trimmed():
    record = read(contact(id="5127            "))
    assert (record.external_id["contact_id"], record.body["customer_number"]) == ("5127", "5127")


def test_a_contact_with_a_null_e_mail_is_skipped():
    assert ENTITY.records(contact(email_address=None), related_rows()) == Skip("no e-mail")


def test_a_contact_with_a_blank_e_mail_is_skipped():
    assert ENTITY.records(contact(email_address="   "), related_rows()) == Skip("no e-mail")


def test_a_contact_without_any_name_is_skipped():
    row = contact(first_name=None, last_name=" ")
    assert ENTITY.records(row, related_rows()) == Skip("no first or last name")


def test_the_company_stands_in_for_a_missing_last_name():
    assert names(read(contact(first_name="Purchasing", last_name=None), links=[link()])) == (
        "Purchasing",
        "Acme Supply",
    )


def test_the_company_stands_in_for_a_missing_first_name():
    assert names(read(contact(first_name=None), links=[link()])) == ("Acme Supply", "Lee")


def test_without_a_company_the_one_name_fills_both():
    assert names(read(contact(first_name=None))) == ("Lee", "Lee")


def test_names_in_any_script_pass():
    assert names(read(contact(first_name="Zoë ", last_name="O'Brien-李"))) == ("Zoë", "O'Brien-李")


def test_the_company_is_the_linked_customer():
    assert read(links=[link()], addresses=[address()]).body["company"] == "Acme Supply"


def test_the_linked_customer_at_the_own_address_goes_first():
    links = [link(link_id="900", link_name="Other"), link()]
    assert read(links=links).body["company"] == "Acme Supply"


def test_a_link_to_a_supplier_is_no_company():
    assert read(links=[link(link_type="SU")], addresses=[address()]).body["company"] == "Acme Office"


def test_a_link_without_a_name_falls_back_to_the_address():
    assert read(links=[link(link_name=None)], addresses=[address()]).body["company"] == "Acme Office"


def test_links_match_a_padded_contact_id():
    assert read(contact(id="5127    "), links=[link()]).body["company"] == "Acme Supply"


def test_a_site_without_links_takes_the_address_name():
    assert read(addresses=[address()]).body["company"] == "Acme Office"


def test_the_address_is_primary_for_both_uses():
    [child] = read(addresses=[address()]).children["addresses"]
    assert child.id == "1001"
    assert child.body == {
        "first_name": "Ann",
        "last_name": "Lee",
        "company": "Acme Office",
        "phone_number": "",
        "address_1": "1 Main St",
        "address_2": "",
        "address_3": "",
        "city": "Dayton",
        "region": "OH",
        "postal_code": "45402",
        "country": "United States",
        "is_primary_billing": True,
        "is_primary_shipping": True,
    }


def test_a_contact_without_an_address_is_sent():
    assert read(contact(address_id=None), addresses=[address()]).children == {"addresses": []}


def test_a_deleted_address_is_left_out():
    assert read(addresses=[address(delete_flag="Y")]).children == {"addresses": []}


def test_an_incomplete_address_is_left_out():
    assert read(addresses=[address(mail_postal_code=" ")]).children == {"addresses": []}
