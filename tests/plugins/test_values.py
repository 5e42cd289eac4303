"""What mappings turn P21's values with."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.plugin import number, present, yes

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**10), max_value=10**10)


@given(AMOUNTS)
def test_a_number_keeps_its_value(amount):
    assert number(amount) == amount


@given(AMOUNTS, st.integers(min_value=-20, max_value=-9))
def test_equal_amounts_have_one_text(amount, exponent):
    assert str(number(amount.quantize(Decimal(1).scaleb(max(exponent, -15))))) == str(number(amount))


@given(AMOUNTS)
def test_a_number_ends_in_a_unit_or_a_digit_that_counts(amount):
    _, digits, exponent = number(amount).as_tuple()
    assert exponent == 0 or (exponent < 0 and digits[-1] != 0)


def test_no_amount_stays_no_amount():
    assert number(None) is None


def test_only_nulls_are_left_out():
    assert present({"a": None, "b": "", "c": 0, "d": False}) == {"b": "", "c": 0, "d": False}


@pytest.mark.parametrize(("flag", "said"), [("Y", True), ("y ", True), ("N", False), ("", False), (None, False)])
def test_a_flag_says_yes_or_no(flag, said):
    assert yes(flag) is said
