from __future__ import annotations

import pytest

from p21d.cli.demo_entities import tell
from p21d.cli.times import left_text
from tests.control.operations_double import entity


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than a minute left"),
        (59, "less than a minute left"),
        (60, "about 1 min left"),
        (250, "about 4 min left"),
        (5399, "about 90 min left"),
        (5400, "about 2 h left"),
        (360_000, "about 100 h left"),
    ],
)
def test_the_time_left_is_said_as_roughly_as_it_is_known(seconds, text):
    assert left_text(seconds) == text


def test_status_shows_what_runs_and_the_time_left(p21d, daemon):
    running = "sweep, 12000 of 400000 rows"
    daemon.entities = [entity("product", state="catching up", running=running, total=400_000, left_seconds=250.0)]
    out = p21d("status").out
    assert "sweep, 12000 of 400000 rows, about 4 min left" in " ".join(out.split())
    assert max(len(line) for line in out.splitlines()) <= 80


def test_while_nobody_knows_the_time_left_it_is_not_shown(p21d, daemon):
    daemon.entities = [entity("product", state="catching up", running="sweep, 12 rows")]
    out = p21d("status").out
    assert "sweep, 12 rows" in out
    assert " left" not in out


def test_the_demo_shows_the_time_left_while_it_waits(daemon):
    shown = []

    class Spinner:
        def update(self, text: str) -> None:
            shown.append(text)

    class Screen:
        entities = (entity("product", running="sweep, 500 of 1000 rows", left_seconds=3.0),)

    tell(Spinner(), Screen(), terminal=True)
    assert shown == ["product: sweep, 500 of 1000 rows, less than a minute left"]
