from __future__ import annotations

import pytest

from p21d.errors import PageError
from p21d.order import Found, Held
from p21d.prophet21.orders.port import Parties
from p21d.sandbox.faults import Fault
from tests.prophet21.conftest import connected


def change(sandbox, table, key, **columns):
    assert sandbox.database.change(table, key, **columns) > 0


async def found_by(p21, **wanted) -> Found:
    found = await p21.orders.parties(Parties(**wanted))
    assert isinstance(found, Found), found
    return found


async def held_by(p21, **wanted) -> str:
    held = await p21.orders.parties(Parties(**wanted))
    assert isinstance(held, Held), held
    assert held.hint
    return held.reason


async def test_the_linked_company_names_the_customer(p21):
    customer = (await found_by(p21, customer=("01", "200003"))).customer
    assert (customer.company_id, customer.customer_id, customer.name) == ("01", 200003, "Lakeshore Plumbing Inc.")


async def test_without_its_company_a_customer_id_is_enough_where_it_is_unique(p21):
    assert (await found_by(p21, customer=("", " 200003 "))).customer.company_id == "01"


async def test_a_customer_of_two_companies_is_a_persons_to_decide(p21):
    reason = await held_by(p21, customer=("", "200002"))
    assert "200002 of company 01" in reason
    assert "200002 of company 02" in reason


async def test_its_company_decides_between_them(p21):
    assert (await found_by(p21, customer=("02", "200002"))).customer.company_id == "02"


async def test_only_configured_companies_have_customers(sandbox, clock):
    async with sandbox.serve() as url, connected(url, clock, companies=("01",)) as p21:
        assert (await found_by(p21, customer=("", "200002"))).customer.company_id == "01"
        assert "configured companies" in await held_by(p21, customer=("02", "200002"))


async def test_a_deleted_customer_holds_the_order(p21, sandbox):
    change(sandbox, "customer", {"customer_id": 200003}, delete_flag="Y")
    assert "deleted in P21" in await held_by(p21, customer=("01", "200003"))


async def test_an_unknown_customer_holds_the_order(p21):
    assert "999999" in await held_by(p21, customer=("01", "999999"))


@pytest.mark.parametrize("text", ["", "ACME", "20 0003", "200003.5", "\u0662"])
async def test_what_is_no_customer_id_is_not_asked_for(p21, text):
    assert "no P21 customer id" in await held_by(p21, customer=("01", text))


async def test_without_company_and_contact_a_person_decides(p21, sandbox):
    assert "neither" in await held_by(p21)
    assert not [seen for seen in sandbox.requests if "/customer" in seen.path]


async def test_the_contacts_link_leads_to_the_customer(p21, sandbox):
    change(sandbox, "contacts", {"id": "5001"}, address_id=101)
    found = await found_by(p21, contact_id="5001")
    assert (found.customer.customer_id, found.contact_id) == (200001, "5001")


async def test_a_padded_contact_is_found(p21):
    found = await found_by(p21, contact_id="5003")
    assert (found.customer.customer_id, found.contact_id) == (200003, "5003")


async def test_a_contact_of_two_customers_is_a_persons_to_decide(p21):
    reason = await held_by(p21, contact_id="5005")
    assert "200005" in reason
    assert "200006" in reason


async def test_a_deleted_one_of_two_linked_customers_does_not_count(p21, sandbox):
    change(sandbox, "customer", {"customer_id": 200006}, delete_flag="Y")
    assert (await found_by(p21, contact_id="5005")).customer.customer_id == 200005


async def test_without_a_link_the_contacts_address_may_be_a_customer(p21, sandbox):
    sandbox.database.delete("contacts_x_links", {"id": "5004"})
    found = await found_by(p21, contact_id="5004")
    assert (found.customer.customer_id, found.contact_id) == (200004, "5004")


async def test_without_a_link_the_contacts_address_may_be_a_ship_to(p21, sandbox):
    sandbox.database.delete("contacts_x_links", {"id": "5004"})
    change(sandbox, "contacts", {"id": "5004"}, address_id=6000009)
    found = await found_by(p21, contact_id="5004")
    assert (found.customer.customer_id, found.contact_id) == (200005, "5004")


async def test_a_deleted_ship_to_leads_nowhere(p21, sandbox):
    sandbox.database.delete("contacts_x_links", {"id": "5004"})
    change(sandbox, "contacts", {"id": "5004"}, address_id=6000009)
    change(sandbox, "ship_to", {"ship_to_id": 6000009}, delete_flag="Y")
    assert "5004" in await held_by(p21, contact_id="5004")


async def test_a_contact_id_is_never_a_customer_id(p21, sandbox):
    sandbox.database.insert("contacts", id="200003", company_id="01", address_id=101, delete_flag="N")
    assert "contact 200003" in await held_by(p21, contact_id="200003")


async def test_links_of_another_type_lead_nowhere(p21, sandbox):
    sandbox.database.delete("contacts_x_links", {"id": "5004"})
    sandbox.database.insert(
        "contacts_x_links", id="5004", link_type="Vendor", link_id="200001", link_name="x", company_id="01"
    )
    assert (await found_by(p21, contact_id="5004")).customer.customer_id == 200004


async def test_a_link_names_its_company(p21, sandbox):
    assert (await found_by(p21, contact_id="5002")).customer.company_id == "01"
    change(sandbox, "contacts_x_links", {"id": "5002"}, company_id="02")
    assert (await found_by(p21, contact_id="5002")).customer.company_id == "02"


async def test_an_unknown_or_deleted_contact_holds_the_order(p21, sandbox):
    assert "is not in P21" in await held_by(p21, contact_id="77777")
    change(sandbox, "contacts", {"id": "5004"}, delete_flag="Y")
    assert "is deleted" in await held_by(p21, contact_id="5004")


async def test_the_company_wins_over_the_contact(p21):
    found = await found_by(p21, customer=("01", "200001"), contact_id="5003")
    assert (found.customer.customer_id, found.contact_id) == (200001, "")


async def test_a_contact_at_a_ship_to_belongs_to_its_customer(p21, sandbox):
    sandbox.database.delete("contacts_x_links", {"id": "5004"})
    change(sandbox, "contacts", {"id": "5004"}, address_id=6000005)
    assert (await found_by(p21, customer=("01", "200003"), contact_id="5004")).contact_id == "5004"


async def test_a_deleted_contact_is_no_contact(p21, sandbox):
    change(sandbox, "contacts", {"id": "5001"}, delete_flag="Y")
    assert (await found_by(p21, customer=("01", "200001"), contact_id="5001")).contact_id == ""


async def test_a_customer_nobody_asked_for_is_never_taken(p21, sandbox):
    rows = b'{"value":[{"customer_uid":9,"company_id":"01","customer_id":200009,"delete_flag":"N"}]}'
    sandbox.faults.add(Fault(kind="status", status=200, path="*/table/customer", body=rows.decode()))
    with pytest.raises(PageError, match="not asked for"):
        await p21.orders.parties(Parties(customer=("01", "200003")))
