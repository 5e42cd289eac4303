"""What a row read from P21 is made of: the Row type, P21's own time, and padded text."""

from __future__ import annotations

from typing import NewType

import msgspec

P21Time = NewType("P21Time", str)
"""A time as P21 prints it: server-local wall time with an offset. Never mixed with our own UTC instants."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row as read; its fields are the `$select`.

    Declare ids and whole numbers as `int`, amounts as `Decimal`, times as `P21Time`, everything else as `str`; add `|
    None` where P21 allows null. The type decides how a value is written in a filter, so a decimal id must not be
    declared `str`.
    """


def clean(value: str | None) -> str:
    """Return text without the blanks P21 pads it with, and an empty text for null."""
    return value.strip() if value else ""
