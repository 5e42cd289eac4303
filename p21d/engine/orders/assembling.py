"""Puts the orders of a connection together from the configuration; asks nobody anything."""

from __future__ import annotations

from p21d.config import Config
from p21d.engine.connection import Connection
from p21d.engine.drain import Drain
from p21d.engine.orders.context import OrderContext
from p21d.engine.orders.desk import OrdersDesk
from p21d.engine.orders.guards import rules_of
from p21d.engine.orders.reference import check_reference
from p21d.engine.orders.writer import OrderWriter
from p21d.errors import ConfigError
from p21d.order_defaults import read_defaults
from p21d.registry import Registry


def assemble_orders(config: Config, registry: Registry, connection: Connection) -> OrdersDesk | None:
    """Return the orders' desk, None where orders are off; raises ConfigError where they cannot be on."""
    orders = config.orders
    if not orders.enabled:
        return None
    if registry.orders is None:
        hint = "define the hook p21d_orders in a plug-in"
        raise ConfigError("no plug-in maps orders", path="orders.enabled", hint=hint)
    if connection.sink.inbox is None:
        hint = f"sink.type {config.sink.get('type')} only takes records; set orders.enabled: false"
        raise ConfigError("this sink gives no orders", path="orders.enabled", hint=hint)
    check_reference(orders.reference, orders.reference_field)
    rules = rules_of(orders, config.prophet21)
    context = OrderContext(
        connection=connection,
        config=orders,
        mapping=registry.orders,
        defaults=read_defaults(registry.orders, orders),
        inbox=connection.sink.inbox,
        desk=connection.source.orders,
        not_before=rules.not_before,
        drain=Drain(connection.clock),
    )
    return OrdersDesk(context, rules, OrderWriter(context).run)
