"""The model test, and its doubles: engines with a bug, which the same examples must show.

`P21D_MODEL_EXAMPLES=5000` runs longer, over other examples each time.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.model.bugs import BUGS, RARE_BUGS
from tests.engine.model.machine import Model

EXAMPLES = 20
LONGER = os.environ.get("P21D_MODEL_EXAMPLES", "")


def run_model(**options: Any) -> None:
    """Run the machine over the examples of the usual run, or as the options say."""
    usual = settings(
        max_examples=EXAMPLES,
        stateful_step_count=8,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Model, settings=settings(usual, **options))


def test_the_promises_hold_in_a_world_of_changes_and_faults():
    if LONGER:
        run_model(max_examples=int(LONGER), derandomize=False, print_blob=True)
    else:
        run_model()


@pytest.mark.parametrize("plant", BUGS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_caught(plant, monkeypatch):
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        run_model(phases=[Phase.generate], report_multiple_bugs=False)


def tell_rare_stories(model: Model) -> None:
    """Run the rules of the machine with the draws that are hardest to meet."""
    crashes = [(("committed", number), ("crash",)) for number in range(1, 9)]
    model.begin(drops_offsets=False, slots=2)
    model.poll_before_a_late_commit(late=(("maker", 1), "b", 50.0), pause=3.0)
    for key in (3, 5, 7, 9):
        model.poll_overtakes_a_sweep(row=("maker", key), name="b", delays=[], seconds=5.0)
    model.crash_in_a_window("maker", "sweep", crashes)
    model.crash_in_a_window("maker", "poll", [(("hub is asked", 1), ("hub down", 9))])
    model._end_faults()
    model.crash_after_a_related_change(1, 1, "b", crashes, "maker")
    model.night_of_the_clocks("maker", [50, 35, 35])


@pytest.mark.parametrize("plant", [None, *RARE_BUGS], ids=lambda plant: plant.__name__ if plant else "none")
def test_a_rare_bug_is_caught_by_its_story(plant, monkeypatch):
    if plant is not None:
        plant(monkeypatch)
    model = Model()
    try:
        with nullcontext() if plant is None else pytest.raises(AssertionError):
            tell_rare_stories(model)
    finally:
        model.close()
