"""Trouble on one side stays where it belongs: one row, one entity, one clock."""

from __future__ import annotations

import pytest

from p21d.sandbox.faults import Fault
from tests.faults.comparison import arrived, assert_in_step, expected, living
from tests.faults.world import ENTITIES, World, until, world

SOON = {"poll_interval": "0.3s"}


async def until_products_in_step(here: World) -> None:
    async def in_step() -> bool:
        return arrived(here.hub)["product"] == expected(here.p21)["product"]

    await until(in_step, "every product in its last state in the hub")


async def test_a_row_that_cannot_be_read_is_dead_lettered_alone(tmp_path):
    async with world(tmp_path, "product", rows=30) as here:
        bad = living(here.p21, "inv_mast")[7]["inv_mast_uid"]
        here.p21.database.change("inv_mast", {"inv_mast_uid": bad}, price1="true")
        await here.daemon.start()
        await here.daemon.until_in_step()

        assert len(here.hub.records("product")) == len(living(here.p21, "inv_mast")) - 1
        assert (await here.daemon.entity("product")).dead_letters == 1
        listed = await here.daemon.command("dead-letters", "list", "product")
        assert str(bad) in listed.stdout
        assert "price1" in listed.stdout + listed.stderr

        here.p21.database.change("inv_mast", {"inv_mast_uid": bad}, price1="1.500000000")
        replayed = await here.daemon.command("dead-letters", "replay", "product")
        assert replayed.returncode == 0, replayed.stderr
        assert (await here.daemon.entity("product")).dead_letters == 0
        assert_in_step(here.p21, here.hub, "product")


async def test_a_forbidden_table_holds_its_entity_and_no_other(tmp_path):
    async with world(tmp_path, "location", "customer", rows=30) as here:
        here.p21.settings.forbidden_tables = {"contacts"}
        await here.daemon.start()
        held = await here.daemon.until_held("customer", "contacts")
        await here.daemon.until_in_step("location")
        assert held.hint
        assert_in_step(here.p21, here.hub, "location")

        here.p21.settings.forbidden_tables = set()
        await here.daemon.resume_all()
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "location", "customer")


async def test_a_hub_permission_that_is_missing_holds_its_entity_and_no_other(tmp_path):
    async with world(tmp_path, "location", "product", rows=30) as here:
        here.hub.settings.denied = ["POST product"]
        await here.daemon.start()
        await here.daemon.until_held("product", "product")
        await here.daemon.until_in_step("location")
        assert (await here.daemon.entity("product")).dead_letters == 0

        here.hub.settings.denied = []
        await here.daemon.resume_all()
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "location", "product")


@pytest.mark.parametrize("skew_seconds", [-3600.0, 3600.0])
async def test_a_p21_clock_that_is_wrong_loses_no_change(skew_seconds, tmp_path):
    entity = {**SOON, "overlap": 0}
    async with world(tmp_path, "product", rows=20, entity=entity, prophet21={"settle": 0}) as here:
        here.p21.settings.clock_skew_seconds = skew_seconds
        await here.daemon.start()
        await here.daemon.until_in_step()
        for number, row in enumerate(living(here.p21, "inv_mast")[:5]):
            key = {"inv_mast_uid": row["inv_mast_uid"]}
            here.p21.database.change("inv_mast", key, price1=f"{700 + number}.000000000")
            await until_products_in_step(here)


@pytest.mark.parametrize(("zone", "key"), [("America/Los_Angeles", "time_zone"), ("-09:00", "time_zone_offset")])
async def test_a_time_zone_that_is_not_p21s_is_told_and_loses_no_change(zone, key, tmp_path):
    entity = {**SOON, "overlap": 0}
    prophet21 = {"settle": 0, "time_zone": None, key: zone}
    async with world(tmp_path, "product", rows=20, entity=entity, prophet21=prophet21) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        for number, row in enumerate(living(here.p21, "inv_mast")[:3]):
            uid = {"inv_mast_uid": row["inv_mast_uid"]}
            here.p21.database.change("inv_mast", uid, price1=f"{700 + number}.000000000")
            await until_products_in_step(here)
        assert "notice" in (await here.daemon.status()).prophet21.detail


async def test_children_of_parents_that_have_not_changed_for_long_arrive_with_them(tmp_path):
    async with world(tmp_path, rows=120, entity={"poll_search_days": 4}) as here:
        old = [row["inv_mast_uid"] for row in living(here.p21, "inv_mast")][:6]
        for uid in old:
            here.p21.database.change("inv_mast", {"inv_mast_uid": uid}, date_last_modified="2020-03-01T10:00:00.000")
        await here.daemon.start()
        await here.daemon.until_in_step("location", "product")

        async def nothing_waits() -> bool:
            entities = (await here.daemon.status()).entities
            return all(entity.state == "in step" and not entity.waiting for entity in entities)

        await until(nothing_waits, "nothing waits")
        assert arrived(here.hub)["product_inventory"].items() <= expected(here.p21)["product_inventory"].items()
        stocked = {row["inv_mast_uid"] for row in living(here.p21, "inv_loc")}
        skus = {
            row["item_id"].strip() for row in living(here.p21, "inv_mast") if row["inv_mast_uid"] in stocked & set(old)
        }
        assert skus <= arrived(here.hub)["product"].keys()
        assert [entity.dead_letters for entity in (await here.daemon.status()).entities] == [0] * len(ENTITIES)


async def test_a_paused_entity_stays_paused_over_reload_and_restart(tmp_path):
    async with world(tmp_path, "location", "company", rows=20) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        assert (await here.daemon.command("pause", "location")).returncode == 0
        assert (await here.daemon.command("reload")).returncode == 0
        assert await here.daemon.stop() == 0

        here.daemon.log_path.unlink()
        await here.daemon.start()

        async def paused() -> bool:
            return (await here.daemon.entity("location")).state == "paused"

        await until(paused, "the location paused again")
        await here.daemon.sync("company")
        assert {line["entity"] for line in here.daemon.log("cycle")} == {"company"}
        assert (await here.daemon.command("resume", "location")).returncode == 0
        await here.daemon.until_in_step()


async def test_a_reload_does_not_need_the_systems_it_does_not_change(tmp_path):
    async with world(tmp_path, "location", rows=20) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        await here.p21_server.down()
        await here.hub_server.down()
        here.daemon.write(entities={"location": {"poll_interval": "0.3s", "poll_search_days": 3650}})
        reloaded = await here.daemon.command("reload")
        assert reloaded.returncode == 0, reloaded.stderr
        await here.p21_server.up()
        await here.hub_server.up()
        here.p21.database.change("location", {"location_id": 10}, location_name="Renamed DC")

        async def renamed() -> bool:
            return "Renamed DC" in arrived(here.hub)["location"]

        await until(renamed, "the new name")


async def test_a_cycle_that_keeps_failing_is_held_once_and_tried_ever_more_rarely(tmp_path):
    async with world(tmp_path, "product", rows=20) as here:
        # A probe asks for one row and gets it; only whole pages come broken.
        here.p21.faults.add(Fault(kind="bad_json", path="*/inv_mast", query="*top=1000*"))
        await here.daemon.start()

        async def failed_four_times() -> bool:
            return len(here.daemon.log("cycle")) >= 4

        await until(failed_four_times, "four cycles that failed")
        assert len(here.daemon.log("held")) == 1
        assert here.daemon.log("recovered") == []

        here.p21.faults.clear()
        await here.daemon.resume_all()
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "product")
