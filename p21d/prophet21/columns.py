"""The columns of a Row: what is selected, and how each value is written into a filter.

Why by declared type: P21 answers a quoted number or a bare text with 404, and a text of digits does not say which it
is. P21Time is a `str` at run time, so the annotation decides.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import Any, get_args, get_type_hints

import msgspec

from p21d.errors import ConfigError
from p21d.keys import match_text
from p21d.prophet21.odata import Literal, literal
from p21d.row import P21Time, Row


class Kind(Enum):
    """How values of a column are written and compared."""

    TEXT = "text"
    TIME = "time"
    NUMBER = "number"
    BOOL = "bool"
    OPEN = "open"
    """Declared as a union: written as the value comes."""


class Columns:
    """The columns of one Row type, by the names they have in P21."""

    def __init__(self, row: type[Row]) -> None:
        self._row_name = row.__name__
        hints = get_type_hints(row)
        fields = msgspec.structs.fields(row)
        self.select = tuple(field.encode_name for field in fields)
        self._attributes = {field.encode_name: field.name for field in fields}
        self._kinds = {field.encode_name: _kind(hints[field.name]) for field in fields}
        self._types = {field.encode_name: hints[field.name] for field in fields}

    def __contains__(self, column: str) -> bool:
        return column in self._attributes

    def need(self, columns: Iterable[str], *, table: str) -> None:
        """Raise ConfigError where a column that the core needs is not a field of the Row."""
        for column in columns:
            if column not in self:
                raise ConfigError(f"{self._row_name} has no field for the column {column} of {table}", path=table)

    def kind(self, column: str) -> Kind:
        """Return the kind of a column; text where the Row does not have it."""
        return self._kinds.get(column, Kind.TEXT)

    def attribute(self, column: str) -> str:
        """Return the name of the Row's attribute for a column."""
        return self._attributes[column]

    def getter(self, columns: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
        """Return a function that takes the values of these columns from a row, as a tuple."""
        names = [self._attributes[column] for column in columns]
        take = operator.attrgetter(*names)
        return take if len(names) > 1 else lambda row: (take(row),)

    def literal(self, column: str, value: object) -> str:
        """Write a value of a column into a filter; raises ValueError where it cannot be one of its values."""
        return self.literal_of(column, self.parse(column, value))

    def literal_of(self, column: str, value: Literal) -> str:
        """Write a value that has the column's type already."""
        return str(value) if self.kind(column) is Kind.TIME else literal(value)

    def parse(self, column: str, value: object) -> Literal:
        """Return a value, perhaps given as text, in the column's type; raises ValueError."""
        kind = self.kind(column)
        if kind is Kind.NUMBER:
            return _number(value)
        if kind is Kind.BOOL:
            return str(value).lower() == "true"
        return value if kind is Kind.OPEN and isinstance(value, int | Decimal) else str(value)

    def normal(self, column: str, value: object) -> str:
        """Return the text by which a value of this column is compared; raises ValueError as `parse`.

        P21's collation ignores case, and some tables pad what others do not.
        """
        return match_text(self.parse(column, value)).casefold()

    def convert(self, column: str, value: object) -> Any:
        """Return a decoded JSON value in the column's declared type; raises msgspec.ValidationError."""
        # Not strict for numbers only: an open column would turn the text "12" into a number.
        return msgspec.convert(value, self._types[column], strict=self.kind(column) is not Kind.NUMBER)


def columns_of(row: type[Row]) -> Columns:
    """Return the columns of a Row type."""
    return _columns_of(row)


@lru_cache(maxsize=256)
def _columns_of(row: type[Row]) -> Columns:
    return Columns(row)


def _kind(annotation: Any) -> Kind:
    parts = [part for part in get_args(annotation) or (annotation,) if part is not type(None)]
    if len(parts) != 1:
        return Kind.OPEN
    known = {str: Kind.TEXT, P21Time: Kind.TIME, int: Kind.NUMBER, Decimal: Kind.NUMBER, bool: Kind.BOOL}
    return known.get(parts[0], Kind.OPEN)


def _number(value: object) -> int | Decimal:
    if isinstance(value, int):
        return value
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a number") from error
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a number")
    return int(number) if number == number.to_integral_value() else number
