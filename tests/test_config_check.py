from __future__ import annotations

from pathlib import Path

import pytest

from p21d.blocks import convert_block
from p21d.config import Config, EntityConfig, Prophet21Config, Settings
from p21d.config_check import check_entity_names, check_settings, refuse_later_keys
from p21d.errors import ConfigError
from p21d.secret import Secret

PROPHET21 = {
    "api_url": "https://p21.example.com",
    "username": "ipaas",
    "password": "hunter22",
    "time_zone": "America/New_York",
}


def check(prophet21=(), **blocks):
    block = {"prophet21": {**PROPHET21, **dict(prophet21)}, "sink": {"type": "jsonl"}, **blocks}
    check_settings(convert_block(block, Settings, ""))


def refusal(prophet21=(), **blocks):
    with pytest.raises(ConfigError) as raised:
        check(prophet21, **blocks)
    assert "hunter22" not in str(raised.value)
    return raised.value.path


@pytest.mark.parametrize(
    "prophet21",
    [
        {},
        {"api_url": "http://10.0.0.5:3443"},
        {"time_zone": None, "time_zone_offset": "-05:00"},
        {"username": None, "password": None, "consumer_key": "k"},
        {"password": None, "consumer_key": "k"},
        {"ui_server_url": "https://p21.example.com/uiserver0"},
        {"companies": ["01", "02"]},
    ],
)
def test_a_possible_connection_passes(prophet21):
    check(prophet21)


@pytest.mark.parametrize(
    ("prophet21", "path"),
    [
        ({"api_url": "ftp://x"}, "api_url"),
        ({"api_url": "p21.example.com"}, "api_url"),
        ({"api_url": "https://"}, "api_url"),
        ({"api_url": "https://x/api"}, "api_url"),
        ({"api_url": "https://x?a=b"}, "api_url"),
        ({"api_url": "https://x:port"}, "api_url"),
        ({"api_url": "https://me:hunter22@x"}, "api_url"),
        ({"ui_server_url": "uiserver0"}, "ui_server_url"),
        ({"username": None}, "username"),
        ({"password": None}, "password"),
        ({"consumer_key": "k"}, "consumer_key"),
        ({"time_zone_offset": "-05:00"}, "time_zone"),
        ({"time_zone": None}, "time_zone"),
        ({"time_zone": "America/New_Yorck"}, "time_zone"),
        ({"time_zone": "America"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"time_zone": None, "time_zone_offset": "-5"}, "time_zone_offset"),
        ({"time_zone": None, "time_zone_offset": "-15:00"}, "time_zone_offset"),
        ({"companies": ["01", "01"]}, "companies[1]"),
        ({"companies": [" "]}, "companies[0]"),
    ],
)
def test_an_impossible_connection_is_refused_by_its_key(prophet21, path):
    assert refusal(prophet21) == f"prophet21.{path}"


def test_no_credentials_at_all_are_refused():
    assert refusal({"username": None, "password": None}) == "prophet21"


def test_a_sink_without_a_type_is_refused():
    assert refusal(sink={}) == "sink.type"


@pytest.mark.parametrize("template", ["{company_id}|{item_id}", ""])
def test_an_external_id_is_a_template_of_columns(template):
    check(entities={"customer": {"external_id": template}})


@pytest.mark.parametrize("template", ["{", "{}", "constant"])
def test_an_external_id_that_is_no_template_is_refused(template):
    assert refusal(entities={"customer": {"external_id": template}}) == "entities.customer.external_id"


def test_orders_cannot_be_switched_on_yet():
    with pytest.raises(ConfigError, match="orders are not in this version yet"):
        check(orders={"enabled": True, "not_before": "2026-12-01"})


@pytest.mark.parametrize("orders", [{"enabled": "yes"}, {"enabled": [1]}, {"not_befor": 1}])
def test_odd_keys_of_orders_are_refused(orders):
    assert refusal(orders=orders) == f"orders.{next(iter(orders))}"


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"metrics": {"listen": ":9"}}, "metrics"),
        ({"metrics": None}, "metrics"),
    ],
)
def test_a_key_of_a_later_version_is_refused_by_name(raw, path):
    with pytest.raises(ConfigError, match="is not in this version yet") as raised:
        refuse_later_keys(raw)
    assert raised.value.path == path


@pytest.mark.parametrize("raw", [{"entities": {"product": None}}, {"entities": 3}, {"columns": 1}, {}])
def test_keys_elsewhere_are_not_mistaken_for_later_ones(raw):
    refuse_later_keys(raw)


def config_with(name):
    return Config(
        prophet21=Prophet21Config(api_url="https://x", password=Secret("p")),
        sink={"type": "jsonl"},
        entities={name: EntityConfig()},
        source=Path("p21d.yaml"),
    )


def test_a_known_entity_passes():
    check_entity_names(config_with("customer"), {"customer", "product"})


def test_an_entity_nobody_declares_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match="did you mean customer") as raised:
        check_entity_names(config_with("customers"), {"customer", "product"})
    assert raised.value.path == "entities.customers"
