from __future__ import annotations

from datetime import UTC, datetime

import pytest

from p21d.errors import Forbidden
from p21d.order import Found, Held
from p21d.prophet21.orders.port import Parties
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


async def test_ship_tos_are_the_customers_own_with_address_and_carrier(p21):
    found = await found_by(p21, customer=("01", "200003"))
    assert [one.ship_to_id for one in found.ship_tos] == [200003, 6000005, 6000006]
    one = found.ship_tos[1]
    assert (one.name, one.carrier, one.preferred_location_id) == ("Lakeshore Plumbing Inc. - Yard", "UPS Ground", 10)
    assert one.city
    assert one.postal_code


async def test_a_deleted_ship_to_is_left_out(p21, sandbox):
    change(sandbox, "ship_to", {"ship_to_id": 6000005}, delete_flag="Y")
    found = await found_by(p21, customer=("01", "200003"))
    assert [one.ship_to_id for one in found.ship_tos] == [200003, 6000006]


async def test_locations_are_the_companys_own_active_ones(p21, sandbox):
    change(sandbox, "location", {"location_id": 20}, delete_flag="Y")
    found = await found_by(p21, customer=("01", "200003"))
    assert sorted(found.locations) == [10, 30]
    assert found.locations[30].source_location_id == 30


async def test_location_ids_narrow_the_locations(p21):
    found = await p21.orders.parties(Parties(customer=("01", "200003")), location_ids=[30, 40])
    assert isinstance(found, Found)
    assert sorted(found.locations) == [30]


@pytest.mark.parametrize(
    ("sku", "item_id"),
    [
        ("VALVE-000012", "VALVE-000012"),
        (" valve-000012 ", "VALVE-000012"),
        ("HOSE-000004", " HOSE-000004"),
        ("hose-000004", " HOSE-000004"),
        ("MOTOR/9-1/2", "MOTOR/9-1/2"),
        ("GASKET+14", "GASKET+14"),
    ],
)
async def test_an_item_is_found_by_its_sku_and_named_as_p21_stores_it(p21, sku, item_id):
    found = await found_by(p21, customer=("01", "200003"), skus=[sku])
    assert found.items[sku].item_id == item_id


async def test_an_item_comes_with_the_units_it_is_sold_in(p21, sandbox):
    sandbox.database.insert(
        "item_uom", item_uom_uid=9001, inv_mast_uid=12, unit_of_measure="PAL", selling_unit="N", delete_flag="N"
    )
    sandbox.database.insert(
        "item_uom", item_uom_uid=9002, inv_mast_uid=12, unit_of_measure="OLD", selling_unit="Y", delete_flag="Y"
    )
    item = (await found_by(p21, customer=("01", "200003"), skus=["VALVE-000012"])).items["VALVE-000012"]
    assert (item.inv_mast_uid, item.selling_unit) == (12, "EA")
    assert "EA" in item.units
    assert not item.units & {"PAL", "OLD"}


@pytest.mark.parametrize("columns", [{"delete_flag": "Y"}, {"inactive": "Y"}])
async def test_a_deleted_or_inactive_item_is_absent(p21, sandbox, columns):
    change(sandbox, "inv_mast", {"inv_mast_uid": 12}, **columns)
    assert (await found_by(p21, customer=("01", "200003"), skus=["VALVE-000012"])).items == {}


async def test_a_sku_of_two_items_is_absent(p21, sandbox):
    change(sandbox, "inv_mast", {"inv_mast_uid": 13}, item_id=" VALVE-000012")
    assert (await found_by(p21, customer=("01", "200003"), skus=["VALVE-000012"])).items == {}


async def test_the_deleted_one_of_two_items_does_not_make_it_ambiguous(p21, sandbox):
    change(sandbox, "inv_mast", {"inv_mast_uid": 13}, item_id=" VALVE-000012", delete_flag="Y")
    assert (await found_by(p21, customer=("01", "200003"), skus=["VALVE-000012"])).items[
        "VALVE-000012"
    ].inv_mast_uid == 12


async def test_unknown_and_empty_skus_are_absent(p21):
    assert (await found_by(p21, customer=("01", "200003"), skus=["NOPE", "", " "])).items == {}


async def test_two_hundred_skus_are_found_at_once(p21, sandbox):
    skus = [row["item_id"].strip() for row in sandbox.database.rows("inv_mast", {"delete_flag": "N", "inactive": "N"})]
    many = [*skus, *(f"NOT-THERE-{number:030d}" for number in range(200))]
    assert set((await found_by(p21, customer=("01", "200003"), skus=many)).items) == set(skus)


@pytest.mark.parametrize(("method", "label"), [("ups ground ", "UPS Ground"), ("100002", "FedEx Freight")])
async def test_a_shipping_method_names_a_carrier_by_name_or_id(p21, method, label):
    found = await found_by(p21, customer=("01", "200003"), shipping_methods=[method])
    assert found.carriers == {method: label}


async def test_an_unknown_shipping_method_names_none(p21, sandbox):
    change(sandbox, "address", {"id": 100001}, delete_flag="Y")
    found = await found_by(p21, customer=("01", "200003"), shipping_methods=["UPS Ground", "Pigeon", "200003"])
    assert found.carriers == {}


async def test_today_is_p21s_date(sandbox, clock):
    sandbox.settings.zone = "America/New_York"
    async with sandbox.serve() as url, connected(url, clock) as p21:
        now = await p21.now()
        midnight_utc = datetime(now.year, now.month, now.day, 3, 30, tzinfo=UTC)
        sandbox.settings.clock_skew_seconds = (midnight_utc - now).total_seconds()
        found = await found_by(p21, customer=("01", "200003"))
    assert (midnight_utc.date() - found.today).days == 1


async def test_a_table_that_may_not_be_read_is_named(p21, sandbox):
    sandbox.settings.forbidden_tables = {"ship_to"}
    with pytest.raises(Forbidden, match="ship_to"):
        await p21.orders.parties(Parties(customer=("01", "200003")))
