"""`orders.defaults` in the configuration, checked by the mapping that takes them."""

from __future__ import annotations

import os

import pytest

from p21d.config import OrdersConfig
from p21d.config_file import load_config
from p21d.errors import ConfigError
from p21d.order_defaults import check_orders, read_defaults
from p21d.registry import load_entities
from p21d.settings import read_settings

MAPPING = load_entities().orders
CONFIG = """
prophet21: {{api_url: https://p21.example.com, consumer_key: key, time_zone: UTC, companies: ["01"]}}
sink: {{type: jsonl, directory: {folder}}}
orders: {orders}
"""


@pytest.fixture
def write(tmp_path):
    def write(orders):
        path = tmp_path / "p21d.yaml"
        path.write_text(CONFIG.format(folder=tmp_path, orders=orders))
        path.chmod(0o600)
        return path

    return write


def test_defaults_are_read_into_the_mapping_s_own_keys(write):
    config = load_config(write("{defaults: {sales_location_id: 10, carrier: null, header: {class_1id: WEB}}}"))
    defaults = read_defaults(MAPPING, config.orders)
    assert (defaults.sales_location_id, defaults.carrier, defaults.header) == (10, "", {"class_1id": "WEB"})
    assert defaults.taker == "P21D"


def test_a_reference_gives_a_default_its_text(tmp_path, write, monkeypatch):
    monkeypatch.setitem(os.environ, "TAKER", "WEB")
    assert read_defaults(MAPPING, load_config(write("{defaults: {taker: '${env:TAKER}'}}")).orders).taker == "WEB"


@pytest.mark.parametrize("enabled", ["true", "false"])
@pytest.mark.parametrize(
    ("defaults", "path", "told"),
    [
        ("{sales_location: 10}", "orders.defaults.sales_location", "unknown key"),
        ("{sales_location_id: Dayton}", "orders.defaults.sales_location_id", "expected a whole number"),
        ("{price: list}", "orders.defaults.price", "expected one of hub, p21"),
        ("{requested_days: 0}", "orders.defaults.requested_days", ">= 1"),
        ("{header: {class_1id: 5}}", "orders.defaults.header.class_1id", "expected text"),
        ("{header: {company_id: '01'}}", "orders.defaults", "header must not set company_id"),
        ("{taker: ' '}", "orders.defaults", "taker must have 1 to 30 characters"),
    ],
)
def test_a_wrong_default_is_refused_at_start_and_reload_even_while_orders_are_off(write, enabled, defaults, path, told):
    file = write(f"{{enabled: {enabled}, not_before: 2026-12-01, defaults: {defaults}}}")
    with pytest.raises(ConfigError, match=told) as refused:
        read_settings(file)
    assert refused.value.path == path


def test_a_plug_in_that_fails_over_its_defaults_is_a_refusal():
    def fail(**_values):
        raise KeyError("x")

    broken = type("Broken", (MAPPING.defaults,), {"__post_init__": lambda self: fail()}, frozen=True)
    mapping = type(MAPPING)(**{**vars(MAPPING), "defaults": broken})
    with pytest.raises(ConfigError, match="KeyError"):
        read_defaults(mapping, OrdersConfig())


def test_orders_that_nobody_maps_cannot_be_on():
    check_orders(None, OrdersConfig())
    with pytest.raises(ConfigError, match="no plug-in maps orders"):
        check_orders(None, OrdersConfig(enabled=True))
