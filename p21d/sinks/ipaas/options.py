"""The `sink` block of the configuration for `type: ipaas`, and the checks that a type cannot make.

Secrets and durations arrive converted (`Secret`, float seconds): the configuration loader has resolved `${file:...}`
and `5m`. The overrides (`urls`, `paths`, `tables`, ...) carry no defaults here; those stand in `table.py`.
"""

from __future__ import annotations

import re
import uuid
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from p21d.errors import ConfigError
from p21d.secret import Secret
from p21d.sinks.rate import parse_rate

CollisionForm = Literal["error", "remap_and_link", "update_and_link", "update_and_no_link"]
"""What to do when a create meets an existing record (facts 7)."""

DATABASE_WAIT_SECONDS = 60.0
"""How long the hub waits for its own database before it says so (INTL-1002); a shorter timeout hides that answer."""


class WriteOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How bodies are written."""

    ids_as_numbers: bool = True


class ErrorOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Patterns by which an error's text is read; empty means the default of `table.py`."""

    code_pattern: str = ""
    id_in_text: str = ""


class IpaasOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `sink` block; `rate` is `N/SECONDSs`, `timeout` seconds of one call."""

    base_url: str
    system_id: int
    type: Literal["ipaas"] = "ipaas"
    api_key: Secret | None = None
    email_address: str | None = None
    password: Secret | None = None
    company_id: str | None = None
    client_id: str | None = None
    rate: str | None = None
    timeout: float = 90.0
    ca_file: str | None = None
    collision: CollisionForm = "update_and_link"
    match_first: bool = False
    version: str | dict[str, str] = "v2"
    urls: dict[str, str] = {}
    auth: dict[str, str] = {}
    paths: dict[str, str] = {}
    links: dict[str, str] = {}
    tables: dict[str, str] = {}
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    members: dict[str, dict[str, str]] = {}
    """Resource -> member as the plug-in names it -> name in the hub; an empty name leaves the member out."""
    write: WriteOptions = WriteOptions()
    errors: ErrorOptions = ErrorOptions()


def validate(options: IpaasOptions) -> None:
    """Check what the types cannot say; raises ConfigError naming the key."""
    _validate_address(options.base_url)
    _validate_credentials(options)
    if options.system_id <= 0:
        raise ConfigError("must be the subscription's id, a number above 0", path="sink.system_id")
    if options.timeout <= DATABASE_WAIT_SECONDS:
        raise ConfigError(
            f"must be above {DATABASE_WAIT_SECONDS:g} s, which the hub itself waits for its database",
            path="sink.timeout",
        )
    parse_rate(options.rate)
    for name in ("code_pattern", "id_in_text"):
        _validate_pattern(getattr(options.errors, name), f"sink.errors.{name}")


def _validate_address(base_url: str) -> None:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
        raise ConfigError(
            "must be an http(s) address without user, password or query, such as https://api.ipaas.com",
            path="sink.base_url",
        )


def _validate_credentials(options: IpaasOptions) -> None:
    login = {"email_address": options.email_address, "password": options.password}
    missing = [name for name, value in (login | {"company_id": options.company_id}).items() if not _is_set(value)]
    if _is_set(options.api_key):
        if any(map(_is_set, login.values())):
            raise ConfigError("give either api_key, or email_address and password, not both", path="sink.api_key")
    elif len(missing) == len(login) + 1:
        raise ConfigError("is missing (or email_address, password and company_id together)", path="sink.api_key")
    elif missing:
        raise ConfigError("is needed beside the other parts of the login", path=f"sink.{missing[0]}")
    if options.company_id:
        _validate_guid(options.company_id)


def _is_set(value: str | Secret | None) -> bool:
    return bool(value.reveal() if isinstance(value, Secret) else value)


def _validate_guid(text: str) -> None:
    try:
        uuid.UUID(text)
    except ValueError as error:
        raise ConfigError(
            "is not a company id such as 6b0f0d0e-1111-4222-8333-444455556666", path="sink.company_id"
        ) from error


def _validate_pattern(pattern: str, path: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ConfigError(f"is not a regular expression: {error}", path=path) from error
    if pattern and path.endswith("id_in_text") and groups != 1:
        raise ConfigError("needs exactly one group, which holds the id", path=path)
