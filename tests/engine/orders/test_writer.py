"""The order writer: killed at every step, with every outcome of the write, it makes one P21 order and one link each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from p21d.engine.orders.context import SendingStopped
from p21d.engine.orders.writer import OrderWriter
from p21d.errors import Forbidden
from p21d.store.intent import Intent
from tests.engine.orders.doubles import DeskDouble, OrderWorld, hub_down, hub_order, p21_down
from tests.engine.world import LeapingClock

OUTCOMES = ("saved", "lost", "gone", "late", "busy")


class Killed(BaseException):
    """The process ends here."""


class BlindDesk(DeskDouble):
    """A planted bug: a P21 client whose look-ups see nothing."""

    async def by_reference(self, **_: Any) -> list[Any]:
        return []

    async def candidates(self, **_: Any) -> list[Any]:
        return []


def kill_at(orders: OrderWorld, count: int) -> None:
    """End the process at the given step from now."""
    left = [count]

    def on_step(_step: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    orders.on_step = on_step


async def live(orders: OrderWorld, hub_ids: Sequence[str]) -> bool:
    """Take orders and work on them, in a process that may be killed; tell whether it was."""
    try:
        for hub_id in hub_ids:
            orders.inbox.orders.setdefault(hub_id, hub_order(hub_id))
            if await orders.intent(hub_id) is None:
                await orders.ledger.begin(orders.inbox.orders[hub_id], by="inbox")
        await orders.settle(2400, step=60)
    except Killed:
        return True
    return False


def check_exactly_once(orders: OrderWorld, hub_ids: Sequence[str]) -> None:
    """Fail unless each hub order is one P21 order, and linked with it."""
    texts = [order.reference_text for order in orders.desk.orders.values()]
    assert sorted(texts) == sorted(f"PO{hub_id} HUB-{hub_id}" for hub_id in hub_ids)
    by_text = {order.reference_text: order.order_no for order in orders.desk.orders.values()}
    assert orders.linked_orders() == {hub_id: by_text[f"PO{hub_id} HUB-{hub_id}"] for hub_id in hub_ids}


async def killed_everywhere(orders: OrderWorld, outcome: str) -> list[str]:
    """Place an order for every step at which a process may be killed, and kill it there; return the hub ids."""
    hub_ids: list[str] = []
    for count in range(1, 100):
        hub_ids.append(str(1000 + count))
        orders.desk.answers.extend([outcome])
        kill_at(orders, count)
        killed = await live(orders, hub_ids)
        orders.on_step = lambda _step: None
        orders.restart()
        await live(orders, hub_ids)
        if not killed:
            return hub_ids
    raise AssertionError("it never ends")


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_killed_at_every_step_each_order_is_written_and_linked_once(orders, outcome):
    orders.desk.late_seconds = 500  # P21 saves what nobody waits for any more
    hub_ids = await killed_everywhere(orders, outcome)
    assert len(hub_ids) > 10  # every step was met
    check_exactly_once(orders, hub_ids)


async def test_the_check_finds_a_writer_that_does_not_look_up(orders):
    orders.desk = BlindDesk(orders.clock)
    orders.restart()
    hub_ids = await killed_everywhere(orders, "lost")
    with pytest.raises(AssertionError):
        check_exactly_once(orders, hub_ids)


async def test_a_process_killed_while_it_sends_does_not_send_again(orders):
    class Killing(DeskDouble):
        async def write(self, body):
            self.writes.append(body)
            if len(self.writes) == 1:
                self.save(body)
                raise Killed
            return await super().write(body)

    orders.desk = Killing(orders.clock)
    orders.restart()
    assert await live(orders, ["1"])
    assert await orders.state("1") == "sending"
    orders.restart()
    await live(orders, ["1"])
    assert len(orders.desk.writes) == 1
    check_exactly_once(orders, ["1"])


async def test_a_store_of_yesterday_doubles_nothing(orders):
    await live(orders, ["1", "2"])
    for (member, hub_id), external_id in orders.inbox.links.items():
        if not member:
            orders.inbox.edit(hub_id, our_external_id=external_id)
    now = orders.clock.now()
    async with orders.store.transaction() as tables:
        for hub_id in ("1", "2"):
            await tables.intents.save(
                Intent(hub_id=hub_id, state="prepared", created_at=now, changed_at=now, due_at=now)
            )
    orders.restart()
    await live(orders, ["1", "2"])
    assert len(orders.desk.writes) == 2


async def test_the_oldest_order_goes_first(orders):
    await orders.place("3", "1", "2")
    await orders.write()
    assert [order.reference_text[-1] for order in orders.desk.orders.values()] == ["3", "1", "2"]


async def test_an_order_that_alone_meets_an_outage_does_not_keep_the_others_back(orders):
    parties = orders.desk.parties

    async def fail_for_one(wanted, **more):
        if wanted.skus == ("ODD",):
            raise p21_down()
        return await parties(wanted, **more)

    orders.desk.parties = fail_for_one
    await orders.place("1", lines=(hub_order("1").lines[0].__class__(id="x", sku="ODD"),))
    await orders.place("2", "3")
    for _ in range(3):
        with pytest.raises(type(p21_down())):
            await orders.write()
    assert [await orders.state(hub_id) for hub_id in "123"] == ["prepared", "created", "created"]


async def test_a_bug_in_one_order_does_not_keep_the_others_back(orders):
    by_reference = orders.desk.by_reference

    async def fail_for_one(*, text, **more):
        if text.endswith("HUB-1"):
            raise ZeroDivisionError
        return await by_reference(text=text, **more)

    orders.desk.by_reference = fail_for_one
    await orders.place("1", "2")
    await orders.write()
    assert [await orders.state(hub_id) for hub_id in "12"] == ["prepared", "created"]
    assert "ZeroDivisionError" in (await orders.intent("1")).reason


async def test_what_is_sending_in_a_writer_s_hands_is_not_called_unknown(orders):
    sending, answered = anyio.Event(), anyio.Event()
    write = orders.desk.write

    async def slow(body):
        sending.set()
        await answered.wait()
        return await write(body)

    orders.desk.write = slow
    await orders.place("1")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(orders.writer.write_next)
        await sending.wait()
        await orders.writer.recover()
        assert await orders.state("1") == "sending"
        answered.set()
    assert await orders.state("1") == "created"


class Running:
    """The writer's tasks over a clock that leaps."""

    def __init__(self, store: Any, **config: Any) -> None:
        self.world = OrderWorld(store, LeapingClock(), **config)
        self.world.desk.clock = self.world.clock

    async def until(self, condition) -> None:
        """Run the writer until something is so, then drain it."""
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.world.writer.run)
                while not await condition():
                    await anyio.lowlevel.checkpoint()  # each condition reads the store: others have their turn
                self.world.drain.request()

    async def all_linked(self) -> bool:
        counts = await self.world.store.read.intents.counts()
        return set(counts) <= {"linked"}


