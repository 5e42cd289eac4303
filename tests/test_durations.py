from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.durations import duration_text, parse_duration


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5m", 300), ("1h", 3600), ("7d", 604_800), ("0.5s", 0.5)])
def test_a_duration_is_a_number_and_its_unit(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("nothing", [0, "0", 0.0])
def test_zero_needs_no_unit(nothing):
    assert parse_duration(nothing) == 0


@pytest.mark.parametrize("odd", [5, "5", "5min", "-5m", "m", "", None, True, False, "5m 3s", "1e3s", "1w"])
def test_what_is_not_a_duration_is_refused(odd):
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(odd)


@given(st.integers(min_value=0, max_value=999_999), st.sampled_from("smhd"))
def test_a_duration_shown_reads_as_the_same(number, unit):
    seconds = parse_duration(f"{number}{unit}")
    assert parse_duration(duration_text(seconds)) == seconds
