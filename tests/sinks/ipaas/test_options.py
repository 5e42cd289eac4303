from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p21d.errors import ConfigError
from p21d.plugin import Route
from p21d.secret import Secret
from p21d.sinks.ipaas import IpaasOptions, build
from p21d.sinks.ipaas.options import validate
from p21d.sinks.rate import parse_rate

KEY = {"base_url": "https://hub.example", "system_id": 5120, "api_key": Secret("key")}
LOGIN = {
    "api_key": None,
    "email_address": "daemon@example.com",
    "password": Secret("secret"),
    "company_id": "6b0f0d0e-1111-4222-8333-444455556666",
}


def test_a_key_or_a_whole_login_is_accepted():
    validate(IpaasOptions(**KEY))
    validate(IpaasOptions(**{**KEY, **LOGIN}))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"api_key": None}, "sink.api_key"),
        ({"api_key": Secret("")}, "sink.api_key"),
        ({**LOGIN, "email_address": None}, "sink.email_address"),
        ({**LOGIN, "password": Secret("")}, "sink.password"),
        ({**LOGIN, "company_id": None}, "sink.company_id"),
        ({**LOGIN, "company_id": "4711"}, "sink.company_id"),
        ({**LOGIN, "api_key": Secret("key")}, "sink.api_key"),
        ({"base_url": "api.ipaas.com"}, "sink.base_url"),
        ({"base_url": "https://user:word@hub.example"}, "sink.base_url"),
        ({"system_id": 0}, "sink.system_id"),
        ({"timeout": 60.0}, "sink.timeout"),
        ({"rate": "500"}, "sink.rate"),
        ({"rate": "0/60s"}, "sink.rate"),
        ({"paths": {"prodcut": "v2/X"}}, "sink.paths.prodcut"),
        ({"tables": {"prodcut": "x"}}, "sink.tables.prodcut"),
        ({"links": {"find": "x"}}, "sink.links.find"),
        ({"headers": {"x": "x"}}, "sink.headers.x"),
        ({"ca_file": "/does/not/exist"}, "sink.ca_file"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(clock, changes, path):
    with pytest.raises(ConfigError) as refusal:
        build(IpaasOptions(**{**KEY, **changes}), clock)

    assert refusal.value.path == path


@pytest.mark.parametrize(
    ("errors", "path"),
    [({"code_pattern": "("}, "sink.errors.code_pattern"), ({"id_in_text": r"\d+"}, "sink.errors.id_in_text")],
)
def test_a_pattern_that_cannot_work_is_refused(clock, errors, path):
    options = msgspec.structs.replace(IpaasOptions(**KEY), errors=msgspec.convert(errors, _error_options()))

    with pytest.raises(ConfigError) as refusal:
        build(options, clock)

    assert refusal.value.path == path


def _error_options():
    return type(IpaasOptions(**KEY).errors)


def test_an_unknown_key_is_refused():
    with pytest.raises(msgspec.ValidationError, match="colision"):
        msgspec.convert({"base_url": "https://hub.example", "system_id": 1, "colision": "error"}, IpaasOptions)


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.sampled_from(["", "s", "m", "h"]))
def test_a_rate_reads_back(calls, seconds, unit):
    assert parse_rate(f"{calls}/{seconds}{unit}") == (calls, seconds * {"m": 60.0, "h": 3600.0}.get(unit, 1.0))


def test_no_secret_is_in_the_options_repr():
    assert "secret" not in repr(IpaasOptions(**{**KEY, **LOGIN}))


def test_the_link_tables_are_the_vendors(clock):
    sink = build(IpaasOptions(**KEY), clock)
    customer = Route(resource="customer", children={"addresses": "address"})

    assert sink.link_table(customer) == "customer"
    assert sink.link_table(customer, "addresses") == "Address"


def test_a_link_table_may_be_renamed(clock):
    sink = build(IpaasOptions(**KEY, tables={"company": "company"}), clock)

    assert sink.link_table(Route(resource="company")) == "company"


def test_a_third_party_resource_brings_its_own_line(clock):
    sink = build(IpaasOptions(**KEY), clock)
    route = Route(resource="gift_card", family="giftcards", path="v2/GiftCard", link_table="Gift Card")

    assert sink.link_table(route) == "Gift Card"


def test_a_resource_nobody_knows_is_refused(clock):
    with pytest.raises(ConfigError, match="gift_card"):
        build(IpaasOptions(**KEY), clock).link_table(Route(resource="gift_card"))
