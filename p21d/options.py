"""What an operator may set for a plug-in: a Struct, its fields the keys of a block, each with a default."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import field

__all__ = ["Count", "Options", "field"]

Count = Annotated[int, msgspec.Meta(ge=1)]
"""A whole number of at least 1."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Derive from it and declare a field per key: text as `str`, a duration as `float`, a choice as `Literal`.

    A wrong key or value is refused at start and reload, by its path.
    """
