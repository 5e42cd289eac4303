"""The hooks of p21d: what a plug-in may define, by name. A plug-in defines at least one of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from p21d.order import OrderMapping
    from p21d.plugin import Entity

hookspec = pluggy.HookspecMarker("p21d")
hookimpl = pluggy.HookimplMarker("p21d")


@hookspec
def p21d_entities() -> Iterable[Entity[Any]]:  # type: ignore[empty-body]  # a hookspec has no body
    """Return the entities of this plug-in."""


@hookspec
def p21d_orders() -> OrderMapping[Any]:  # type: ignore[empty-body]  # a hookspec has no body
    """Return how hub orders become P21 orders; one outside the built-in folder replaces the built-in one."""
