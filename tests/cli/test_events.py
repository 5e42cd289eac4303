from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from p21d.cli.events import event_text
from p21d.control.event_answers import EventAnswer

CYCLE = {
    "at": "2026-12-01T15:00:00+00:00",
    "level": "info",
    "event": "cycle",
    "entity": "customer",
    "kind": "poll",
    "delivered": 12,
    "skipped": 0,
}
HELD = {
    "at": "2026-12-01T15:00:01+00:00",
    "level": "warning",
    "event": "held",
    "entity": "product",
    "reason": "hub: 503",
}


@pytest.fixture
def told(daemon):
    for event in (CYCLE, HELD):
        daemon.events.tell(event)
    return daemon


def test_the_last_events_are_shown_in_words(told, p21d):
    first, second = p21d("events").out.splitlines()
    assert first.endswith("customer cycle: kind poll, delivered 12")
    assert second.endswith("WARNING product held: reason hub: 503")


def test_the_events_of_one_entity_are_shown(told, p21d):
    assert [line.split()[2:4] for line in p21d("events", "--entity", "customer").out.splitlines()] == [
        ["customer", "cycle:"]
    ]


def test_each_event_is_one_line_of_json(told, p21d):
    lines = [json.loads(line) for line in p21d("events", "--json").out.splitlines()]
    assert [(line["schema_version"], line["event"], line["entity"]) for line in lines] == [
        (1, "cycle", "customer"),
        (1, "held", "product"),
    ]
    assert lines[0]["detail"] == {"kind": "poll", "delivered": 12, "skipped": 0}


def test_words_stay_within_80_columns():
    at = datetime(2026, 12, 1, 15, tzinfo=UTC)
    event = EventAnswer(schema_version=1, event="held", at=at, level="warning", detail={"reason": "word " * 40})
    assert max(map(len, event_text(event).splitlines())) <= 80


def test_lost_events_are_told():
    assert "12 events lost" in event_text(EventAnswer(schema_version=1, event="lost", count=12))


def test_without_a_daemon_the_exit_code_says_so(p21d, tmp_path):
    assert p21d("--socket", str(tmp_path / "no.sock"), "events").code == 69
