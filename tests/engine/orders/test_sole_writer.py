"""One p21d alone writes the orders of a hub; a second one holds its own, says so, and takes over when told to."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from p21d.assembly import assemble
from p21d.engine.orders.context import SendingStopped
from p21d.engine.orders.sole_writer import SoleWriter
from p21d.engine.watch import Watch
from p21d.errors import Forbidden
from p21d.store.database import Store
from tests.engine.orders.taking_in import ON, desk_of, intents, place, read_all
from tests.engine.world import Engine


@pytest.fixture
async def engine(make):
    return make(orders=ON)


@asynccontextmanager
async def second(make, tmp_path):
    """Another daemon on a store of its own."""
    first = make(orders=ON)
    async with Store(tmp_path / "other.db") as store:
        assembly = assemble(first.assembly.config, first.assembly.registry, store, first.clock, Watch(first.clock))
        engine = Engine(first.served, assembly, store, first.clock)
        yield engine
        await engine.close()


async def test_nothing_may_be_sent_before_the_hub_was_asked_who_writes(engine):
    with pytest.raises(SendingStopped):
        await desk_of(engine).context.may_send()
    await read_all(engine)
    await desk_of(engine).context.may_send()


async def test_a_store_keeps_its_name_over_restarts(engine, make):
    await read_all(engine)
    name = await engine.store.read.inbox.store_id()
    again = make(orders=ON)
    await read_all(again)
    assert name
    assert await again.store.read.inbox.store_id() == name
    assert desk_of(again).state().state == "on"


async def test_a_second_store_is_held_with_what_to_do_and_takes_nothing_in(engine, make, tmp_path):
    await read_all(engine)
    place(engine.hub, "WEB-1")
    async with second(make, tmp_path) as other:
        with pytest.raises(SendingStopped, match="names another p21d"):
            await desk_of(other).sync()
        with pytest.raises(SendingStopped, match="names another p21d"):
            await desk_of(other).context.may_send()
        state = desk_of(other).state()
        assert (state.state, "take-over" in state.held_hint) == ("held", True)
        assert await intents(other) == {}
    assert len(await read_all(engine)) == 1


async def test_taking_over_holds_the_other_one_at_its_next_pass(engine, make, tmp_path):
    await read_all(engine)
    hub_id = place(engine.hub, "WEB-1")
    async with second(make, tmp_path) as other:
        with pytest.raises(SendingStopped):
            await desk_of(other).sync()
        await desk_of(other).take_over("ann")
        await desk_of(other).context.may_send()
        assert await read_all(other) == [hub_id]
        with pytest.raises(SendingStopped):
            await desk_of(engine).sync()
        assert await intents(engine) == {}


async def test_where_the_hub_has_no_place_for_it_the_settings_must_say_so(engine, make):
    class NoPlace:
        system_id = 5120

        async def writer(self):
            raise Forbidden("no permission", system="hub", resource="subscription")

    for sole, state in ((False, "held"), (True, "on")):
        desk = desk_of(make(orders={**ON, "sole_writer": sole}))
        desk.context.inbox, inbox = NoPlace(), desk.context.inbox
        stopped = await SoleWriter(desk.context).check()
        desk.context.inbox = inbox
        assert (stopped is None) == (state == "on")
        assert stopped is None or "orders.sole_writer" in stopped.hint


async def test_of_two_that_find_no_name_at_once_one_goes_on(engine):
    """Both have read that nobody writes; the other one's name is written last, while ours is let stand."""
    desk = desk_of(engine)
    inbox = desk.context.inbox

    class Overtaken:
        written = ""
        system_id = inbox.system_id

        async def writer(self):
            return "another" if self.written else None

        async def set_writer(self, store_id):
            self.written = store_id

    desk.context.inbox = Overtaken()
    stopped = await SoleWriter(desk.context).check()
    assert stopped is not None
    assert "another" in stopped.message
