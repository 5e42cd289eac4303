from __future__ import annotations

import anyio
import anyio.to_thread

from p21d.events import Feed


def told(feed, *names, **more):
    for name in names:
        feed.tell({"event": name, **more})


def names(events):
    return [event["event"] for event in events]


def test_a_listener_begins_with_the_last_events():
    feed = Feed(kept=2)
    told(feed, "a", "b", "c")
    lost, events = feed.listen().take()
    assert (lost, names(events)) == (0, ["b", "c"])


def test_a_listener_who_is_slow_loses_the_oldest_and_learns_how_many():
    feed = Feed(kept=2)
    listener = feed.listen()
    told(feed, "a", "b", "c", "d", "e")
    lost, events = listener.take()
    assert (lost, names(events)) == (3, ["d", "e"])
    assert listener.take() == (0, [])


def test_a_listener_hears_of_its_entity_alone():
    feed = Feed()
    listener = feed.listen("customer")
    told(feed, "a", entity="customer")
    told(feed, "b", entity="product")
    told(feed, "c")
    assert names(listener.take()[1]) == ["a"]


def test_who_left_hears_nothing_more():
    feed = Feed()
    listener = feed.listen()
    feed.leave(listener)
    told(feed, "a")
    assert (feed.listeners, listener.take()) == (0, (0, []))


async def test_an_event_wakes_a_listener():
    feed = Feed()
    listener = feed.listen()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_tell, feed)
        assert await listener.wait(5)
    assert names(listener.take()[1]) == ["a"]


async def test_the_end_wakes_a_listener_for_the_last_time():
    feed = Feed()
    listener = feed.listen()
    feed.end()
    assert not await listener.wait(5)


async def test_an_event_of_another_thread_is_found_at_the_next_look():
    feed = Feed()
    listener = feed.listen()
    await anyio.to_thread.run_sync(told, feed, "a")
    await listener.wait(0)
    assert names(listener.take()[1]) == ["a"]


async def _tell(feed):
    told(feed, "a")
