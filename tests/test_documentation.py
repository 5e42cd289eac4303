"""What an operator or author can touch stands in the README or the example file, and what the README shows is so."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path

import click
import msgspec
import pytest
import yaml

import p21d.hooks
from p21d.cli import commands
from p21d.clock import SystemClock
from p21d.config import Settings
from p21d.config_file import load_config
from p21d.control.answers import SyncRequest
from p21d.control.routes import Routes
from p21d.engine.slots import BACKGROUND_KINDS
from p21d.prophet21.orders.rows import READINGS
from p21d.registry import load_entities
from p21d.secret import Secret
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.jsonl import JsonlOptions
from p21d.sinks.registry import SINK_TYPES, build_sink
from p21d.sinks.webhook import WebhookOptions, signature
from tests.control.operations_double import FakeOperations

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROSE = re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE)
CONTEXT = click.Context(commands)
EXAMPLE = (ROOT / "p21d.example.yaml").read_text()
ENTITIES = load_entities().entities


def blocks(language):
    """Return the README's fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def structs(type_):
    """Yield the Structs in an annotation, the entity's inside its dict too."""
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        yield type_
    for inner in getattr(type_, "__args__", ()):
        yield from structs(inner)


def keys(struct):
    """Yield the names of a block's keys and of those under them."""
    for field in msgspec.structs.fields(struct):
        yield field.encode_name
        for inner in structs(field.type):
            yield from keys(inner)


def paths(command, path=("p21d",)):
    """Yield each command that does something, with its words."""
    if isinstance(command, click.Group):
        for name in command.list_commands(CONTEXT):
            yield from paths(command.get_command(CONTEXT, name), (*path, name))
    else:
        yield " ".join(path)


def shown():
    """Return the command lines in the README: its inline ones, and those of shell blocks and of transcripts."""
    inline = re.findall(r"`(p21d [^`]+)`", PROSE)
    typed = [line for text in blocks("text") for line in re.findall(r"^\$ (.+)", text, re.MULTILINE)]
    return inline + re.findall(r"^(?:sudo -u p21d )?(p21d .+)", "\n".join(blocks("sh") + typed), re.MULTILINE)


def find(words):
    """Return the command and the words left for it; fails where there is none of that name."""
    command, words = commands, list(words)
    while isinstance(command, click.Group):
        while words and words[0] in {"--config", "--socket"}:
            del words[:2]
        assert words, "names a group and no command"
        name = words.pop(0)
        command = command.get_command(CONTEXT, name)
        assert command is not None, f"there is no command {name}"
    return command, words


@pytest.mark.parametrize(
    "key", sorted({*keys(Settings), *keys(IpaasOptions), *keys(JsonlOptions), *keys(WebhookOptions)})
)
def test_every_key_of_the_configuration_is_documented(key):
    assert re.search(rf"[`.]{key}`|\b{key}:", README + EXAMPLE)


@pytest.mark.parametrize("key", sorted(keys(load_entities().orders.defaults)))
def test_every_key_of_the_built_in_mapping_is_documented(key):
    assert re.search(rf"\b{key}:", EXAMPLE)


def test_every_table_that_orders_read_is_documented():
    [paragraph] = re.findall(r"^To write orders, (.*?)\n\n", README, re.DOTALL | re.MULTILINE)
    assert {reading.table for reading in READINGS} == set(re.findall(r"`(\w+)`", paragraph))


@pytest.mark.parametrize("name", sorted(SINK_TYPES))
def test_every_type_of_sink_is_documented(name):
    assert f"type: {name}" in README


@pytest.mark.parametrize("path", sorted(paths(commands)))
def test_every_command_is_documented(path):
    assert f"`{path}`" in README


@pytest.mark.parametrize("route", [f"`{route.method} {route.path}`" for route in Routes(FakeOperations())])
def test_every_route_is_documented(route):
    assert route in README


def test_no_route_is_documented_that_does_not_exist():
    known = {f"{route.method} {route.path}" for route in Routes(FakeOperations())}
    assert set(re.findall(r"`((?:GET|POST) [^`]+)`", README)) == known


def test_what_a_sync_may_be_asked_for_is_documented():
    [members] = re.findall(r"`POST /v1/sync` \| `\{(.*)\}`", README)
    assert re.findall(r'"(\w+)"', members) == list(SyncRequest.__struct_fields__)


@pytest.mark.parametrize("kind", [*sorted(BACKGROUND_KINDS), "poll", "release"])
def test_every_kind_of_cycle_is_one_of_the_words(kind):
    [meaning] = re.findall(r"^\| cycle \|(.*)\|$", README, re.MULTILINE)
    assert f"`{kind}`" in meaning


