"""Do the keys of a page go on from the page before? A key met twice means that the paging has gone wrong.

Numbers are compared by order. Texts are compared by equality only: SQL Server's collation orders them otherwise than
Python does.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

Key = tuple[Any, ...]


def find_repeat(keys: Sequence[Key], reached: Key | None) -> Key | None:
    """Return the first key that does not come after the one before it, or comes twice; None where all is well."""
    if reached is not None:
        keys = [reached, *keys]
    # The common case, whole numbers only, runs in C.
    if all(map(_all_numbers, keys[:1])) and _increases(keys):
        return None
    seen: set[Key] = set()
    before: Key | None = None
    for key in keys:
        if key in seen or (before is not None and _comes_before(key, before)):
            return key
        seen.add(key)
        before = key
    return None


def _all_numbers(key: Key) -> bool:
    return not any(isinstance(part, str) for part in key)


def _increases(keys: Sequence[Key]) -> bool:
    try:
        return all(map(operator.lt, keys, keys[1:]))
    except TypeError:
        return False


def _comes_before(key: Key, before: Key) -> bool:
    for part, part_before in zip(key, before, strict=True):
        if part == part_before:
            continue
        if not isinstance(part, int | Decimal) or not isinstance(part_before, int | Decimal):
            return False
        return bool(part < part_before)
    return True
