from __future__ import annotations

from datetime import UTC, date, datetime
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


ON = {"enabled": True, "not_before": "2026-12-01"}


@pytest.mark.parametrize(
    "orders",
    [
        {},
        {"enabled": False, "types": [], "statuses": []},
        ON,
        {**ON, "not_before": date(2026, 12, 1)},
        {**ON, "not_before": datetime(2026, 12, 1, 8, tzinfo=UTC)},
        {**ON, "not_before": "2026-12-01T08:00:00-05:00"},
        {**ON, "settle": "60s"},
        {**ON, "types": ["Order", "Validated Return"], "statuses": ["Pending", "Backorder"]},
        {**ON, "reference": "{ref}"},
        {**ON, "reference": "WEB {{x}} {ref}"},
        {**ON, "reference_field": "job_name"},
        {**ON, "reference_field": "ud_web_ref"},
    ],
)
def test_possible_orders_pass(orders):
    check(orders=orders)


@pytest.mark.parametrize(
    ("orders", "key"),
    [
        ({"enabled": "yes"}, "enabled"),
        ({"enabled": [1]}, "enabled"),
        ({"not_befor": 1}, "not_befor"),
        ({"enabled": True}, "not_before"),
        ({"enabled": True, "not_before": ""}, "not_before"),
        ({"not_before": "1.12.2026"}, "not_before"),
        ({"not_before": 20261201}, "not_before"),
        ({"settle": "59s"}, "settle"),
        ({"settle": 0}, "settle"),
        ({"types": ["Orders"]}, "types[0]"),
        ({"types": "Order"}, "types"),
        ({"statuses": ["Pending", "Open"]}, "statuses[1]"),
        ({**ON, "types": []}, "types"),
        ({**ON, "statuses": []}, "statuses"),
        ({"max_per_hour": 0}, "max_per_hour"),
        ({"concurrent_writes": 0}, "concurrent_writes"),
        ({"poll_interval": 0}, "poll_interval"),
        ({"reference": "{buyer_po}"}, "reference"),
        ({"reference": ""}, "reference"),
        ({"reference": "{ref"}, "reference"),
        ({"reference": "{ref} {number}"}, "reference"),
        ({"reference": "{ref} {}"}, "reference"),
        ({"reference": "{ref} {ref}"}, "reference"),
        ({"reference": "{ref:.4}"}, "reference"),
        ({"reference": "{ref!r}"}, "reference"),
        ({"reference_field": ""}, "reference_field"),
        ({"reference_field": "PO No"}, "reference_field"),
        ({"reference_field": "po_no eq 'x'"}, "reference_field"),
        ({"defaults": ["taker"]}, "defaults"),
    ],
)
def test_impossible_orders_are_refused_by_their_key(orders, key):
    assert refusal(orders=orders) == f"orders.{key}"


def test_a_missing_day_is_asked_for_with_an_example():
    with pytest.raises(ConfigError, match="is required where orders are enabled") as raised:
        check(orders={"enabled": True})
    assert "2026-12-01" in raised.value.hint


def test_a_short_settle_is_told_with_its_bound():
    with pytest.raises(ConfigError, match=">= 60 seconds"):
        check(orders={"settle": "10s"})


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