@pytest.mark.parametrize("hook", [name for name, value in vars(p21d.hooks).items() if hasattr(value, "p21d_spec")])
def test_every_hook_is_documented(hook):
    assert f"`{hook}`" in README


@pytest.mark.parametrize("entity", list(ENTITIES.values()), ids=lambda entity: entity.name)
def test_an_entity_stands_with_what_it_reads_and_its_key(entity):
    [row] = re.findall(rf"^\| `{entity.name}` \|(.*)\|(.*)\|$", README, re.MULTILINE)
    read, key = (re.findall(r"`(\w+)`", cell) for cell in row)
    watched = {table for trigger in entity.triggers for table in (trigger.table, *(hop.table for hop in trigger.hops))}
    assert set(read) == {entity.table, *(related.table for related in entity.related), *watched}
    assert tuple(key) == entity.key


def options():
    """Yield each option of a built-in entity, with what it defaults to."""
    for entity in ENTITIES.values():
        for field in msgspec.structs.fields(entity.options) if entity.options else ():
            yield entity.name, field.encode_name, field.default


@pytest.mark.parametrize(("entity", "option", "default"), list(options()))
def test_every_option_of_an_entity_is_documented_with_its_default(entity, option, default):
    [shown_default] = re.findall(rf"^\| `{option}` \([^|]*\) \|(.*?)\|", README, re.MULTILINE)
    assert yaml.safe_load(shown_default.strip(" `") or "''") == (
        list(default) if isinstance(default, tuple) else default
    )
    example = yaml.safe_load(EXAMPLE)["entities"][entity]["options"]
    assert (example[option] or "") == (list(default) if isinstance(default, tuple) else default)


@pytest.mark.parametrize("line", sorted(set(shown())))
def test_a_command_line_of_the_readme_exists(line):
    command, words = find(shlex.split(line.partition(" > ")[0], comments=True)[1:])
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.fixture
def loaded(tmp_path):
    """Load a snippet, completed by what is required, its secrets in files of the test."""

    def load(snippet):
        secret = tmp_path / "secret"
        secret.write_text("hunter22")
        secret.chmod(0o600)
        bare = {
            "prophet21": {"api_url": "https://p21.example.com", "consumer_key": "${env:KEY}", "time_zone": "UTC"},
            "sink": {"type": "jsonl", "directory": str(tmp_path)},
        }
        file = tmp_path / "p21d.yaml"
        text = yaml.safe_dump(bare | yaml.safe_load(snippet))
        file.write_text(re.sub(r"\$\{file:[^}]*\}", f"${{file:{secret}}}", text))
        return load_config(file, environment={"KEY": "consumer"})

    return load


@pytest.mark.parametrize("snippet", blocks("yaml"))
async def test_a_configuration_of_the_readme_loads(loaded, snippet):
    config = loaded(snippet)
    await build_sink(config.sink, SystemClock(), config.entities).aclose()
    assert set(config.entities) <= set(ENTITIES)


def test_the_readme_shows_the_location_plug_in_as_it_is():
    assert (ROOT / "plugins" / "location.py").read_text() in blocks("python")


def receiver():
    """Return the receiver's function, as the README shows it."""
    [block] = [block for block in blocks("python") if "def is_from_p21d" in block]
    names = {}
    exec(block, names)
    return names["is_from_p21d"]


def headers(body, timestamp):
    signed = signature(Secret("hook-secret"), timestamp, body)
    return {"X-P21d-Timestamp": timestamp, "X-P21d-Signature": f"sha256={signed}"}


def test_a_receiver_written_as_shown_trusts_our_calls():
    now = str(int(time.time()))  # noqa: TID251  # the receiver has a clock of its own
    assert receiver()(b"hook-secret", headers(b"[]", now), b"[]")


def test_a_receiver_written_as_shown_refuses_another_body():
    now = str(int(time.time()))  # noqa: TID251  # as above
    assert not receiver()(b"hook-secret", headers(b"[]", now), b"[1]")


def test_a_receiver_written_as_shown_refuses_an_old_call():
    assert not receiver()(b"hook-secret", headers(b"[]", "1795000000"), b"[]")


def test_the_plug_in_test_of_the_readme_passes():
    [block] = [block for block in blocks("python") if "def test_a_location" in block]
    names = {}
    exec(block, names)
    names["test_a_location_has_its_name"]()


def test_every_link_inside_the_readme_has_its_heading():
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= anchors


def test_every_file_the_readme_names_exists():
    named = re.findall(r"`((?:p21d|plugins|tests|systemd_units|\.ci)/[\w./@]*)`", README)
    there = [name.replace("systemd_units/", "systemd/") for name in named]
    assert [name for name in there if not (ROOT / name).exists()] == []
