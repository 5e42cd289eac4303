"""A daemon that is ended at its steps or at any moment, and the world that goes on meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import msgspec

from p21d.control.answers import SyncRequest
from p21d.control.client import ControlClient
from p21d.errors import P21dError
from p21d.sandbox.distributor.life import tick
from tests.faults.lives import Life
from tests.faults.world import DEADLINE_SECONDS, Daemon, World, world

ROWS = 20
OLD = "2001-01-01T00:00:00"
"""A stamp below every look-back: such a row is read only when another waits for it."""
BROKEN = "9001"
"""A contact of the test's own that does not decode."""
NEW = 30
COMES_AND_GOES = 90
"""A location of the test's own, which vanishes and comes back."""
SETTINGS: dict[str, Any] = {
    "prophet21": {"settle": 0, "page_rows": 5},
    "batch_rows": 3,
}
BACKFILLED = "location"


class CrashingDaemon(Daemon):
    """The lives of one daemon, one after the other on the same store; see tests/faults/lives.py."""

    def __init__(self, daemon: Daemon, lives: subprocess.Popen[bytes], *, settle_seconds: float | None = None) -> None:
        """`settle_seconds` is the settle time of orders, where it is not the configuration's."""
        super().__init__(daemon.folder, daemon.settings)
        self.life = 0
        self._lives = lives
        self._settle_seconds = settle_seconds

    async def live(self, *, step: str = "", times: int = 1, bug: str = "", ready: bool = False) -> None:
        """Begin a life that ends at that passing of a step, or when it is told to."""
        log, config, settle_seconds = str(self.log_path), str(self.config), self._settle_seconds
        begin(self._lives, Life(log=log, config=config, settle_seconds=settle_seconds, bug=bug, step=step, times=times))
        self.life = await self._line()
        if ready:
            await self.until_ready()

    async def _line(self) -> int:
        assert self._lives.stdout is not None
        with anyio.fail_after(DEADLINE_SECONDS):
            return int(await anyio.to_thread.run_sync(self._lives.stdout.readline, abandon_on_cancel=True))

    async def until_ready(self) -> None:
        """Return when the control socket answers, or the life has ended."""
        with anyio.fail_after(DEADLINE_SECONDS):
            while not await self._answers():  # noqa: ASYNC110  # what is waited for is in another process
                await anyio.sleep(0.02)

    async def _answers(self) -> bool:
        with contextlib.suppress(P21dError):
            await self.status()
            return True
        return False

    async def ended(self, seconds: float = DEADLINE_SECONDS) -> int:
        """Return the exit code of this life once it has ended."""
        with anyio.fail_after(seconds):
            code = await self._line()
        self.life = 0
        return code

    def signal(self, number: int) -> None:
        os.kill(self.life, number)

    def clean_up(self) -> None:
        if self.life:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.life, signal.SIGKILL)
            assert self._lives.stdout is not None
            self._lives.stdout.readline()
        super().clean_up()

    async def ask_for_sync(self, entity: str) -> None:
        """Ask for a sync as soon as there is somebody to ask, who may die over it."""
        while True:
            with contextlib.suppress(P21dError):
                async with ControlClient(self.socket) as client:
                    await client.sync(SyncRequest(entity=entity, days=1))
                return
            await anyio.sleep(0.02)


