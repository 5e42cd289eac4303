"""Builds the sink that the configuration names; the one table of sink types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from p21d.blocks import convert_block, nearest
from p21d.clock import Clock
from p21d.config import EntityConfig
from p21d.errors import ConfigError
from p21d.sinks import ipaas
from p21d.sinks.ipaas.collision import CollisionRule
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.jsonl import JsonlOptions, JsonlSink
from p21d.sinks.port import Sink
from p21d.sinks.webhook import WebhookOptions, WebhookSink

Entities = Mapping[str, EntityConfig]


def build_sink(block: Mapping[str, Any], clock: Clock, entities: Entities) -> Sink:
    """Return the sink of the block `sink`, nothing opened yet; raises ConfigError with the path of the wrong key.

    `entities` are the configured ones: a sink may take its rules for collisions from them.
    """
    kind = str(block.get("type"))
    if kind not in SINK_TYPES:
        raise ConfigError("no such type of sink", path="sink.type", hint=nearest(kind, SINK_TYPES))
    return SINK_TYPES[kind]({key: value for key, value in block.items() if key != "type"}, clock, entities)


def _jsonl(options: Mapping[str, Any], clock: Clock, _entities: Entities) -> Sink:
    return JsonlSink(convert_block(options, JsonlOptions, "sink"), clock)


def _webhook(options: Mapping[str, Any], clock: Clock, _entities: Entities) -> Sink:
    return WebhookSink(convert_block(options, WebhookOptions, "sink"), clock)


def _ipaas(options: Mapping[str, Any], clock: Clock, entities: Entities) -> Sink:
    asked = convert_block(options, IpaasOptions, "sink")
    rules = {
        name: CollisionRule(
            form=settings.collision or asked.collision, match_first=settings.match_first or asked.match_first
        )
        for name, settings in entities.items()
    }
    return ipaas.build(asked, clock, rules)


SINK_TYPES: Mapping[str, Callable[[Mapping[str, Any], Clock, Entities], Sink]] = {
    "ipaas": _ipaas,
    "jsonl": _jsonl,
    "webhook": _webhook,
}
