from __future__ import annotations

from datetime import timedelta

from p21d.prophet21.server_clock import ServerClock
from tests.prophet21.conftest import NOON


def test_nothing_is_known_before_the_first_answer(clock):
    assert ServerClock(clock).now() is None


def test_the_date_of_an_answer_is_carried_on(clock):
    server = ServerClock(clock)
    server.observe(NOON - timedelta(minutes=7), asked_at=clock.now())
    clock.advance(90)
    assert server.now() == NOON - timedelta(minutes=7) + timedelta(seconds=90)


def test_skew_is_how_far_p21_is_ahead(clock):
    server = ServerClock(clock)
    server.observe(NOON + timedelta(seconds=120), asked_at=clock.now())
    assert server.skew_seconds == 120


def test_a_slow_answer_is_no_skew(clock):
    server = ServerClock(clock)
    asked_at = clock.now()
    clock.advance(60)
    server.observe(NOON + timedelta(seconds=5), asked_at=asked_at)
    assert server.skew_seconds == 0


def test_an_answer_without_a_date_changes_nothing(clock):
    server = ServerClock(clock)
    server.observe(NOON, asked_at=clock.now())
    server.observe(None, asked_at=clock.now())
    assert server.now() == NOON
