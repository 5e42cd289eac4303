"""Builds what the daemon runs from a configuration file: the same way at the start and at a reload.

A new set is built and checked whole before the old one is touched (P8). What has not changed is taken over: a P21
session keeps its token, a sink its connections.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from p21d.binding import check_binding, identity_of
from p21d.clock import Clock
from p21d.config import Config
from p21d.durations import parse_duration
from p21d.engine.connection import Connection
from p21d.engine.orders.assembling import assemble_orders
from p21d.engine.orders.matching import OrderMatch
from p21d.engine.proof_book import StoreBook
from p21d.engine.slots import Slots
from p21d.engine.supervisor import Supervisor, build_plans
from p21d.engine.watch import Watch, longest_wait_seconds
from p21d.errors import ConfigError, P21dError
from p21d.prophet21.source import Prophet21
from p21d.registry import Registry
from p21d.sinks.port import Sink
from p21d.sinks.registry import build_sink
from p21d.store.database import Store


@dataclass(frozen=True, kw_only=True, eq=False)
class Assembly:
    """A configuration and everything built from it."""

    config: Config
    registry: Registry
    source: Prophet21
    sink: Sink
    supervisor: Supervisor


def assemble(config: Config, registry: Registry, store: Store, clock: Clock, watch: Watch) -> Assembly:
    """Build everything anew, open nothing; raises ConfigError."""
    source = Prophet21(config.prophet21, clock, StoreBook(store, clock))
    sink = build_sink(config.sink, clock, config.entities)
    slots = Slots(config.concurrent_batch_executions)
    return _joined(config, registry, store, clock, watch, source, sink, slots)


async def reassemble(old: Assembly, config: Config, registry: Registry, store: Store, clock: Clock) -> Assembly:
    """Build the set of a changed configuration, taking over what stays; raises P21dError and leaves the old one whole.

    A changed address or credential is tried once before anything is swapped.
    """
    refuse_restart_keys(old.config, config)
    connection = old.supervisor.connection
    source, sink = old.source, old.sink
    fresh: list[Prophet21 | Sink] = []
    try:
        if config.prophet21 != old.config.prophet21:
            source = Prophet21(config.prophet21, clock, StoreBook(store, clock))
            fresh.append(source)
        if rules_of_sink(config) != rules_of_sink(old.config):
            sink = build_sink(config.sink, clock, config.entities)
            fresh.append(sink)
        await check_binding(store, identity_of(config, sink))
        for changed in fresh:
            await changed.check()
        new = _joined(config, registry, store, clock, connection.watch, source, sink, connection.slots)
    except P21dError:
        for changed in fresh:
            await changed.aclose()
        raise
    new.supervisor.connection.steps = connection.steps
    return new


def _joined(
    config: Config,
    registry: Registry,
    store: Store,
    clock: Clock,
    watch: Watch,
    source: Prophet21,
    sink: Sink,
    slots: Slots,
) -> Assembly:
    connection = Connection(
        clock=clock,
        store=store,
        source=source,
        sink=sink,
        slots=slots,
        batch_rows=config.batch_rows,
        min_free_bytes=config.store.min_free,
        plans=build_plans(config, registry),
        watch=watch,
    )
    if registry.orders is not None:
        # with orders off too: what was sent before may still come out of P21, and linked ones do
        connection.orders = OrderMatch(connection, registry.orders.entity)
    orders = assemble_orders(config, registry, connection)
    supervisor = Supervisor(connection, settle_seconds=config.prophet21.settle, orders=orders)
    return Assembly(config=config, registry=registry, source=source, sink=sink, supervisor=supervisor)


def stuck_seconds(config: Config) -> float:
    """Return after how long without a step a cycle is stuck, under the configured timeouts."""
    try:
        sink_timeout = parse_duration(config.sink.get("timeout", 0))
    except ValueError:  # a plug-in's sink may mean something else by it
        sink_timeout = 0.0
    return longest_wait_seconds(config.prophet21.timeout, sink_timeout)


def rules_of_sink(config: Config) -> object:
    """Return all that a sink is built from."""
    return config.sink, {name: (entity.collision, entity.match_first) for name, entity in config.entities.items()}


def refuse_restart_keys(old: Config, new: Config) -> None:
    """Raise ConfigError naming a changed key that only a restart can change."""
    for path, before, after in (
        ("store.path", old.store.path, new.store.path),
        ("control.socket", old.control.socket, new.control.socket),
    ):
        if before != after:
            hint = "nothing was changed; restart p21d to change it"
            raise ConfigError(f"cannot change from {before} to {after} while running", path=path, hint=hint)


def changes(old: Config, new: Config) -> Iterator[str]:
    """Yield in words what a reload changes."""
    for name in ("prophet21", "sink", "entities", "orders", "plugin_dirs", "batch_rows", "log"):
        if getattr(old, name) != getattr(new, name):
            yield name
    before, after = old.concurrent_batch_executions, new.concurrent_batch_executions
    if before != after:
        yield f"concurrent_batch_executions {before} -> {after}"
