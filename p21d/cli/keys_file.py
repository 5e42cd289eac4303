"""Reads the keys for a sync from a file of any length: one key a line, or a CSV with a header.

    with a header       the columns named like the entity's key columns, else a column named key, else the first ones
    without a header    each line is a key, or a CSV line that begins with the parts of one

Both forms may have a byte-order mark, CRLF, quotes, blank lines, and comments: a line that begins with `# `. A hash
alone is no comment, since item ids begin with one. A key of several parts may also stand joined, `12|10`.

Why the two are parsed differently: a cell of a CSV may hold a line end, so a file with a header is read as CSV as a
whole, and a quote that is never closed is an error, not the loss of the rest. In a bare list a quote is mostly an inch
mark (`1/2" BOLT`), so there each line stands for itself.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from p21d.errors import P21dError
from p21d.keys import key_text

_KEY_COLUMNS = ("key", "keys")
_COLUMN_NAME = re.compile(r"[a-z]+(_[a-z0-9]+)+")
_ESCAPED = re.compile(r"%25|%7C")


class UnusableKeys(P21dError):
    """The file is not text, or a line of it holds no key of this entity."""

    exit_code = os.EX_DATAERR


@dataclass(frozen=True, kw_only=True)
class KeyColumns:
    """The entity whose keys are read and its key columns in order; empty where they are not known."""

    entity: str
    key: Sequence[str]

    @property
    def parts(self) -> int:
        """Return how many parts a key has."""
        return max(1, len(self.key))


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a CSV: its separator, its names, and which of them hold the key."""

    separator: str
    names: tuple[str, ...]
    used: tuple[int, ...]

    @property
    def key_names(self) -> tuple[str, ...]:
        """Return the names of the columns that hold the key."""
        return tuple(self.names[index] for index in self.used)


def read_keys(
    lines: Iterable[str], columns: KeyColumns, *, met_header: Callable[[Header], None] = lambda _header: None
) -> Iterator[str]:
    """Yield the key text of each line; raises UnusableKeys with the line's number. Nothing is kept in memory."""
    numbered = iter(enumerate(lines, 1))
    try:
        for number, line in numbered:
            if _says_nothing(line):
                continue
            header = _find_header(line, columns)
            if header is None:
                yield from _from_list(chain([(number, line)], numbered), columns)
            else:
                met_header(header)
                yield from _from_csv((line for _, line in numbered), header, columns, number)
            return
    except UnicodeDecodeError as error:
        raise UnusableKeys("the keys are not UTF-8 text", hint='save the file as "CSV UTF-8"') from error


def _find_header(line: str, columns: KeyColumns) -> Header | None:
    """Return what a first line says when it is a header, None when it is data already."""
    for separator in (",", "\t", ";"):
        names = tuple(name.strip().lower() for name in next(csv.reader([_bare(line)], delimiter=separator)))
        if _are_names(names, columns):
            return Header(separator, names, _used(names, columns))
    return None


def _are_names(names: tuple[str, ...], columns: KeyColumns) -> bool:
    known = {*_KEY_COLUMNS, *(name.lower() for name in columns.key), f"{columns.entity}_id"}
    # several fields that all look like column names are a header too; one alone might be an item id
    return bool(known & set(names)) or (len(names) > 1 and all(_COLUMN_NAME.fullmatch(name) for name in names))


def _used(names: tuple[str, ...], columns: KeyColumns) -> tuple[int, ...]:
    wanted = [name.lower() for name in columns.key]
    if wanted and all(name in names for name in wanted):
        return tuple(names.index(name) for name in wanted)
    for name in _KEY_COLUMNS:
        if name in names:
            return (names.index(name),)
    return tuple(range(min(columns.parts, len(names))))


def _from_csv(lines: Iterable[str], header: Header, columns: KeyColumns, before: int) -> Iterator[str]:
    rows = csv.reader(lines, delimiter=header.separator, strict=True)
    try:
        for row in rows:
            if not any(cell.strip() for cell in row) or (len(row) == 1 and _says_nothing(row[0])):
                continue
            number = before + rows.line_num
            if len(row) <= max(header.used):
                raise UnusableKeys(f"line {number} of the keys has {len(row)} columns, its header more")
            yield _key([row[index].strip() for index in header.used], columns, number)
    except csv.Error as error:
        hint = "is a quote not closed?"
        raise UnusableKeys(f"line {before + rows.line_num} of the keys is not CSV: {error}", hint=hint) from error


def _from_list(numbered: Iterable[tuple[int, str]], columns: KeyColumns) -> Iterator[str]:
    for number, line in numbered:
        if _says_nothing(line):
            continue
        text = _bare(line)
        row = next(csv.reader([text], delimiter="\t" if "\t" in text else ",", skipinitialspace=True))
        yield _key([cell.strip() for cell in row[: columns.parts]], columns, number)


def _key(parts: list[str], columns: KeyColumns, number: int) -> str:
    if not all(parts):
        raise UnusableKeys(f"line {number} of the keys has an empty key")
    if len(parts) > 1:
        return key_text(parts)
    text = parts[0]
    if not columns.key:
        return text
    if columns.parts == 1:
        return text if _ESCAPED.search(text) else key_text([text])
    if text.count("|") != columns.parts - 1:
        hint = f"a key of {columns.entity} is {'|'.join(columns.key)}, in one column or in {columns.parts}"
        raise UnusableKeys(f"line {number} of the keys is no key of {columns.entity}", hint=hint)
    return text


def _bare(line: str) -> str:
    return line.removeprefix("\ufeff").strip("\r\n ")


def _says_nothing(line: str) -> bool:
    text = _bare(line)
    return not text or text == "#" or text.startswith(("# ", "#\t", "##"))
