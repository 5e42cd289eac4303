from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from p21d.sandbox.distributor import tick
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.prophet21.schema import load_tables

STAMPED = [table.name for table in load_tables().values() if "date_last_modified" in table.stored]


def ages(sandbox, table):
    now = sandbox.database.time.local_now()
    return [now - datetime.fromisoformat(row["date_last_modified"]) for row in sandbox.database.rows(table)]


@pytest.fixture(scope="module")
def distributor():
    with P21Sandbox(rows=400, seed=5) as sandbox:
        yield sandbox


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_a_tiny_distributor_has_all_its_masters(rows):
    with P21Sandbox(rows=rows) as sandbox:
        for table in ("company", "location", "customer", "contacts", "ship_to", "inv_mast", "inv_loc", "oe_hdr"):
            assert sandbox.database.count(table) > 0


def test_the_same_seed_makes_the_same_data(distributor):
    def told(sandbox, table):
        rows = sandbox.database.rows(table)
        return [{name: value for name, value in row.items() if "T" not in str(value)[10:11]} for row in rows]

    with P21Sandbox(rows=400, seed=5) as again, P21Sandbox(rows=400, seed=6) as other:
        for table in load_tables():
            assert told(again, table) == told(distributor, table)
        assert told(other, "inv_mast") != told(distributor, "inv_mast")


@pytest.mark.parametrize("table", sorted(load_tables()))
def test_keys_are_unique(distributor, table):
    rows = distributor.database.rows(table)
    assert len({tuple(row[name] for name in load_tables()[table].key) for row in rows}) == len(rows)


@pytest.mark.parametrize("table", STAMPED)
def test_stamps_lie_within_three_days_or_are_old_on_purpose(distributor, table):
    old = [age for age in ages(distributor, table) if age > timedelta(days=3, hours=2)]
    assert all(age > timedelta(days=10) for age in old)
    assert not old or table in {"inv_mast", "customer", "oe_hdr"}
    assert len(old) <= distributor.database.count(table) // 50


def test_many_rows_share_one_instant(distributor):
    stamps = [row["date_last_modified"] for row in distributor.database.rows("inv_loc")]
    assert max(map(stamps.count, set(stamps))) >= len(stamps) // 10


def test_the_traps_of_the_data_are_there(distributor):
    database = distributor.database
    items = [row["item_id"] for row in database.rows("inv_mast")]
    assert any(item.startswith(" ") for item in items)
    assert all(any(sign in item for item in items) for sign in "/+#&'\"%\u00c9")
    contacts = database.rows("contacts")
    assert any(row["id"].endswith(" ") and len(row["id"]) == 16 for row in contacts)
    assert any(row["email_address"] is None for row in contacts)
    assert any(row["delete_flag"] == "Y" for row in database.rows("inv_mast"))
    orders = database.rows("oe_hdr")
    assert {row["completed"] for row in orders} == {"Y", "N", "T"}
    assert {"projected_order", "rma_flag", "cancel_flag", "delete_flag"} <= {
        name for row in orders for name, value in row.items() if value == "Y"
    }


def test_every_reference_leads_somewhere(distributor):
    database = distributor.database
    addresses = {row["id"] for row in database.rows("address")}
    assert {row["ship_to_id"] for row in database.rows("ship_to")} <= addresses
    assert {row["customer_id"] for row in database.rows("customer")} <= addresses
    assert {row["location_id"] for row in database.rows("location")} <= addresses
    assert {row["address_id"] for row in database.rows("contacts")} <= addresses
    orders = {row["order_no"] for row in database.rows("oe_hdr")}
    assert {row["order_no"] for row in database.rows("oe_line")} == orders
    assert {row["order_no"] for row in database.rows("invoice_hdr")} <= orders
    contacts = {row["id"] for row in database.rows("contacts")}
    assert {row["contact_id"] for row in database.rows("oe_hdr")} - {None} <= contacts


def test_a_tick_changes_what_it_says_and_stamps_it():
    with P21Sandbox(rows=40) as sandbox:
        now = sandbox.database.time.now()
        changes = tick(sandbox.database, now)
        assert {"oe_hdr", "oe_line", "inv_loc", "address", "contacts", "inv_mast"} <= {each.table for each in changes}
        for change in changes:
            (row,) = sandbox.database.rows(change.table, change.key)
            assert row["date_last_modified"] == sandbox.database.time.text(now)


def test_in_time_a_tick_deletes_an_item_or_a_contact():
    with P21Sandbox(rows=40) as sandbox:
        changes = [change for _ in range(21) for change in tick(sandbox.database, sandbox.database.time.now())]
        assert any(change.what == "deleted" for change in changes)


def test_a_database_file_keeps_what_happened(tmp_path):
    path = tmp_path / "p21.db"
    with P21Sandbox(path, rows=10) as sandbox:
        sandbox.database.change("oe_hdr", {"order_no": "1400001"}, taker="KEPT", web_shopper_email="a@b.example")
    with P21Sandbox(path, rows=999) as sandbox:
        assert sandbox.database.rows("oe_hdr", {"order_no": "1400001"})[0]["taker"] == "KEPT"
        assert sandbox.database.count("inv_mast") == 10
