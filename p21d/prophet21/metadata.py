"""Which columns each table has, from P21's `$metadata`: JSON CSDL of about 4 MB for tables, 6 MB for views (facts 3.1).

The document is cut into its types without decoding them, and only the types asked for are looked into.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from p21d.http import HttpAnswer

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def columns_in(answer: HttpAnswer, tables: Collection[str]) -> dict[str, list[str]]:
    """Return the columns of those of the tables (lower case) that the document describes; raises ValueError.

    Type names are compared without case, and whatever their namespace.
    """
    if answer.status != 200:
        raise ValueError(f"P21 answers {answer.status} {answer.reason}".strip())
    try:
        return _columns(answer.body.removeprefix(b"\xef\xbb\xbf"), tables)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"it is not JSON CSDL: {error}") from error


def _columns(body: bytes, tables: Collection[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for types in _MEMBERS.decode(body).values():
        if not _is_object(types):
            continue
        for name, described in _MEMBERS.decode(types).items():
            if name.lower() in tables and _is_object(described):
                members = _MEMBERS.decode(described)
                # the container has a member of the same name; only a type has columns beside its $ members
                if columns := [member for member in members if not member.startswith("$")]:
                    found[name.lower()] = columns
    return found


def _is_object(raw: msgspec.Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b"{"
