"""The example file is the manual of the configuration: it loads, and no key is missing from it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml

from p21d.blocks import convert_block
from p21d.config import EntityConfig, OrdersConfig, Prophet21Config, Settings
from p21d.config_file import load_config
from p21d.order_defaults import read_defaults
from p21d.registry import load_entities
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.jsonl import JsonlOptions
from p21d.sinks.webhook import WebhookOptions

EXAMPLE = Path(__file__).parent.parent / "p21d.example.yaml"
TEXT = EXAMPLE.read_text()


def fields(struct):
    return {field.encode_name: field for field in msgspec.structs.fields(struct)}


def commented_sink(kind):
    """Return the block of a sink type that stands in comments."""
    lines = TEXT[TEXT.index(f"# sink:\n#   type: {kind}") :].splitlines()
    block = [line[2:] for line in lines[: lines.index("", 1)] if line.startswith("# ")]
    second = [index for index, line in enumerate(block) if line == "sink:"][1:]
    return yaml.safe_load("\n".join(block[: second[0]] if second else block))["sink"]


@pytest.fixture
def loaded(tmp_path):
    secret = tmp_path / "p21-password"
    secret.write_text("hunter22")
    secret.chmod(0o600)
    file = tmp_path / "p21d.yaml"
    file.write_text(TEXT.replace("/etc/p21d/p21-password", str(secret)))
    return load_config(file)


def test_the_example_loads(loaded):
    assert loaded.warnings == ()


@pytest.mark.parametrize("name", sorted(fields(Settings)))
def test_every_block_stands_in_the_example(name):
    assert name in yaml.safe_load(TEXT)


@pytest.mark.parametrize("block", ["prophet21", "orders", "store", "control", "log"])
def test_every_key_of_a_block_stands_in_the_example(block):
    assert set(yaml.safe_load(TEXT)[block]) == set(fields(fields(Settings)[block].type))


def test_every_key_of_an_entity_stands_in_the_example():
    assert set(yaml.safe_load(TEXT)["entities"]["customer"]) == set(fields(EntityConfig))


def test_the_example_shows_the_defaults_of_an_entity(loaded):
    assert loaded.entity("customer") == EntityConfig()


def test_the_example_shows_the_defaults_of_the_connection(loaded):
    required = {"api_url", "username", "password", "time_zone"}
    shown = msgspec.structs.asdict(loaded.prophet21)
    assert {name: value for name, value in shown.items() if name not in required} == {
        name: field.default for name, field in fields(Prophet21Config).items() if name not in required
    }


@pytest.mark.parametrize("block", ["store", "control", "log", "plugin_dirs", "batch_rows"])
def test_the_example_shows_the_defaults_of_the_rest(loaded, block):
    bare = Settings(prophet21=loaded.prophet21, sink=loaded.sink)
    assert getattr(loaded, block) == getattr(bare, block)


def test_the_example_shows_every_key_of_the_built_in_mapping_with_its_default(loaded):
    mapping = load_entities().orders
    assert set(loaded.orders.defaults) == set(fields(mapping.defaults))
    assert read_defaults(mapping, loaded.orders) == mapping.defaults()


def test_the_example_shows_the_defaults_of_orders(loaded):
    assert msgspec.structs.replace(loaded.orders, defaults={}) == OrdersConfig()


def test_every_key_of_the_jsonl_sink_stands_in_the_example(loaded):
    assert set(loaded.sink) - {"type"} == set(fields(JsonlOptions))


def test_every_key_of_the_webhook_sink_stands_in_the_example():
    block = commented_sink("webhook")
    assert set(block) - {"type"} == set(fields(WebhookOptions))
    convert_block({key: value for key, value in block.items() if key != "type"}, WebhookOptions, "sink")


def test_every_key_of_the_ipaas_sink_stands_in_the_example():
    block = commented_sink("ipaas")
    assert set(block) == set(fields(IpaasOptions))
    convert_block(block, IpaasOptions, "sink")
