"""Reload: a good new set takes over without losing anything in flight, a bad one changes nothing."""

from __future__ import annotations

import signal

import anyio

from p21d.sandbox.faults import Fault
from tests.faults.comparison import assert_in_step
from tests.faults.world import Daemon, World, install_plugin, until, world

PLUGIN = """
from p21d.plugin import Entity, P21Time, Record, Route, Row, hookimpl

class Branch(Row, frozen=True):
    location_id: int
    location_name: str | None
    delete_flag: str | None
    date_last_modified: P21Time | None

def records(row, related):
    name = "{prefix} " + row.location_name
    return Record(external_id={{"location_id": row.location_id}}, body={{"name": name}})

@hookimpl
def p21d_entities():
    return [Entity(name="branch", row=Branch, table="location", key=("location_id",), external_id="B{{location_id}}",
        records=records, route=Route(resource="location", natural_key="name"))]
"""


async def until_reloaded(daemon: Daemon, times: int = 1) -> None:
    async def reloaded() -> bool:
        return len(daemon.log("reloaded")) >= times

    await until(reloaded, "a reload in the log")


async def until_running(here: World, count: int) -> None:
    async def taken() -> bool:
        return len(here.hub.records("product")) >= count

    await until(taken, f"{count} products in the hub")


async def test_more_slots_count_at_once_for_the_batches_that_are_under_way(tmp_path):
    async with world(tmp_path, "product", rows=150, concurrent_batch_executions=1, batch_rows=2) as here:
        here.hub.faults.add(Fault(kind="slow", path="*/Product*", seconds=0.02))
        await here.daemon.start()
        await until_running(here, 10)
        assert here.hub.counters.most_at_once == 1

        here.daemon.write(concurrent_batch_executions=6)
        reloaded = await here.daemon.command("reload")

        assert reloaded.returncode == 0, reloaded.stderr
        assert "concurrent_batch_executions 1 -> 6" in reloaded.stdout + reloaded.stderr
        assert (await here.daemon.status()).slots_total == 6
        await here.daemon.until_in_step()
        assert 1 < here.hub.counters.most_at_once <= 6
        assert_in_step(here.p21, here.hub, "product")
        assert {record["writes"] for record in here.hub.records("product")} == {1}


async def test_a_bad_configuration_is_refused_by_its_key_and_the_old_one_works_on(tmp_path):
    async with world(tmp_path, "location", rows=10) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        here.daemon.write(concurrent_batch_executions=0)

        refused = await here.daemon.command("reload")

        assert refused.returncode == 78
        assert "concurrent_batch_executions" in refused.stderr
        assert "Traceback" not in refused.stderr
        here.p21.database.change("location", {"location_id": 10}, location_name="Renamed DC")
        assert (await here.daemon.sync("location")).tally.delivered == 1
        assert (await here.daemon.status()).slots_total == 10


async def test_a_wrong_new_password_is_tried_and_refused_before_anything_changes(tmp_path):
    async with world(tmp_path, "location", rows=10) as here:
        await here.daemon.start()
        await here.daemon.until_in_step()
        for block, words in (("prophet21", "refuses the sign-in"), ("sink", "login is refused")):
            good = here.daemon.settings[block]["password"]
            here.daemon.write(**{block: {"password": "wrong"}})
            refused = await here.daemon.command("reload")
            assert refused.returncode != 0
            assert words in refused.stderr
            assert f"{block}.password" in refused.stderr
            here.daemon.write(**{block: {"password": good}})
        assert (await here.daemon.sync("location")).status == "completed"


async def test_sighup_reloads_too(tmp_path):
    async with world(tmp_path, "location", rows=10) as here:
        await here.daemon.start()
        here.daemon.write(concurrent_batch_executions=3)
        here.daemon.signal(signal.SIGHUP)
        await until_reloaded(here.daemon)
        assert (await here.daemon.status()).slots_total == 3

        here.daemon.write(concurrent_batch_executions=-3)
        here.daemon.signal(signal.SIGHUP)

        async def refused() -> bool:
            return bool(here.daemon.log("reload refused"))

        await until(refused, "a refusal in the log")
        assert "concurrent_batch_executions" in here.daemon.log("reload refused")[0]["error"]
        assert (await here.daemon.status()).slots_total == 3


