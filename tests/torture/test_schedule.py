"""A seed is a schedule: the same one every time, with the faults' own chances in it."""

from __future__ import annotations

from typing import get_args

import pytest

from p21d.sandbox.fault import Kind
from p21d.torture.catalogue import CATALOGUE
from p21d.torture.schedule import ORDERS, Schedule

SECONDS = 20.0
FOR_ASYNCHRONOUS_WRITES = {"async_never", "async_lost"}
OF_A_GOOD_STATUS = {"repeat_page"}
"""Answers with other rows than were asked for, and says that all is well: nobody can see through that."""

TOO_SLOW = {"drip"}
"""A body byte by byte takes longer than a run."""


def test_the_same_seed_is_the_same_schedule():
    assert Schedule.of(7, SECONDS) == Schedule.of(7, SECONDS)
    assert list(Schedule.of(7, SECONDS).lines()) == list(Schedule.of(7, SECONDS).lines())


def test_another_seed_is_another_schedule():
    assert Schedule.of(7, SECONDS).events != Schedule.of(8, SECONDS).events


def test_each_fault_has_a_chance_of_its_own_from_the_seed():
    faults = [event.fault for event in Schedule.of(7, SECONDS).events if event.fault is not None]
    assert len({fault.seed for fault in faults}) == len(faults) > 20
    assert all(0 < fault.probability < 1 for fault in faults)


def test_the_events_stand_in_their_order_within_the_run():
    moments = [event.at for event in Schedule.of(7, SECONDS).events]
    assert moments == sorted(moments)
    assert moments[0] > 0
    assert moments[-1] <= SECONDS


def test_every_seed_places_all_orders_and_most_kill_the_daemon():
    schedules = [Schedule.of(seed, SECONDS) for seed in range(50)]
    assert {schedule.orders for schedule in schedules} == {ORDERS}
    kills = [sum(event.what == "kill" for event in schedule.events) for schedule in schedules]
    assert min(kills) >= 1
    assert 3 < sum(kills) / len(kills) < 6


def test_a_hundred_seeds_meet_every_kind_of_event_and_of_fault():
    events = [event for seed in range(100) for event in Schedule.of(seed, SECONDS).events]
    assert {event.what for event in events} >= {
        "kill",
        "stop",
        "reload",
        "pause",
        "down",
        "tokens",
        "setting",
        "orders",
    }
    kinds = {(event.side, event.fault.kind) for event in events if event.fault is not None}
    assert kinds == {(scripted.side, scripted.fault.kind) for scripted in CATALOGUE}


def test_the_catalogue_has_every_kind_that_a_careful_client_can_see_through():
    kinds = set(get_args(Kind)) - FOR_ASYNCHRONOUS_WRITES - OF_A_GOOD_STATUS - TOO_SLOW
    assert {scripted.fault.kind for scripted in CATALOGUE} == kinds


@pytest.mark.parametrize("scripted", CATALOGUE, ids=lambda scripted: f"{scripted.side} {scripted.fault.kind}")
def test_a_fault_lets_some_requests_pass(scripted):
    assert 0 < scripted.least <= scripted.most < 1
