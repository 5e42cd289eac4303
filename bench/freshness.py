"""How fresh one-minute inventory stays while the products are loaded for the first time.

    python -m bench.freshness --rows 400000 --minutes 20

A few products and all locations are in the hub already; then all products have changed, the daemon reads and delivers
them in its first window, and beside it stocks move: at a random second each, of products known to the hub and of
products that are not. Printed are the seconds from each change in P21 to its arrival in the hub. The simulators run in
this process, the daemon in its own. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from pathlib import Path

import anyio

from bench.daemon import settings
from p21d.clock import Clock, SystemClock
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from tests.faults.world import Daemon

LOCATION = 10
LOOK_SECONDS = 1.0


ENTITIES = {
    "company": {"enabled": False},
    "customer": {"enabled": False},
    "product_inventory": {"poll_interval": "1m"},
}


class Moves:
    """Moves stock in P21, and sees it arrive in the hub."""

    def __init__(self, p21: P21Sandbox, hub: HubSandbox, clock: Clock) -> None:
        self._p21 = p21
        self._hub = hub
        self._clock = clock
        self._on_the_way: dict[str, tuple[float, float]] = {}
        self._dice = random.Random(7)
        self.seconds: list[float] = []
        self.made = 0

    async def run(self) -> None:
        """Move one stock about every two seconds, and look for those that arrived."""
        while True:
            self._move()
            self._look()
            await self._clock.sleep(LOOK_SECONDS * 2 * self._dice.random())

    def _move(self) -> None:
        rows = self._p21.database.connection.execute(
            "SELECT l.inv_mast_uid, trim(m.item_id) FROM inv_loc l JOIN inv_mast m USING (inv_mast_uid) "
            "WHERE l.location_id = ? AND l.delete_flag = 'N' AND m.delete_flag = 'N' AND m.inv_mast_uid >= ? LIMIT 1",
            (LOCATION, self._dice.randrange(self._p21.database.count("inv_mast"))),
        ).fetchall()
        if not rows:
            return
        uid, item_id = rows[0]
        name = f"{item_id}|{LOCATION}"
        if name in self._on_the_way:
            return
        self.made += 1
        quantity = 500_000 + self.made
        self._p21.database.change("inv_loc", {"inv_mast_uid": uid, "location_id": LOCATION}, qty_on_hand=quantity)
        self._on_the_way[name] = (self._clock.monotonic(), float(quantity))

    def _look(self) -> None:
        now = self._clock.monotonic()
        for name, (began, quantity) in list(self._on_the_way.items()):
            found = self._hub.linked("product inventory", name)
            if found is not None and found["qty_on_hand"] == quantity:
                self.seconds.append(now - began)
                del self._on_the_way[name]

    @property
    def oldest_seconds(self) -> float:
        """Return how long the longest of those on their way is on it."""
        now = self._clock.monotonic()
        return max((now - began for began, _ in self._on_the_way.values()), default=0.0)


async def measure(rows: int, minutes: float) -> int:
    """Run the measurement and print it; return the exit code."""
    folder, clock = Path(tempfile.mkdtemp(prefix="p21d-freshness-")), SystemClock()
    print(f"seeding {rows} items", flush=True)
    with P21Sandbox(rows=rows) as p21:
        p21.database.connection.execute("UPDATE inv_loc SET date_last_modified = '2020-01-01T00:00:00'")
        hub = HubSandbox(keep_requests=10)
        async with p21.serve() as p21_url, hub.serve() as hub_url, anyio.create_task_group() as tasks:
            daemon = Daemon(folder, settings(folder, p21_url, hub_url, ENTITIES))
            try:
                await daemon.start()
                moves = Moves(p21, hub, clock)
                await clock.sleep(10)
                tasks.start_soon(moves.run)
                for minute in range(1, round(minutes) + 1):
                    await clock.sleep(60)
                    await say(daemon, moves, minute)
                return report(moves)
            finally:
                tasks.cancel_scope.cancel()
                daemon.process.terminate()
                await daemon.ended()


async def say(daemon: Daemon, moves: Moves, minute: int) -> None:
    """Print how far the load is, and how fresh the stocks are."""
    product, stock = await daemon.entity("product"), await daemon.entity("product_inventory")
    print(
        f"minute {minute}: {product.delivered} products delivered ({product.state}), stocks {stock.state}; "
        f"{moves.made} moved, {len(moves.seconds)} arrived, oldest on its way {moves.oldest_seconds:.0f} s",
        flush=True,
    )


def report(moves: Moves) -> int:
    """Print the distribution; fail when nothing arrived."""
    if not moves.seconds:
        print("nothing arrived")
        return 1
    found = sorted(moves.seconds)
    told = {
        "moved": moves.made,
        "arrived": len(found),
        "median_seconds": statistics.median(found),
        "p99_seconds": found[min(len(found) - 1, int(len(found) * 0.99))],
        "longest_seconds": found[-1],
        "oldest_on_its_way_seconds": moves.oldest_seconds,
    }
    print(json.dumps(told))
    return 0


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--minutes", type=float, default=20)
    asked = parser.parse_args()
    return anyio.run(measure, asked.rows, asked.minutes)


if __name__ == "__main__":
    sys.exit(main())
