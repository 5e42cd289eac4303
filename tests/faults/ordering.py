"""A daemon that writes orders, caught up with a P21 and a hub of few rows, and words for what a test asks of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from p21d.control.client import ControlClient
from p21d.control.order_answers import OrderAnswer, OrdersSyncAnswer, OrdersSyncRequest
from p21d.engine.orders.ledger import LINKED
from tests.faults.test_orders import SETTLE_SECONDS, WRITES, linked, order_rows, orders_of, salable, settings
from tests.faults.world import Daemon, World, until, world

BUSY = {"sessions": 0, "session_wait_seconds": 0.02}
"""Settings of a P21 whose sessions are all taken."""
FREE = {"sessions": 5}
ENTITIES = ("location", "company", "customer", "product", "transaction")
ROWS = 20


class OrderingDaemon(Daemon):
    """A daemon with its own settle time, and its orders as an administrator meets them."""

    settle_seconds = SETTLE_SECONDS

    def __init__(self, daemon: Daemon) -> None:
        super().__init__(daemon.folder, daemon.settings)

    def _command(self, *arguments: str) -> list[str]:
        python, *rest = super()._command(*arguments)
        if arguments != ("run",):
            return [python, *rest]
        return [python, "-m", "tests.faults.hurried", str(self.config), str(self.settle_seconds)]

    async def orders(self) -> list[OrderAnswer]:
        return await orders_of(self)

    async def order(self, id_: str) -> OrderAnswer:
        async with ControlClient(self.socket) as client:
            return (await client.order(id_)).order

    async def steps(self, id_: str) -> list[tuple[str, str]]:
        """Return the moves of an order from state to state, in order."""
        async with ControlClient(self.socket) as client:
            return [(event.before, event.after) for event in (await client.order(id_)).history]

    async def states(self, ids: Sequence[str]) -> list[str]:
        """Return the state of each of these orders, empty for one that is not on its way."""
        found = {order.id: order.state for order in await self.orders()}
        return [found.get(id_, "") for id_ in ids]

    async def until_all(self, state: str, ids: Sequence[str]) -> None:
        """Wait until all of these orders are in a state."""

        async def there() -> bool:
            return set(await self.states(ids)) == {state}

        await until(there, f"orders {ids} {state}")

    async def sync_orders(self, *ids: str) -> OrdersSyncAnswer:
        async with ControlClient(self.socket) as client:
            return await client.sync_orders(OrdersSyncRequest(ids=list(ids)))

    async def reload(self, **blocks: Any) -> None:
        """Reload the configuration with these keys changed."""
        self.write(**blocks)
        async with ControlClient(self.socket) as client:
            assert (await client.reload()).reloaded

    async def until_shown(self) -> None:
        """Wait until the entities are in step, the orders' own rows too: whatever would be sent, was."""
        await self.until_in_step(*ENTITIES)


class Shop:
    """A world with customers who order."""

    def __init__(self, world: World, daemon: OrderingDaemon) -> None:
        self.world = world
        self.p21, self.hub = world.p21, world.hub
        world.daemon = self.daemon = daemon

    def place(self, count: int, **wishes: Any) -> list[str]:
        """Place orders of the web shop that P21 can take, and return their hub ids."""
        companies = tuple(int(company["id"]) for company in self.hub.records("company"))
        usual = {"types": ("Order",), "statuses": ("Pending",), "skus": salable(self.world), "company_ids": companies}
        return [str(id_) for id_ in self.hub.seed_orders(count, **{**usual, **wishes})]

    def edit(self, id_: str, **members: Any) -> None:
        """Change members of a hub order, as a person in the portal would."""
        self.hub.change("transaction", int(id_), **members)

    def edit_line(self, id_: str, **members: Any) -> None:
        """Change members of the first line of a hub order."""
        record = next(one for one in self.hub.records("transaction") if str(one["id"]) == id_)
        self.hub.change("line", int(record["lines"][0]["id"]), **members)

    def rows_of(self, id_: str) -> list[dict[str, Any]]:
        """Return the orders P21 has for a hub order."""
        return [row for row in order_rows(self.world) if row["po_no"].endswith(f"HUB-{id_}")]

    async def until_saved(self, *ids: str) -> None:
        """Wait until P21 has an order for each of these hub orders, whatever it answers."""

        async def saved() -> bool:
            return all(self.rows_of(id_) for id_ in ids)

        await until(saved, f"orders {ids} in P21")

    def quantities(self, id_: str) -> list[float]:
        """Return what P21 has ordered in the lines of its order for a hub order, in the unit sold."""
        [row] = self.rows_of(id_)
        lines = self.p21.database.rows("oe_line", {"order_no": row["order_no"]})
        return [float(line["qty_ordered"]) / float(line["unit_size"]) for line in lines]

    def posts(self) -> int:
        """Return how many writes of orders P21 was asked for."""
        calls = self.p21.requests
        return sum(call.method == "POST" and call.path.lower().endswith("/api/v2/transaction") for call in calls)

    async def restart_p21(self) -> None:
        """Take P21 down and bring it back: what it was asked for and had not answered is never answered."""
        await self.world.p21_server.down()
        await self.world.p21_server.up()

    def lose_link(self, external_id: str) -> None:
        """Take the link of a transaction out of the hub, as a person in the portal can."""
        with self.hub._core.database.transaction():
            assert self.hub._core.links.remove("transaction", 5120, external_id)

    def assert_each_once(self, ids: Sequence[str]) -> None:
        """Compare: these hub orders, and no others, have one P21 order each, linked with it and no other record."""
        numbers = Counter({row["order_no"]: 1 for row in order_rows(self.world)})
        links = linked(self.world)
        assert sorted(links) == sorted(ids)
        assert Counter(links.values()) == numbers
        delivered = [record["transaction_number"] for record in self.hub.records("transaction")]
        assert not numbers.keys() & set(delivered), "none came back to the hub as a new record"


@asynccontextmanager
async def shop(
    folder: Path,
    *entities: str,
    claimed: bool = False,
    rows: int = ROWS,
    daemon: type[OrderingDaemon] = OrderingDaemon,
    **blocks: Any,
) -> AsyncIterator[Shop]:
    """Serve both simulators, in step, and a running daemon that writes orders.

    `entities` run besides those orders are made of; `blocks` are merged into the daemon's settings.

    Unless `claimed`, the hub has no place for the name of its writer: a claim takes five seconds to settle.
    """
    merged = settings()
    for name, block in blocks.items():
        merged[name] = {**merged.get(name, {}), **block}
    merged["orders"].setdefault("sole_writer", not claimed)
    async with world(folder, *ENTITIES, *entities, rows=rows, **merged) as here:
        here.hub.settings.persistent_data = claimed
        made = Shop(here, daemon(here.daemon))
        await made.daemon.start()
        await made.daemon.until_shown()
        yield made


__all__ = ["BUSY", "ENTITIES", "FREE", "LINKED", "WRITES", "OrderingDaemon", "Shop", "linked", "order_rows", "shop"]
