"""Reads `orders.defaults` into the Struct that the mapping of orders declares."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from p21d.blocks import convert_block
from p21d.config import OrdersConfig
from p21d.errors import ConfigError
from p21d.order import OrderMapping

D = TypeVar("D", bound=msgspec.Struct)
PATH = "orders.defaults"


def read_defaults(mapping: OrderMapping[D], orders: OrdersConfig) -> D:
    """Return the mapping's defaults as configured; raises ConfigError naming the wrong key.

    A plug-in refuses a value that its type allows by a ValueError.
    """
    try:
        return convert_block(orders.defaults, mapping.defaults, PATH)
    except ConfigError:
        raise
    except Exception as error:  # a plug-in may raise anything, and a reload must keep the old set
        message = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ConfigError(message, path=PATH) from error


def check_orders(mapping: OrderMapping[Any] | None, orders: OrdersConfig) -> None:
    """Raise ConfigError where orders cannot be mapped as configured; the defaults are checked even while off."""
    if mapping is not None:
        read_defaults(mapping, orders)
    elif orders.enabled:
        hint = "define the hook p21d_orders in a plug-in"
        raise ConfigError("no plug-in maps orders", path="orders.enabled", hint=hint)
