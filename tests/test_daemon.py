"""The daemon as a process: signals, exit codes, and one daemon per store and socket."""

from __future__ import annotations

import signal
import sqlite3

from p21d.sandbox.faults import Fault
from tests.faults.comparison import assert_in_step
from tests.faults.world import Daemon, World, until, world


async def midway(here: World, count: int) -> None:
    """Wait until the hub has taken that many products."""

    async def taken() -> bool:
        return len(here.hub.records("product")) >= count

    await until(taken, f"{count} products in the hub")


async def logged(daemon: Daemon, event: str) -> None:
    async def found() -> bool:
        return bool(daemon.log(event))

    await until(found, f"{event!r} in the log")


def delivered(daemon: Daemon) -> set[str]:
    """Return the external ids that the store holds as delivered, with their fingerprint."""
    with sqlite3.connect(f"file:{daemon.store}?mode=ro", uri=True) as store:
        rows = store.execute("SELECT external_id FROM delivered WHERE fingerprint IS NOT NULL").fetchall()
    store.close()
    return {row[0] for row in rows}


async def test_sigterm_drains_and_forgets_no_fate(tmp_path):
    async with world(tmp_path, "product", rows=120, prophet21={"page_rows": 30}, batch_rows=4) as here:
        here.hub.faults.add(Fault(kind="slow", path="*/Product*", seconds=0.02))
        await here.daemon.start()
        await midway(here, 20)

        assert await here.daemon.stop() == 0

        in_hub = {record["sku"] for record in here.hub.records("product")}
        assert 20 <= len(in_hub) < 100
        assert delivered(here.daemon) == in_hub
        assert [line["event"] for line in here.daemon.log()][-2:] == ["drained", "stopped"]
        assert here.daemon.log("cycle")[-1]["status"] == "drained"
        assert not here.daemon.socket.exists()

        await here.daemon.start()
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "product")
        assert {record["writes"] for record in here.hub.records("product")} == {1}


async def test_a_drain_does_not_wait_for_what_has_not_begun(tmp_path):
    async with world(tmp_path, "product", rows=80, concurrent_batch_executions=1, batch_rows=2) as here:
        here.hub.faults.add(Fault(kind="slow", path="*/Product*", seconds=0.02))
        await here.daemon.start()
        await midway(here, 5)

        assert await here.daemon.stop() == 0

        assert delivered(here.daemon) == {record["sku"] for record in here.hub.records("product")}
        assert len(here.hub.records("product")) < 60


async def test_a_second_sigterm_cuts_the_drain_short(tmp_path):
    async with world(tmp_path, "product", rows=5) as here:
        hang = here.hub.faults.add(Fault(kind="hang", path="*/Product*", seconds=600))
        await here.daemon.start()

        async def hangs() -> bool:
            return here.hub.faults.fired(hang) > 0

        await until(hangs, "a call that hangs")
        here.daemon.signal(signal.SIGTERM)
        await logged(here.daemon, "draining")
        here.daemon.signal(signal.SIGTERM)

        assert await here.daemon.ended(10) == 0
        assert here.daemon.log("cut short")
        assert not here.daemon.log("drained")

        here.hub.faults.clear()
        await here.daemon.start()
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "product")


async def test_a_second_daemon_on_the_store_is_told_who_holds_it(tmp_path):
    async with world(tmp_path, "location", rows=5) as here:
        await here.daemon.start()
        second = here.daemon.settings | {"control": {"socket": str(tmp_path / "second.sock")}}
        folder = tmp_path / "second"
        folder.mkdir()

        refused = await Daemon(folder, second).command("run")

        assert refused.returncode == 75
        assert f"pid {here.daemon.process.pid}" in refused.stderr
        assert "Traceback" not in refused.stderr
        await here.daemon.until_in_step()


async def test_a_second_daemon_on_the_socket_is_refused_and_leaves_it_alone(tmp_path):
    async with world(tmp_path, "location", rows=5) as here:
        await here.daemon.start()
        second = here.daemon.settings | {"store": {"path": str(tmp_path / "second.db")}}
        folder = tmp_path / "second"
        folder.mkdir()

        refused = await Daemon(folder, second).command("run")

        assert refused.returncode == 75
        assert str(here.daemon.socket) in refused.stderr
        assert "Traceback" not in refused.stderr
        await here.daemon.until_in_step()


async def test_a_disk_without_room_stops_the_reading_and_says_so(tmp_path):
    store = {"min_free": "1000000GB"}
    async with world(tmp_path, "location", rows=5, store=store) as here:
        await here.daemon.start()

        await here.daemon.until_held("location", "free", seconds=5)

        assert here.hub.writes == 0
        here.daemon.write(store={"min_free": "1MB"})
        assert (await here.daemon.command("reload")).returncode == 0
        await here.daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "location")
