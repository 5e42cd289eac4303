"""An outage is not an error of the record: records wait, the watermark stands, and all arrive afterwards."""

from __future__ import annotations

from p21d.clock import SystemClock
from p21d.sandbox.faults import Fault
from tests.faults.comparison import assert_in_step
from tests.faults.world import World, until, world

SOON = {"poll_interval": "1s"}


def change_products(here: World, count: int, price: int = 500) -> list[int]:
    """Change the price of that many products, and return their keys."""
    living = [row for row in here.p21.database.rows("inv_mast") if row["delete_flag"] == "N"][:count]
    for row in living:
        here.p21.database.change("inv_mast", {"inv_mast_uid": row["inv_mast_uid"]}, price1=f"{price}.250000000")
    return [row["inv_mast_uid"] for row in living]


async def dead_letters(here: World) -> int:
    return sum(entity.dead_letters for entity in (await here.daemon.status()).entities)


async def test_a_hub_that_is_away_for_a_while_costs_no_record(tmp_path):
    async with world(tmp_path, "product", rows=30, entity=SOON, prophet21={"settle": 0}) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        await here.hub_server.down()
        changed_at = SystemClock().now()
        change_products(here, 10)

        held = await here.daemon.until_held("product", "hub")

        assert held.watermark is not None
        assert held.watermark <= changed_at
        assert held.until is not None
        assert await dead_letters(here) == 0
        assert (await here.daemon.status()).sink.state == "held"

        await here.hub_server.up()
        await here.daemon.resume_all()

        async def arrived() -> bool:
            return sum(record["default_price"] == 500.25 for record in here.hub.records("product")) == 10

        await until(arrived, "all ten")
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "product")
        assert await dead_letters(here) == 0


async def test_a_prophet_21_that_is_away_for_a_while_costs_no_record(tmp_path):
    async with world(tmp_path, "product", rows=30, entity=SOON, prophet21={"settle": 0}) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        await here.p21_server.down()
        stopped_at = SystemClock().now()
        change_products(here, 10)

        held = await here.daemon.until_held("product", "Prophet 21")

        assert held.watermark is not None
        assert held.watermark <= stopped_at
        assert (await here.daemon.status()).prophet21.state == "held"

        await here.p21_server.up()
        await here.daemon.resume_all()

        async def arrived() -> bool:
            return sum(record["default_price"] == 500.25 for record in here.hub.records("product")) == 10

        await until(arrived, "all ten")
        assert await dead_letters(here) == 0


async def test_without_prophet_21_it_starts_says_so_and_recovers_by_itself(tmp_path):
    async with world(tmp_path, "location", rows=10) as here:
        await here.p21_server.down()
        await here.daemon.start()

        await here.daemon.until_held("location", "Prophet 21 cannot be reached")

        await here.p21_server.up()
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "location")


async def test_without_the_hub_it_starts_says_so_and_recovers_by_itself(tmp_path):
    async with world(tmp_path, "location", rows=10) as here:
        await here.hub_server.down()
        await here.daemon.start()

        await here.daemon.until_held("location", "hub cannot be reached")

        await here.hub_server.up()
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "location")


async def test_a_wrong_p21_password_is_one_clear_error_and_few_sign_ins(tmp_path):
    password = tmp_path / "p21-password"
    password.write_text("wrong\n")
    password.chmod(0o600)
    reference = {"password": f"${{file:{password}}}"}
    async with world(tmp_path, rows=10, prophet21=reference) as here:
        await here.daemon.start()
        for entity in ("location", "company", "customer", "product"):
            await here.daemon.until_held(entity, "refuses the sign-in", "prophet21.password")
        for _ in range(3):
            await here.daemon.resume_all()
        assert sign_ins(here) == 1
        assert len({line["reason"] for line in here.daemon.log("held")}) == 1

        password.write_text("sandbox-password\n")
        reloaded = await here.daemon.command("reload")

        assert reloaded.returncode == 0, reloaded.stderr
        await here.daemon.until_in_step()
        assert sign_ins(here) == 2
        assert "sandbox-password" not in here.daemon.log_path.read_text()


def sign_ins(here: World) -> int:
    return sum(request.path.startswith("/api/security/token") for request in here.p21.requests)


async def test_a_wrong_hub_password_is_one_clear_error_and_few_log_ins(tmp_path):
    async with world(tmp_path, "location", "company", rows=10, sink={"password": "wrong"}) as here:
        await here.daemon.start()
        for entity in ("location", "company"):
            await here.daemon.until_held(entity, "login is refused", "sink.password")
        for _ in range(3):
            await here.daemon.resume_all()
        assert log_ins(here) == 1
        assert await dead_letters(here) == 0

        here.daemon.write(sink={"password": "hub-secret"})
        reloaded = await here.daemon.command("reload")

        assert reloaded.returncode == 0, reloaded.stderr
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "location", "company")


def log_ins(here: World) -> int:
    return sum(call.method == "POST" and call.path.startswith("/sso/") for call in here.hub.requests)


async def test_one_record_that_the_hub_fails_holds_up_no_other(tmp_path):
    async with world(tmp_path, "product", rows=30) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        bad, *_ = change_products(here, 8)
        sku = here.p21.database.rows("inv_mast", {"inv_mast_uid": bad})[0]["item_id"].strip()
        hub_id = next(record["id"] for record in here.hub.records("product") if record["sku"] == sku)
        fault = here.hub.faults.add(Fault(kind="status", status=500, path=f"*/Product/{hub_id}"))

        answer = await here.daemon.sync("product")

        assert here.hub.faults.fired(fault) > 0
        assert (answer.tally.delivered, answer.tally.waiting, answer.tally.dead_lettered) == (7, 1, 0)
        assert (await here.daemon.entity("product")).state == "in step"

        here.hub.faults.clear()
        answer = await here.daemon.sync("product", keys=[str(bad)])
        assert answer.tally.delivered + answer.tally.unchanged == 1  # another cycle may have been quicker
        assert_in_step(here.p21, here.hub, "product")
        assert (await here.daemon.entity("product")).waiting == 0
