"""Turn what is typed into a field into what its column stores; refuse what the field does not take."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from p21d.sandbox.prophet21.schema import load_tables
from p21d.sandbox.prophet21.transaction.elements import Field
from p21d.sandbox.prophet21.transaction.request import TransactionRefused

_MONEY = ("freight_out", "freight_in", "extended_price", "sales_cost", "commission_cost", "other_cost", "po_cost")


def invalid(field: Field, text: str) -> TransactionRefused:
    """Return the refusal of a value a field does not take."""
    return TransactionRefused(f"Invalid {field.name} value: {text}")


def stored_value(field: Field, text: str, *, use_codes: bool) -> Any:
    """Return the stored form of a typed value, None of an empty one; raise `TransactionRefused`.

    Labels are compared as shown; with `use_codes` the stored codes are wanted instead.
    """
    if not text:
        return None
    if field.values:
        wanted = {code: code for code in field.values.values()} if use_codes else field.values
        if text not in wanted:
            raise invalid(field, text)
        text = wanted[text]
    if field.data_type == "Datetime":
        return _midnight(field, text)
    if field.data_type in {"Decimal", "Long"}:
        return _number(field, text)
    if field.length is not None and len(text) > field.length:
        raise invalid(field, text)
    return text


def decimal_text(number: Decimal, *, places: int = 9) -> str:
    """Return a decimal as P21 prints it, with all its places."""
    return f"{number:.{places}f}"


def _number(field: Field, text: str) -> Any:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise invalid(field, text) from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 12:
        raise invalid(field, text)
    if not _is_whole(field):
        return decimal_text(number, places=4 if field.stored_as in _MONEY else 9)
    if number != number.to_integral_value():
        raise invalid(field, text)
    return int(number)


def _is_whole(field: Field) -> bool:
    if not field.column:
        return field.data_type == "Long"
    return load_tables()[field.table].stored[field.stored_as].kind in {"whole", "integer"}


def _midnight(field: Field, text: str) -> str:
    """Return the day that is typed, as ISO date, ISO date-time or MM/DD/YYYY."""
    try:
        typed = datetime.strptime(text, "%m/%d/%Y") if "/" in text else datetime.fromisoformat(text)  # noqa: DTZ007  # wall time
    except ValueError:
        raise invalid(field, text) from None
    return f"{typed.date().isoformat()}T00:00:00"
