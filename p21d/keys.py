"""A row's key as one text, the form in which the store, the command line and the log name a row.

The parts stand in the order of the entity's `key`, joined by a bar: `12|10`. A bar or percent sign inside a part is
escaped, so that two keys never share a text.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal

_EXACT = Context(prec=100)
"""More digits than any number of P21 has (38): nothing is rounded."""


def key_text(parts: Iterable[object]) -> str:
    """Return the text of a key given in parts."""
    return "|".join([escaped(value_text(part)) for part in parts])


def escaped(text: str) -> str:
    """Return one part's text as it stands in a key."""
    return text if text.isalnum() else text.replace("%", "%25").replace("|", "%7C")


def key_parts(text: str) -> tuple[str, ...]:
    """Return the parts of a key text, each as text."""
    return tuple(part.replace("%7C", "|").replace("%25", "%") for part in text.split("|"))


def same_row(one: str, other: str) -> bool:
    """Tell whether two key texts name one row of P21, which pads an id in one table and not in another."""
    return [part.strip() for part in key_parts(one)] == [part.strip() for part in key_parts(other)]


def value_text(value: object) -> str:
    """Return a value as text in one form only: 10, 10.0 and Decimal('10.00') are all `10`."""
    if type(value) is str:
        return value
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, float):
        return value_text(Decimal(str(value)))
    return str(value)


def decimal_text(value: Decimal) -> str:
    """Return a decimal in one form only, without an exponent and without zeros at its end."""
    text = str(value)
    if "E" in text:
        return format(value.normalize(_EXACT), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def match_text(value: object) -> str:
    """Return the text by which values of two tables are compared: trimmed, as P21 pads ids in some tables only."""
    return value_text(value).strip()
