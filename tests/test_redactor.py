from __future__ import annotations

import base64
import json
from decimal import Decimal
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.errors import Unavailable
from p21d.redactor import KNOWN, LATEST_TOKENS, Redactor
from p21d.secret import Secret

PASSWORD = 'h"unt\u00e9r 2/+'


@pytest.mark.parametrize(
    "spelling",
    [
        PASSWORD,
        json.dumps(PASSWORD),
        json.dumps(PASSWORD, ensure_ascii=False),
        quote(PASSWORD, safe=""),
        base64.b64encode(PASSWORD.encode()).decode(),
        repr(PASSWORD),
    ],
)
def test_a_secret_is_found_in_every_spelling(spelling):
    assert Redactor([Secret(PASSWORD)]).text(f"said {spelling}!").strip("'\"! said") == "***"


def test_the_longer_of_two_secrets_leaves_no_rest():
    assert Redactor([Secret("hunter"), Secret("hunter22")]).text("hunter22") == "***"


def test_a_token_that_nobody_registered_is_cut_after_bearer():
    assert Redactor().text("Authorization: Bearer eyJ0.abc1") == "Authorization: Bearer ***"


def test_words_after_basic_are_left_alone():
    assert Redactor().text("no basic understanding") == "no basic understanding"


def test_values_are_redacted_at_every_depth():
    value = Redactor([Secret("hunter2")]).value({"a": [{"b": "my hunter2"}], "hunter2": 1})
    assert value == {"a": [{"b": "my ***"}], "***": 1}


@pytest.mark.parametrize("name", ["password", "api_key", "X-Auth-Token", "Authorization", "client_secret"])
def test_a_value_under_a_secrets_name_is_cut_whoever_knows_it(name):
    assert Redactor().value({name: "zzz"}) == {name: "***"}


def test_words_of_the_design_are_no_secrets_names():
    event = {"entity": "customer", "key": "01|2", "external_id": "01|2", "attempt": 2}
    assert Redactor().value(event) == event


def test_what_json_does_not_know_becomes_text():
    assert Redactor().value([Decimal("1.50"), Secret("x"), {1}]) == ["1.50", "***", [1]]


def test_a_very_short_secret_does_not_blacken_the_log():
    assert Redactor([Secret("1")]).text("11 rows") == "11 rows"


@given(st.text(min_size=4), st.text(), st.text())
def test_no_text_holds_the_secret_afterwards(secret, before, after):
    text = Redactor([Secret(secret)]).text(before + secret + after)
    assert not any(secret in part for part in text.split("***"))


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_secret_is_found_inside_longer_base64(before):
    text = base64.b64encode(b"u" * before + b"a-long-password:more").decode()
    assert "***" in Redactor([Secret("a-long-password")]).text(text)


@pytest.mark.parametrize("spelling", ["h&quot;unt", "p&amp;q&lt;r&#39;s", "p\\u0026q\\u003Cr\\u0027s", "p%26q%3cr%27s"])
def test_a_secret_is_found_as_a_page_and_as_dot_net_write_it(spelling):
    text = Redactor([Secret("p&q<r's"), Secret('h"unt')]).text(spelling)
    assert text == "***"


@pytest.mark.parametrize("said", ["w?rd-pass", "w\u00c3\u00b6rd-pass", "w\ufffdrd-pass"])
def test_a_secret_is_found_where_its_encoding_was_mistaken(said):
    assert Redactor([Secret("w\u00f6rd-pass")]).text(said) == "***"


def test_the_beginning_of_a_long_secret_gives_it_away():
    secret = "sk_live_0123456789abcdefghijklmnop"
    assert Redactor([Secret(secret)]).text(f"got {secret[:25]}... and more") == "got *** and more"


def test_a_token_is_known_until_a_few_later_ones_are():
    redactor = Redactor()
    for number in range(LATEST_TOKENS + 1):
        redactor.add_token(f"token-number-{number:02}!")
    assert redactor.text(f"token-number-{LATEST_TOKENS:02}!") == "***"
    assert redactor.text("token-number-00!") == "token-number-00!"


def test_an_error_of_p21d_is_born_without_secrets():
    KNOWN.add([Secret("born-with-it-5521")])
    error = Unavailable("said born-with-it-5521", system="hub", hint="not born-with-it-5521")
    assert str(error) == "said *** (not ***)"
    assert error.args == ("said ***",)
