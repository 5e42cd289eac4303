"""What a record type of the hub is: where it lives, its members, its rules and its children.

One declaration drives every handler, so a rule of the hub is written once and a new record type is a table entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_TOKEN = re.compile(r"(?P<name>\w+)(:(?P<kind>[a-z]+))?(?P<flags>[+!]*)\Z")
_KINDS = {
    "s": "text",
    "i": "integer",
    "n": "number",
    "b": "boolean",
    "d": "instant",
    "o": "json",
    "id": "id",  # the hub's id of another record, answered as a number
    "idtext": "id_text",  # the same, answered as text
    "system": "system",
}
_NEVER_NULL: dict[str, Any] = {"text": "", "integer": 0, "number": 0.0, "boolean": False, "id": 0, "system": 0}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a record: its kind, whether it is required, and whether an answer may hold null there."""

    name: str
    kind: str
    required: bool
    never_null: bool


@dataclass(frozen=True, slots=True)
class Unique:
    """A rule that no two records share these members; `says` is the sentence of a refusal."""

    members: tuple[str, ...]
    code: str = "BIZL-1004"
    with_case: bool = False
    says: str = "{label} must be unique, taken by item (ID: {id})"


@dataclass(frozen=True, slots=True)
class Named:
    """A reference by text: the value must be `member` of an existing record of `type`."""

    type: str
    member: str
    with_case: bool = False


def members(text: str) -> dict[str, Member]:
    """Read a member list: `name[:kind][+][!]` each; s is the default kind, + required, ! never null in an answer."""
    found = [_TOKEN.match(token) for token in text.split()]
    if None in found:
        raise ValueError(f"not a member list: {text}")
    return {match["name"]: _member(match) for match in found if match}


def _member(match: re.Match[str]) -> Member:
    flags = match["flags"]
    return Member(match["name"], _KINDS[match["kind"] or "s"], "+" in flags, "!" in flags)


@dataclass(frozen=True, kw_only=True)
class RecordType:
    """Declare one type of record; `path` and `list_path` are under `/{family}/v2/`, empty where there is none."""

    name: str
    family: str
    members: dict[str, Member]
    table: str = ""
    path: str = ""
    list_path: str = ""
    own_read: bool = True  # False: shown inside its parent only
    parent: str = ""
    scope: str = ""
    first_id: int = 1
    unique: tuple[Unique, ...] = ()
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    named: dict[str, Named] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    children: dict[str, str] = field(default_factory=dict)
    one_of: tuple[str, ...] = ()  # VALD-1049: not all of these may be empty
    country: str = ""  # the member that holds a checked country name
    natural_key: tuple[str, ...] = ()  # what tells two records apart for a person; counts duplicates

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Return the names of the required members."""
        return tuple(member.name for member in self.members.values() if member.required)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Return what a new record holds where the request says nothing; never-null instants are absent."""
        return {
            name: _NEVER_NULL[member.kind] if member.never_null else None
            for name, member in self.members.items()
            if not (member.never_null and member.kind == "instant")
        }

    @cached_property
    def instants(self) -> tuple[str, ...]:
        """Return the never-null instants, which the hub fills with its own time."""
        return tuple(m.name for m in self.members.values() if m.never_null and m.kind == "instant")

    @cached_property
    def never_null(self) -> tuple[str, ...]:
        """Return the names of the members with a default that is not null."""
        return tuple(name for name, value in self.defaults.items() if value is not None)

    @cached_property
    def label(self) -> str:
        """Return the type's name for a sentence, such as `Shipping method`."""
        return self.name.replace("_", " ").capitalize()
