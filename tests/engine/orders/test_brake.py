"""The brake: more orders within an hour than is usual stop everything until a person says that they are meant."""

from __future__ import annotations

import pytest

from p21d.engine.orders.context import SendingStopped
from tests.engine.orders.taking_in import ON, desk_of, intents, place, read_all


@pytest.fixture
async def engine(make):
    made = make(orders={**ON, "max_per_hour": 3})
    await read_all(made)
    return made


def place_many(engine, count):
    return [place(engine.hub, f"WEB-{number}") for number in range(count)]


async def test_so_many_are_taken_in_and_then_it_asks(engine):
    place_many(engine, 5)
    desk = desk_of(engine)
    result = await desk.sync()
    assert len(result.prepared) == 3
    assert "orders.max_per_hour" in result.note
    with pytest.raises(SendingStopped, match="more than 3 new orders"):
        await desk.context.may_send()
    state = desk.state()
    assert state.state == "asks"
    assert "p21d orders sync" in state.held_hint


async def test_a_person_lets_as_many_again_through_and_no_more(engine):
    place_many(engine, 8)
    desk = desk_of(engine)
    await desk.sync()
    assert len((await desk.sync()).prepared) == 3
    assert desk.state().state == "asks"
    assert len((await desk.sync()).prepared) == 2
    assert desk.state().state == "on"
    await desk.context.may_send()


async def test_just_so_many_do_not_stop_it(engine):
    place_many(engine, 3)
    assert len(await read_all(engine)) == 3
    assert desk_of(engine).state().state == "on"


async def test_an_hour_later_as_many_come_through_by_themselves(engine, clock):
    place_many(engine, 3)
    await read_all(engine)
    clock.advance(3601)
    for number in range(3):
        place(engine.hub, f"LATER-{number}")
    assert len((await desk_of(engine).sync()).prepared) == 3


async def test_what_a_person_asks_for_by_name_is_not_counted(engine):
    ids = place_many(engine, 5)
    await desk_of(engine).sync(ids[:4], "ann")
    assert (await desk_of(engine).sync()).prepared == (ids[4],)
    assert len(await intents(engine)) == 5


async def test_a_restart_does_not_forget_the_question(engine, make):
    place_many(engine, 5)
    await desk_of(engine).sync()
    again = make(orders={**ON, "max_per_hour": 3})
    await desk_of(again).intake.read_inbox()
    assert desk_of(again).state().state == "asks"
