"""The sink for iPaaS.com, the hub."""

from __future__ import annotations

from collections.abc import Mapping

from p21d.clock import Clock
from p21d.sinks.ipaas.collision import CollisionRule
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.ipaas.sink import IpaasSink
from p21d.sinks.port import Sink

__all__ = ["CollisionRule", "IpaasOptions", "build"]


def build(options: IpaasOptions, clock: Clock, rules: Mapping[str, CollisionRule] | None = None) -> Sink:
    """Build the sink; `rules` are the entities' own collision rules; raises ConfigError naming the key."""
    return IpaasSink(options, clock, rules)
