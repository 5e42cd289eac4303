"""Sizes as people write them: `200MB`, `1GB`, or 0; in code a number of bytes."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

Size = Annotated[int, Meta(ge=0, extra={"unit": "bytes"})]
"""The type of a field that holds a size."""

_UNITS = {"KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_FORM = re.compile(r"(\d+)\s*(KB|MB|GB)", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Return the bytes of `200MB`; raises ValueError."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected a size such as 500KB, 200MB, 1GB or 0")
    return int(match[1]) * _UNITS[match[2].upper()]


def size_text(size_bytes: int) -> str | int:
    """Return a size as people write it, in the largest unit that divides it; bytes as they are."""
    for unit, factor in reversed(_UNITS.items()):
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor}{unit}"
    return size_bytes
