"""Fingerprints, tallies and segments: what decides whether a row costs a call, and how rows are counted and cut."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.engine.cycle import cut
from p21d.engine.fate import Fate, Tally
from p21d.engine.fingerprint import fingerprint
from p21d.engine.work import Work
from p21d.plugin import Child
from p21d.testing import FakeClock

NOW = FakeClock().now()


def of(body=None, *, external_id="1", children=None, parents=None, active=True) -> bytes:
    return fingerprint(external_id, body or {}, children or {}, parents or {}, active=active)


@pytest.mark.parametrize("form", ["40", "40.0", "40.000000000", "4E+1"])
def test_all_forms_of_a_decimal_have_one_fingerprint(form):
    assert of({"price": Decimal(form)}) == of({"price": Decimal(40)})


@given(value=st.decimals(allow_nan=False, allow_infinity=False, places=4), zeros=st.integers(0, 5))
def test_zeros_behind_a_decimal_change_nothing(value, zeros):
    longer = Decimal(f"{value:f}" + "0" * zeros)
    assert of({"deep": [{"price": longer}]}) == of({"deep": [{"price": value}]})


@given(body=st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=5))
def test_the_order_of_members_changes_nothing(body):
    assert of(dict(reversed(body.items()))) == of(body)


def test_lists_and_tuples_are_the_same_and_their_order_counts():
    assert of({"tags": ("a", "b")}) == of({"tags": ["a", "b"]})
    assert of({"tags": ["a", "b"]}) != of({"tags": ["b", "a"]})


def test_everything_whose_change_is_worth_a_call_changes_the_fingerprint():
    child = {"units": [Child(id="EA", body={"name": "EA"})]}
    other_child = {"units": [Child(id="BX", body={"name": "EA"})]}
    prints = [
        of(),
        of({"name": "x"}),
        of({"name": ""}),
        of(external_id="2"),
        of(children=child),
        of(children=other_child),
        of(children={"units": []}),
        of(parents={"parent_id": "7"}),
        of(parents={"parent_id": "8"}),
        of(active=False),
    ]
    assert len(set(prints)) == len(prints)


def test_a_text_is_not_the_number_it_looks_like():
    assert of({"code": "40"}) != of({"code": 40})


@given(fates=st.lists(st.sampled_from([*Fate, None])))
def test_a_closed_tally_adds_up(fates):
    tally = Tally(read=len(fates))
    for fate in fates:
        if fate is not None:
            tally.count(fate)
    tally.close()
    assert tally.read == tally.unfinished + sum(getattr(tally, fate.value) for fate in Fate)
    assert tally.unfinished == fates.count(None)


def test_tallies_are_added_field_by_field():
    tally = Tally(read=2, delivered=1, unfinished=1)
    tally.add(Tally(read=3, delivered=2, waiting=1))
    assert tally == Tally(read=5, delivered=3, waiting=1, unfinished=1)


@given(unsent=st.lists(st.booleans()), batch_rows=st.integers(1, 5))
def test_a_cut_keeps_every_row_in_order_and_no_segment_sends_more_than_a_batch(unsent, batch_rows):
    works = [Work(str(n), str(n), NOW, fate=None if send else Fate.UNCHANGED) for n, send in enumerate(unsent)]
    parts = list(cut(works, batch_rows))
    assert [work for part in parts for work in part] == works
    assert all(part and sum(work.fate is None for work in part) <= batch_rows for part in parts)


def test_a_page_with_nothing_to_send_is_one_segment():
    works = [Work(str(n), str(n), NOW, fate=Fate.UNCHANGED) for n in range(500)]
    assert list(cut(works, 1)) == [works]