async def placed(store, *hub_ids: str, **config: Any) -> Running:
    running = Running(store, **config)
    for hub_id in hub_ids:
        running.world.inbox.orders[hub_id] = hub_order(hub_id)
        await running.world.ledger.begin(running.world.inbox.orders[hub_id], by="inbox")
    return running


@pytest.mark.parametrize("writers", [1, 3])
async def test_the_tasks_bring_every_order_to_its_link_once(store, writers):
    hub_ids = [str(number) for number in range(1, 13)]
    running = await placed(store, *hub_ids, concurrent_writes=writers)
    running.world.desk.answers.extend(["lost", "busy", "saved", "gone", "lost", "busy"])
    await running.until(running.all_linked)
    check_exactly_once(running.world, hub_ids)


async def test_an_outage_is_outlasted_and_said(store, log_lines):
    running = await placed(store, "1")
    world = running.world
    world.desk.down = p21_down()

    async def said() -> bool:
        return world.context.held is not None

    async def outage() -> bool:
        if await said() and world.desk.down is not None:
            world.desk.down = None
            world.inbox.down = hub_down()
        elif world.context.held and world.context.held.system == "the sink":
            world.inbox.down = None
        return await running.all_linked()

    await running.until(outage)
    check_exactly_once(world, ["1"])
    held = [line for line in log_lines if line["event"] == "held"]
    assert {line["reason"] for line in held} == {"P21 does not answer", "the hub does not answer"}
    assert world.context.held is None


async def test_a_missing_permission_holds_only_the_sending(store):
    running = await placed(store, "1", "2")
    world = running.world
    refusal = Forbidden("may not write", system="Prophet 21", resource="Order", hint="menu")
    world.desk.answers.extend(["lost", *[refusal] * 10_000])

    async def forbidden() -> bool:
        held = world.context.hold.state
        return held is not None and await world.state("1") == "linked"

    await running.until(forbidden)
    assert (world.context.held.reason, world.context.held.hint) == ("may not write", "menu")
    assert await world.state("2") == "prepared"


async def test_while_sending_is_stopped_what_was_sent_is_followed_up(store):
    running = await placed(store, "1")
    world = running.world
    world.desk.answers.append("lost")
    await world.write()
    await placed_in(world, "2")

    async def stop():
        raise SendingStopped("another p21d writes")

    world.context.may_send = stop

    async def followed() -> bool:
        return await world.state("1") == "linked"

    await running.until(followed)
    assert await world.state("2") == "prepared"
    assert len(world.desk.writes) == 1


async def placed_in(world: OrderWorld, hub_id: str) -> None:
    world.inbox.orders[hub_id] = hub_order(hub_id)
    await world.ledger.begin(world.inbox.orders[hub_id], by="inbox")


async def test_a_drain_ends_what_is_being_sent_and_begins_nothing(store):
    running = await placed(store, "1", "2")
    world = running.world
    write = world.desk.write

    async def drained_meanwhile(body):
        world.drain.request()
        return await write(body)

    world.desk.write = drained_meanwhile

    async def always() -> bool:
        return world.drain.requested

    await running.until(always)
    assert [await world.state(hub_id) for hub_id in "12"] == ["created", "prepared"]


async def test_work_that_has_ended_is_watched_no_more(orders):
    await orders.place("1")
    await orders.write()
    await orders.follow()
    orders.clock.advance(1e6)
    assert orders.context.connection.watch.stuck() == []


async def test_a_full_disk_sends_nothing(orders):
    orders.context.connection.min_free_bytes = 2**62
    await orders.place("1")
    with pytest.raises(Exception, match="free on the disk"):
        await OrderWriter(orders.context).write_next()
    assert orders.desk.writes == []
