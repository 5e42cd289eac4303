from __future__ import annotations

import itertools
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from p21d.engine.ranges import cut_keys

KEYS = st.integers(-10_000, 10_000)


@given(KEYS, KEYS, st.integers(1, 6), st.integers(1, 500), KEYS)
def test_every_key_lies_in_exactly_one_range(one, other, most, page_rows, key):
    outer = ((min(one, other),), (max(one, other),))
    bounds = cut_keys(outer, most=most, page_rows=page_rows)
    holding = [b for b in bounds if (not b[0] or key > int(b[0])) and (not b[1] or key <= int(b[1]))]
    assert len(holding) == 1


@given(KEYS, KEYS, st.integers(1, 6), st.integers(1, 500))
def test_no_range_is_smaller_than_a_page(one, other, most, page_rows):
    low, high = min(one, other), max(one, other)
    bounds = cut_keys(((low,), (high,)), most=most, page_rows=page_rows)
    ends = [low - 1, *(int(last) for _, last in bounds if last), high]
    assert len(bounds) <= most
    assert len(bounds) == 1 or min(b - a for a, b in itertools.pairwise(ends)) >= page_rows


def test_an_empty_table_is_one_range():
    assert cut_keys(None, most=4, page_rows=10) == [("", "")]


def test_a_key_that_is_no_whole_number_is_one_range():
    assert cut_keys(((Decimal("1.5"),), (Decimal(90),)), most=4, page_rows=1) == [("", "")]
