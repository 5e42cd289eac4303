"""What torture tells of its runs."""

from __future__ import annotations

from p21d.torture.report import MOST_SHOWN, failure_lines, report, run_line, summary
from p21d.torture.run import Outcome
from p21d.torture.verdict import Verdict


def outcome(seed=1, **found):
    counts = {"kills": 4, "faults": 1204, "changes": 900}
    verdict = Verdict(orders_placed=20, orders_done=20, **found)
    return Outcome(seed=seed, seconds=31.4, counts=counts, verdict=verdict, folder="kept")


def test_the_runs_are_added_up_in_one_line():
    found = report([outcome(seed) for seed in range(1, 101)])
    assert summary(found) == "seeds 100, kills 400, faults 120,400, lost 0, doubled 0, orders 2,000 of 2,000"


def test_orders_that_a_person_was_told_about_are_counted():
    assert summary(report([outcome(told=["held, no such item"])])).endswith("orders 20 of 20, 1 held with a reason")


def test_a_run_is_one_line():
    assert run_line(outcome()) == "seed 1: kills 4, faults 1,204, changes 900, orders 20 of 20, 31 s, good"


def test_every_broken_promise_fails_its_run():
    bad = [outcome(lost=["a"]), outcome(doubled=["a"]), outcome(), outcome(), outcome(5)]
    bad[2].ahead, bad[3].broken = ["a"], ["a"]
    assert [run.good for run in bad] == [False, False, False, False, True]
    assert report(bad).failed == [1, 1, 1, 1]


def test_of_many_losses_the_first_ten_are_shown_with_the_way_to_see_them_again():
    lines = list(failure_lines(outcome(lost=[f"product {number}" for number in range(14)]), length_seconds=20.0))
    assert lines[:2] == ["seed 1, lost: product 0", "seed 1, lost: product 1"]
    assert lines[MOST_SHOWN] == "seed 1, lost: and 4 more"
    assert lines[-1] == "seed 1: p21d torture --seed 1 --seconds 20 replays its schedule"
