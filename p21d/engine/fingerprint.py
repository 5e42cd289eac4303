"""The fingerprint of a record: a hash of everything whose change is worth a call to the sink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from p21d.keys import decimal_text
from p21d.plugin import Child

FINGERPRINT_BYTES = 16

_AS_IT_IS = frozenset({str, int, bool, float, type(None)})
"""Most of what a body holds; asking for nothing else takes a third of the time of a fingerprint."""
_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def fingerprint(
    external_id: str,
    body: Mapping[str, Any],
    children: Mapping[str, Sequence[Child]],
    parents: Mapping[str, str],
    *,
    active: bool,
) -> bytes:
    """Return the hash of a record's final content, the ids of its parents in the sink included.

    The ids the sink gives to the record and its children stay out: they come with the first answer and change nothing.
    """
    nested = {member: [(child.id, plain(child.body)) for child in items] for member, items in children.items()}
    content = _encoder.encode((external_id, plain(body), nested, dict(parents), active))
    return blake2b(content, digest_size=FINGERPRINT_BYTES).digest()


def plain(value: Any) -> Any:
    """Return the value with each Decimal in one form, so that 40 and 40.000000000 have one fingerprint."""
    kind = type(value)
    if kind is Decimal:
        return decimal_text(value)
    if kind is dict:
        return {name: item if type(item) in _AS_IT_IS else plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return plain(dict(value))
    return decimal_text(value) if isinstance(value, Decimal) else value
