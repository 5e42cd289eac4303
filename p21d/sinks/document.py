"""The JSON object that a sink without ids of its own receives for a delivery; jsonl and webhook share it.

    {"entity": "customer", "key": "01|204410", "external_id": "01|204410", "record": {...}}

`record` is the body with its children as lists under their member and each parent's id under its member; a child
carries its `external_id`. `"active": false` stands beside `record` where the record is inactive.
"""

from __future__ import annotations

from typing import Any

import msgspec

from p21d.plugin import Route
from p21d.sinks.port import Delivery

# P21's decimals arrive as numbers, digit for digit, and not as msgspec's default of text
_encoder = msgspec.json.Encoder(decimal_format="number")


def document(delivery: Delivery) -> dict[str, Any]:
    """Return the object for one delivery."""
    children = {
        member: [{"external_id": child.external_id, **child.body} for child in items]
        for member, items in delivery.children.items()
    }
    parents = {member: parent_id for member, parent_id in delivery.parents.items() if member}
    fields: dict[str, Any] = {
        "entity": delivery.entity,
        "key": delivery.key,
        "external_id": delivery.external_id,
        "record": {**delivery.body, **children, **parents},
    }
    return fields if delivery.active else {**fields, "active": False}


def encode(value: object) -> bytes:
    """Return JSON in one line."""
    return _encoder.encode(value)


def table_of(route: Route, member: str = "") -> str:
    """Return the name under which links are kept: the route's own table, else its resource or its child's."""
    return route.children[member] if member else route.link_table or route.resource
