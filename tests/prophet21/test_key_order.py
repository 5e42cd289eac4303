from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.prophet21.key_order import find_repeat

NUMBERS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6)


@given(NUMBERS)
def test_numbers_must_increase(keys):
    increases = all(one < other for one, other in pairwise(keys))
    assert (find_repeat(keys, None) is None) == increases


@pytest.mark.parametrize(
    ("keys", "reached", "repeat"),
    [
        ([], None, None),
        ([(1,), (2,)], None, None),
        ([(1,), (2,)], (0,), None),
        ([(1,), (2,)], (1,), (1,)),
        ([(1,), (2,)], (5,), (1,)),
        ([(2,), (1,)], None, (1,)),
        ([(Decimal(1),), (1,)], None, (1,)),
        ([("b",), ("a",)], None, None),
        ([("b",), ("a",), ("b",)], None, ("b",)),
        ([("b",)], ("b",), ("b",)),
        ([("01", 3), ("01", 2)], None, ("01", 2)),
        ([("02", 3), ("01", 4)], None, None),
        ([("01", None), ("01", 2)], None, None),
        ([("01", None), ("01", None)], None, ("01", None)),
    ],
)
def test_a_key_that_does_not_go_on_is_named(keys, reached, repeat):
    assert find_repeat(keys, reached) == repeat
