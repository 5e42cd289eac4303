"""What is still sent of a record that was born in the hub: the members its route names, and nothing else.

The hub owns such an order: its lines, prices and addresses are the buyer's. P21 adds how far it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from p21d.plugin import Child, Route


def written(
    route: Route, body: Mapping[str, Any], children: Mapping[str, Sequence[Child]]
) -> tuple[dict[str, Any], dict[str, list[Child]]]:
    """Return the part of a record and of its children whose change is worth a call."""
    return (
        {name: value for name, value in body.items() if name in route.born},
        {
            member: [
                Child(child.id, {name: child.body[name] for name in names if name in child.body}) for child in items
            ]
            for member, names in route.born_children.items()
            if (items := children.get(member))
        },
    )
