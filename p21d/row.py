"""What a row read from P21 is made of: the Row type, P21's own time, padded text, amounts and flags."""

from __future__ import annotations

from decimal import Decimal
from typing import NewType

import msgspec

from p21d.keys import decimal_text

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


def shortened(text: str, characters: int) -> str:
    """Return text in one line, cut to so many characters; where it was cut, it ends in three dots."""
    line = " ".join(text.split())
    return line if len(line) <= characters else f"{line[: characters - 3].rstrip()}..."


def number(value: Decimal | None) -> Decimal | None:
    """Return an amount in one form only, so that 40, 40.000000000 and 4E+1 have one fingerprint; null stays null."""
    if value is None:
        return None
    return Decimal(decimal_text(value)) if value else Decimal(0)


def yes(flag: str | None) -> bool:
    """Return whether a P21 flag column says yes: `Y`, padded or not."""
    return clean(flag).upper() == "Y"
