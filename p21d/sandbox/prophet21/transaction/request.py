"""What a client sends to the Transaction API, and the refusal a window answers with."""

from __future__ import annotations

import msgspec


class TransactionRefused(Exception):  # it says what happened to the transaction
    """One transaction of a call fails with these words; the call itself answers 200."""


class BadBody(Exception):  # it says what the body is
    """The body cannot be read at all: 400, nothing was written."""


class Edit(msgspec.Struct, rename="pascal"):
    """One value typed into one field."""

    name: str
    value: str | None = None
    ignore_if_empty: bool = False


class Row(msgspec.Struct, rename="pascal"):
    """The edits of one row, in the order they are typed."""

    edits: list[Edit] = []


class DataElement(msgspec.Struct, rename="pascal"):
    """The rows of one element; `keys` names the fields that tell its rows apart."""

    name: str
    type: str = ""
    keys: list[str] = []
    rows: list[Row] = []


class Transaction(msgspec.Struct, rename="pascal"):
    """One replay of the window, saved or refused as a whole."""

    status: str = ""
    data_elements: list[DataElement] = []


class TransactionSet(msgspec.Struct, rename="pascal"):
    """The body of `POST transaction`; a property in the wrong case is not bound, and nobody says so."""

    name: str = ""
    use_code_values: bool = False
    ignore_disabled: bool = False
    transactions: list[Transaction] = []


def read_set(body: bytes) -> TransactionSet:
    """Return the body; raise `BadBody` where it is not JSON or a value is not a string."""
    try:
        return msgspec.json.decode(body, type=TransactionSet)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBody(str(error)) from error


def rows_of(element: DataElement, keys: list[str]) -> list[list[Edit]]:
    """Return the edits of each row; rows equal in all key fields collapse into one, the last value wins.

    Raises `TransactionRefused` where a key field is missing from a row's edits.
    """
    merged: dict[tuple[str, ...], dict[str, Edit]] = {}
    for number, row in enumerate(element.rows):
        edits = {edit.name: edit for edit in row.edits}
        if any(name not in edits for name in element.keys):
            raise TransactionRefused("General Exception: Sequence contains no matching element")
        key = tuple((edits[name].value or "").strip().upper() if name in edits else str(number) for name in keys)
        merged.setdefault(key or (str(number),), {}).update(edits)
    return [list(edits.values()) for edits in merged.values()]
