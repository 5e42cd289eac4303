from __future__ import annotations

import pytest

from p21d.sizes import parse_size, size_text


@pytest.mark.parametrize(("text", "size_bytes"), [("500KB", 500_000), ("200 MB", 200_000_000), ("1gb", 1_000_000_000)])
def test_a_size_is_a_number_and_its_unit(text, size_bytes):
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("odd", ["", "5", "5 M", "-5MB", "1.5GB"])
def test_what_is_not_a_size_is_refused(odd):
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(odd)


@pytest.mark.parametrize(("size_bytes", "text"), [(200_000_000, "200MB"), (1_500_000, "1500KB"), (7, 7), (0, 0)])
def test_a_size_is_shown_in_the_largest_unit_that_fits(size_bytes, text):
    assert size_text(size_bytes) == text
