from __future__ import annotations

from decimal import Decimal
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.prophet21.odata import (
    MAX_CHAIN_TERMS,
    after,
    all_of,
    any_of,
    chains,
    encode,
    encoded_length,
    literal,
    query_url,
)
from tests.prophet21.tiny_filter import parse


@given(st.text())
def test_any_text_comes_back_from_its_literal(text):
    assert parse(f"a eq {literal(text)}")({"a": text})


@given(st.text())
def test_any_text_comes_back_from_a_url(text):
    encoded = encode(text)
    assert unquote(encoded) == text
    assert not set(encoded) & set(" +&#/'\"")


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_bare_and_without_exponent(number):
    text = literal(number)
    assert Decimal(text) == number
    assert "e" not in text.lower()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("O'Brien", "'O''Brien'"),
        (204410, "204410"),
        (Decimal("1E+3"), "1000"),
        (True, "true"),
        (False, "false"),
        ("", "''"),
    ],
)
def test_literals_follow_the_rules_of_p21(value, text):
    assert literal(value) == text


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        literal(Decimal("NaN"))


KEYS = st.integers(1, 3).flatmap(
    lambda parts: st.tuples(*[st.lists(st.integers(-3, 3), min_size=parts, max_size=parts) for _ in range(2)])
)


@given(KEYS)
def test_after_means_a_greater_key_whatever_its_parts(keys):
    key, other = keys
    columns = [f"c{number}" for number in range(len(key))]
    condition = after(columns, [literal(part) for part in key])
    assert parse(condition)(dict(zip(columns, other, strict=True))) == (other > key)


def test_a_two_part_key_reads_as_documented():
    assert after(["a", "b"], ["1", "'x'"]) == "(a gt 1) or (a eq 1 and b gt 'x')"


@given(st.lists(st.text(max_size=60), unique=True), st.integers(100, 2000))
def test_chains_hold_each_key_once_and_in_order(keys, room):
    def term(key):
        return f"item_id eq {literal(key)}"

    split = list(chains(keys, term, room))
    assert [key for chain in split for key in chain] == keys
    for chain in split:
        assert len(chain) <= MAX_CHAIN_TERMS
        assert len(chain) == 1 or encoded_length(any_of(map(term, chain))) <= room
        test = parse(any_of(map(term, chain)))
        assert all(test({"item_id": key}) == (key in chain) for key in keys)


def test_conditions_keep_their_own_or_apart():
    assert all_of(["a eq 1 or a eq 2", "", "b gt 3"]) == "(a eq 1 or a eq 2) and (b gt 3)"


def test_a_url_always_has_select_and_top():
    url = query_url("/t", select=["a", "b"], top=5, filter_text="a eq 'x y+z&#/'", order_by=["a"], skip=2, count=True)
    assert url == ("/t?$select=a,b&$filter=a%20eq%20%27x%20y%2Bz%26%23%2F%27&$orderby=a&$top=5&$skip=2&$count=true")
    assert query_url("/t", select=["a"], top=1) == "/t?$select=a&$top=1"
