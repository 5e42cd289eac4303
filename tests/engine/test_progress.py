"""The key reached moves over finished segments only, in whatever order they finish."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from p21d.engine.progress import Progress

orders = st.integers(1, 12).flatmap(lambda count: st.permutations(range(count)))


@given(order=orders)
def test_the_key_reached_never_passes_an_unfinished_segment(order):
    progress = Progress()
    segments = [progress.begin(f"{number:03}") for number in range(len(order))]
    finished: set[int] = set()
    for number in order:
        would = progress.would_reach(segments[number])
        assert progress.finish(segments[number]) == would
        finished.add(number)
        prefix = next((n for n in range(len(order)) if n not in finished), len(order))
        assert progress.reached == (f"{prefix - 1:03}" if prefix else "")


@given(order=orders, begun_late=st.integers(0, 12))
def test_segments_may_begin_while_others_finish(order, begun_late):
    progress = Progress("start")
    segments = {number: progress.begin(f"{number:03}") for number in range(len(order)) if number < begun_late}
    for number in order:
        for missing in range(len(order)):
            if missing not in segments and missing <= number:
                segments[missing] = progress.begin(f"{missing:03}")
        progress.finish(segments[number])
        unfinished = [n for n, segment in segments.items() if not segment.finished]
        if unfinished and progress.reached != "start":
            assert progress.reached < f"{min(unfinished):03}"


def test_a_segment_without_a_key_ends_where_the_one_before_it_does():
    progress = Progress("5")
    progress.finish(progress.begin(""))
    assert progress.reached == "5"
    first, second = progress.begin("9"), progress.begin("")
    progress.finish(second)
    assert progress.reached == "5"
    progress.finish(first)
    assert progress.reached == "9"


def test_asking_what_would_be_reached_finishes_nothing():
    progress = Progress()
    first, second = progress.begin("1"), progress.begin("2")
    assert progress.would_reach(second) == ""
    assert progress.would_reach(first) == "1"
    assert not first.finished
