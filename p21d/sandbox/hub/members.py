"""Reads the members of a request's record: kinds, required members, allowed values.

Members the record type does not declare are ignored, as the hub's deserializer does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from p21d.sandbox.hub.declaration import Member, RecordType
from p21d.sandbox.hub.ids import Ids
from p21d.sandbox.hub.record_types import RECORD_TYPES
from p21d.sandbox.hub.refusal import RefusedError
from p21d.sandbox.hub.settings import HubSettings


class MemberReader:
    """Turn a request's body into the members of a stored record, or refuse it."""

    def __init__(self, settings: HubSettings) -> None:
        self._settings = settings
        self._ids = Ids(settings)
        self._readers: dict[str, Callable[[Any, str], Any]] = {
            "text": _read_text,
            "integer": _read_integer,
            "number": _read_number,
            "boolean": _read_boolean,
            "instant": _read_instant,
            "json": _read_json,
            "id": self._ids.read_member,
            "id_text": self._ids.read_member,
            "system": self._read_system,
        }

    def read(self, kind: RecordType, body: dict[str, Any]) -> dict[str, Any]:
        """Return the declared members a body gives, each checked for its kind."""
        found: dict[str, Any] = {}
        declared = kind.members
        for name, value in body.items():
            member = declared.get(name)
            if member is not None:
                found[name] = None if value is None else self._read(kind, member, value)
        return found

    def complete(self, kind: RecordType, found: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Return a whole record: defaults where nothing was given, never null where an answer may not be null."""
        whole = {**kind.defaults, **found}
        for name in kind.never_null:
            if whole[name] is None:
                whole[name] = kind.defaults[name]
        for name in kind.instants:
            if whole.get(name) is None:
                whole[name] = now.isoformat()
        return whole

    def check(self, kind: RecordType, whole: dict[str, Any]) -> None:
        """Refuse a whole record without a required member or with a value that is not allowed."""
        for name in (*kind.required, *self._settings.more_required.get(kind.name, ())):
            if whole.get(name) in (None, "", 0):
                code = "VALD-1021" if name == "email_address" else "VALD-1002"
                raise RefusedError(code, f"The {name} field is required")
        if kind.one_of and not any(whole.get(name) for name in kind.one_of):
            raise RefusedError("VALD-1049", f"One of {', '.join(kind.one_of)} is required")
        for name, allowed in kind.enums.items():
            if whole.get(name) not in allowed:
                raise RefusedError("VALD-1010", f"{name} '{whole.get(name)}' is not one of: {', '.join(allowed)}")
        if kind.country:
            self._check_country(whole[kind.country])

    def _read(self, kind: RecordType, member: Member, value: Any) -> Any:
        if member.name in kind.objects:
            nested = RECORD_TYPES[kind.objects[member.name]]
            if not isinstance(value, dict):
                raise _wrong_kind(member.name)
            return {**nested.defaults, **{k: v for k, v in self.read(nested, value).items() if v is not None}}
        return self._readers[member.kind](value, member.name)

    def _read_system(self, value: Any, name: str) -> int:
        if self._settings.require_system(value) is None:
            raise RefusedError("VALD-1017", f"{name} {value} is not a subscription of this company")
        return int(value)

    def _check_country(self, country: str) -> None:
        if country in self._settings.countries:
            return
        if not (self._settings.country_codes_taken and len(country) == 2):
            raise RefusedError("VALD-1045", f"Country '{country}' is not known")


def _wrong_kind(name: str) -> RefusedError:
    return RefusedError("VALD-1032", f"The JSON value could not be converted. Path: $.{name}")


def _read_text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _wrong_kind(name)
    return value


def _read_integer(value: Any, name: str) -> int:
    if type(value) is not int:
        raise _wrong_kind(name)
    return value


def _read_number(value: Any, name: str) -> int | float:
    if type(value) not in {int, float}:
        raise _wrong_kind(name)
    number: int | float = value
    return number


def _read_boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong_kind(name)
    return value


def _read_json(value: Any, name: str) -> Any:
    if not isinstance(value, dict | list):
        raise _wrong_kind(name)
    return value


def _read_instant(value: Any, name: str) -> str:
    """Return the instant in UTC; one without an offset is taken as UTC."""
    try:
        instant = datetime.fromisoformat(_read_text(value, name))
    except ValueError as error:
        raise _wrong_kind(name) from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
