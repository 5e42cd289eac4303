"""A page of rows, and how the body of an answer becomes one.

The whole body is decoded straight into rows. Only where that fails is each row decoded alone, so that one bad row is
named and its page goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec

from p21d.errors import PageError
from p21d.keys import key_text
from p21d.prophet21.classify import SYSTEM
from p21d.prophet21.key_order import Key
from p21d.prophet21.reading import Reading
from p21d.row import Row

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A row that does not fit its Row type: the text of its key (`?` for a part not found), its JSON, the reason."""

    key: str
    raw: bytes
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[R]):
    """One answer of P21.

    `read_at` is the instant just before it was asked for, `reached` the page key of its last row (None without rows),
    `last` says that nothing follows. `absent` are the key texts that were asked for and are not there.
    """

    rows: list[R]
    undecodable: list[Undecodable] = field(default_factory=list)
    read_at: datetime
    reached: Key | None
    last: bool
    absent: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Decoded(Generic[R]):
    """The body of an answer: rows, bad rows, page keys of both in order, how many there were, `@odata.count`."""

    rows: list[R]
    undecodable: list[Undecodable]
    keys: list[Key]
    size: int
    count: int | None


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """A decoded answer, the instant before it was asked for, and whether it shows that nothing follows."""

    decoded: Decoded[R]
    read_at: datetime
    ends: bool

    def page(self, *, last: bool) -> Page[R]:
        """Return it as a page."""
        decoded = self.decoded
        reached = decoded.keys[-1] if decoded.keys else None
        return Page(
            rows=decoded.rows, undecodable=decoded.undecodable, read_at=self.read_at, reached=reached, last=last
        )


class _Envelope(msgspec.Struct, Generic[R]):
    value: list[R]
    count: Any = msgspec.field(default=None, name="@odata.count")


# Not strict: P21 may print a whole number as `10.0`, and a decimal within quotes; texts stay texts.
_RAW = msgspec.json.Decoder(_Envelope[msgspec.Raw], strict=False)  # type: ignore[type-var]  # Raw is any row
_LOOSE = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@lru_cache(maxsize=256)
def _decoder(row: type[Row]) -> msgspec.json.Decoder[Any]:
    # float_hook: what a column of the configuration holds has no declared type, and an amount must stay a decimal
    return msgspec.json.Decoder(_Envelope[row], strict=False, float_hook=Decimal)  # type: ignore[valid-type]


@lru_cache(maxsize=256)
def _row_decoder(row: type[Row]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(row, strict=False, float_hook=Decimal)


def decode_page(reading: Reading[R], body: bytes) -> Decoded[R]:
    """Decode the body of an answer; raises PageError where it is not a whole OData answer."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        envelope = _decoder(reading.row).decode(body)
    except msgspec.ValidationError:
        return _one_by_one(reading, body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(reading, f"is not whole JSON: {error}") from error
    rows: list[R] = envelope.value
    keys = list(map(reading.columns.getter(reading.page_by), rows))
    return Decoded(rows, [], keys, len(rows), _count(envelope.count))


def _one_by_one(reading: Reading[R], body: bytes) -> Decoded[R]:
    try:
        envelope = _RAW.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(reading, f"is not an OData answer: {error}") from error
    decoded: Decoded[R] = Decoded([], [], [], len(envelope.value), _count(envelope.count))
    page_key = reading.columns.getter(reading.page_by)
    for raw in envelope.value:
        try:
            row = _row_decoder(reading.row).decode(raw)
        except msgspec.ValidationError as error:
            decoded.undecodable.append(Undecodable(_key_of(reading, raw), bytes(raw), str(error)))
            decoded.keys.extend(_page_key_of(reading, raw))
        else:
            decoded.rows.append(row)
            decoded.keys.append(page_key(row))
    return decoded


def raw_values(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    """Return what can be read of a bad row; nothing where it is not an object."""
    try:
        return _LOOSE.decode(raw)
    except msgspec.DecodeError:
        return {}


def _key_of(reading: Reading[Any], raw: msgspec.Raw) -> str:
    values = raw_values(raw)
    return key_text("?" if values.get(column) is None else values[column] for column in reading.key)


def _page_key_of(reading: Reading[Any], raw: msgspec.Raw) -> Sequence[Key]:
    values = raw_values(raw)
    try:
        return [tuple(reading.columns.convert(column, values[column]) for column in reading.page_by)]
    except (KeyError, msgspec.ValidationError):
        return []


def _count(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def _broken(reading: Reading[Any], what: str) -> PageError:
    return PageError(f"Prophet 21's answer for {reading.table} {what}", system=SYSTEM)