class Business:
    """What people do to P21 while the daemon lives and dies."""

    def __init__(self, here: World) -> None:
        self._here = here
        self._p21 = here.p21.database
        self._days = 0
        self._items = {row["inv_mast_uid"]: row for row in self._p21.rows("inv_mast")}
        self._stock = self._p21.rows("inv_loc", {"company_id": "01"})
        contact = without_stamp(self._p21.rows("contacts")[0])
        own = {"id": BROKEN, "email_address": "own@example.com", "address_id": 101.5}
        self._p21.insert("contacts", **{**contact, **own})
        self.toggle()

    def day(self) -> None:
        """Change something of every kind: masters, their related rows, a late parent, a row that vanishes."""
        self._days += 1
        number = self._days
        tick(self._p21, self._p21.time.now())
        uid = 1 + number % len(self._items)
        self._p21.change("inv_mast", {"inv_mast_uid": uid}, item_desc=f"day {number} of {uid}")
        self._p21.change("location", {"location_id": 10 * (1 + number % 3)}, location_name=f"Place of day {number}")
        stock = self._stock[number % len(self._stock)]
        key = {name: stock[name] for name in ("inv_mast_uid", "location_id")}
        self._p21.change("inv_loc", key, qty_on_hand=f"{number}.000000000")
        unit = self._p21.rows("item_uom", {"delete_flag": "N"})[number % 10]
        self._p21.change("item_uom", {"item_uom_uid": unit["item_uom_uid"]}, unit_size=f"{2 + number}.000000000")
        self._arrive_late(len(self._items) + number)

    def toggle(self) -> None:
        """Let one location vanish from P21, or come back."""
        key = {"location_id": COMES_AND_GOES}
        if not self._p21.delete("location", key):
            self._p21.insert("location", **key, location_name="Now and then", company_id="01", delete_flag="N")

    def mend(self) -> None:
        """Bring everything into a state in which every row can be delivered."""
        self._p21.change("contacts", {"id": BROKEN}, address_id=101, delete_flag="N")
        if not self._p21.count("location", {"location_id": COMES_AND_GOES}):
            self.toggle()

    def _arrive_late(self, uid: int) -> None:
        """Let stock arrive of an item that is older than the look-back; life counts the items, so there is no gap."""
        self._insert_item(uid, date_last_modified=OLD)
        self._p21.insert("inv_loc", **{**without_stamp(self._stock[0]), "inv_mast_uid": uid, "location_id": 10})

    def _insert_item(self, uid: int, **columns: Any) -> None:
        own = {"inv_mast_uid": uid, "item_id": f"OWN-{uid}", "item_desc": f"own {uid}", "upc_or_ean_id": None}
        self._p21.insert("inv_mast", **{**without_stamp(self._items[1]), **own, **columns})

    async def go_on(self) -> None:
        """Let two more days pass, soon."""
        for _ in range(2):
            await anyio.sleep(0.2)
            self.day()

    def work_before_a_window(self) -> None:
        """Change two items and bring two new ones, one with stock; P21's clock then makes the next window pass them."""
        for uid in (6, 7):
            self._p21.change("inv_mast", {"inv_mast_uid": uid}, item_desc="changed before")
        self._insert_item(NEW)
        self._arrive_late(NEW + 1)
        self._here.p21.settings.clock_skew_seconds = 5


def without_stamp(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "date_last_modified"}


def start_lives() -> subprocess.Popen[bytes]:
    """Start what begins the lives of daemons; it ends with its stdin."""
    command = [sys.executable, "-m", "tests.faults.lives"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])


def begin(lives: subprocess.Popen[bytes], life: Life) -> None:
    """Begin a life; its id and its exit code come as lines."""
    assert lives.stdin is not None
    lives.stdin.write(msgspec.json.encode(life) + b"\n")
    lives.stdin.flush()


@asynccontextmanager
async def crashing(
    folder: Path, lives: subprocess.Popen[bytes], *entities: str, poll_interval: str = "0.5s"
) -> AsyncIterator[tuple[World, CrashingDaemon, Business]]:
    """Serve both simulators for these entities, all by default, and a daemon that is not alive yet."""
    entity = {"poll_interval": poll_interval, "sweep_interval": poll_interval, "overlap": 0}
    async with world(folder, *entities, rows=ROWS, entity=entity, **SETTINGS) as here:
        for name in here.daemon.settings["entities"]:
            if name == BACKFILLED:
                here.daemon.settings["entities"][name] |= {"full_sweep_interval": "1s"}
        daemon = here.daemon = CrashingDaemon(here.daemon, lives)
        yield here, daemon, Business(here)
