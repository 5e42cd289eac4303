"""A store that is killed, replaced, damaged or without room, under a real daemon between both simulators."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from p21d.control.client import ControlClient
from p21d.sandbox.faults import Fault
from tests.faults.comparison import assert_in_step
from tests.faults.world import Daemon, World, until, world

ENTITIES = ("location", "product", "product_inventory")
HUGE = "999999999GB"


def rename(here: World, *uids: int) -> None:
    """Change items of P21, so that the hub has to be told."""
    for uid in uids:
        here.p21.database.change("inv_mast", {"inv_mast_uid": uid}, item_desc=f"renamed {uid}")


async def test_after_a_kill_an_older_backup_brings_both_sides_in_step(tmp_path: Path) -> None:
    async with world(tmp_path, *ENTITIES, rows=12, entity={"poll_interval": "0.2s"}) as here:
        daemon, backup = here.daemon, tmp_path / "backup.db"
        await daemon.start()
        await daemon.until_in_step()
        done = await daemon.command("backup", str(backup))
        assert (done.returncode, done.stdout) == (0, "")
        rename(here, 1, 2)
        await daemon.sync("product", days=3650)
        await daemon.kill()
        rename(here, 2, 3)

        shutil.copy(backup, daemon.store)  # and the killed store's WAL stands beside it still
        await daemon.start()
        await daemon.sync("product", days=3650)
        await daemon.until_in_step()

        assert_in_step(here.p21, here.hub, *ENTITIES)


async def test_begun_anew_every_link_is_found_again(tmp_path: Path) -> None:
    async with world(tmp_path, *ENTITIES, rows=12) as here:
        daemon = here.daemon
        await daemon.start()
        await daemon.until_in_step()
        assert await daemon.stop() == 0
        daemon.store.rename(tmp_path / "p21d.db.damaged")
        before = len(here.hub.records("product"))

        await daemon.start()
        await daemon.until_in_step()

        assert len(here.hub.records("product")) == before
        assert_in_step(here.p21, here.hub, *ENTITIES)


async def test_a_damaged_store_is_refused_at_the_start_with_what_to_type(tmp_path: Path) -> None:
    async with world(tmp_path, "location", rows=12) as here:
        daemon = here.daemon
        await daemon.start()
        await daemon.until_in_step()
        assert await daemon.stop() == 0  # now all of it is in the file, and nothing in the WAL
        await daemon.start()
        await daemon.kill()
        daemon.store.with_name("p21d.db-wal").unlink()
        with daemon.store.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * 40960)
        await daemon.start(ready=False)
        assert await daemon.ended() == os.EX_CONFIG
        said = daemon.log_path.read_text()
        assert f"the store {daemon.store} is damaged" in said
        assert f"cp BACKUP {daemon.store}" in said


async def test_without_room_nothing_is_read_and_what_is_in_flight_is_remembered(tmp_path: Path) -> None:
    settings = {"prophet21": {"page_rows": 5}, "batch_rows": 1, "concurrent_batch_executions": 1}
    async with world(tmp_path, "location", "product", rows=40, **settings) as here:
        daemon = here.daemon
        here.hub.faults.add(Fault(kind="slow", seconds=0.1))
        await daemon.start()
        await until(lambda: some_delivered(here), "the first products")
        daemon.write(store={"min_free": HUGE})
        await reload(daemon)
        product = await daemon.until_held("product", f"less than {HUGE} free")
        assert 0 < product.delivered == len(here.hub.records("product")) < 40
        before = len(rows_read(here))
        await daemon.resume_all()
        await daemon.until_held("product", f"less than {HUGE} free")
        assert len(rows_read(here)) == before

        here.hub.faults.clear()
        daemon.write(store={"min_free": "1MB"})
        await reload(daemon)
        await daemon.resume_all()
        await daemon.until_in_step()
        assert_in_step(here.p21, here.hub, "location", "product")


async def reload(daemon: Daemon) -> None:
    async with ControlClient(daemon.socket) as client:
        assert (await client.reload()).reloaded


async def some_delivered(here: World) -> bool:
    return len(here.hub.records("product")) > 2


def rows_read(here: World) -> list[str]:
    return [seen.path for seen in here.p21.requests if seen.path.endswith(("/inv_mast", "/location"))]