async def test_a_changed_plug_in_file_counts(tmp_path):
    plugins = tmp_path / "plugins"
    file = plugins / "branch.py"
    install_plugin(file, PLUGIN.format(prefix="Old"))
    async with world(tmp_path, "branch", rows=10, plugin_dirs=[str(plugins)]) as here:
        here.daemon.write(entities={"branch": {"poll_search_days": 3650}})
        await here.daemon.start()
        await here.daemon.until_in_step()
        assert {record["name"].split()[0] for record in here.hub.records("location")} == {"Old"}

        install_plugin(file, PLUGIN.format(prefix="New"))
        reloaded = await here.daemon.command("reload")
        assert reloaded.returncode == 0, reloaded.stderr
        await here.daemon.sync("branch")
        assert {record["name"].split()[0] for record in here.hub.records("location")} == {"New"}

        install_plugin(file, "import nothing_of_this_name\n")
        refused = await here.daemon.command("reload")
        assert refused.returncode == 78
        assert "nothing_of_this_name" in refused.stderr
        assert (await here.daemon.sync("branch")).tally.unchanged == 5


async def test_nothing_in_flight_is_lost_by_reloads_during_a_sync(tmp_path):
    async with world(tmp_path, "product", rows=120, prophet21={"page_rows": 20}, batch_rows=4) as here:
        here.hub.faults.add(Fault(kind="slow", path="*/Product*", seconds=0.01))
        await here.daemon.start()
        for number, overlap in enumerate(("9m", "8m", "7m"), start=1):
            await until_running(here, 20 * number)
            here.daemon.write(entities={"product": {"poll_search_days": 3650, "overlap": overlap}})
            here.daemon.signal(signal.SIGHUP)
            await until_reloaded(here.daemon, number)

        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "product")
        assert {record["writes"] for record in here.hub.records("product")} == {1}


async def test_a_sync_that_is_waited_for_says_that_a_reload_cut_it_short_and_is_resumed(tmp_path):
    async with world(tmp_path, "product", rows=120, entity={"poll_search_days": 0}, batch_rows=4) as here:
        here.hub.faults.add(Fault(kind="slow", path="*/Product*", seconds=0.02))
        await here.daemon.start()
        await here.daemon.until_in_step()
        async with anyio.create_task_group() as tasks:
            answers = []

            async def sync() -> None:
                answers.append(await here.daemon.command("sync", "product", "--days=3650", "--wait"))

            tasks.start_soon(sync)
            await until_running(here, 20)
            here.daemon.write(batch_rows=5)
            here.daemon.signal(signal.SIGHUP)
            await until_reloaded(here.daemon)

        assert answers[0].returncode in {0, 75}
        assert "Traceback" not in answers[0].stderr
        assert answers[0].returncode == 0 or "run it again" in answers[0].stderr

        async def all_there() -> bool:
            living = here.p21.database.count("inv_mast", {"delete_flag": "N"})
            return len(here.hub.records("product")) == living

        await until(all_there, "all products, by the resumed window")
        assert_in_step(here.p21, here.hub, "product")


async def test_keys_that_need_a_restart_are_refused_by_name(tmp_path):
    async with world(tmp_path, "location", rows=10) as here:
        await here.daemon.start()
        old = dict(here.daemon.settings)
        for block, key in (("store", "path"), ("control", "socket")):
            here.daemon.write(**{block: {key: str(tmp_path / "elsewhere")}})
            refused = await ask(here, "reload")
            assert refused.returncode == 78
            assert f"{block}.{key}" in refused.stderr
            assert "restart" in refused.stderr
            here.daemon.write(**{block: old[block]})
        assert (await here.daemon.sync("location")).status == "completed"


async def ask(here: World, *arguments: str):
    """Ask at the socket the daemon has, whatever the configuration says by now."""
    return await here.daemon.command(f"--socket={here.daemon.socket}", *arguments)
