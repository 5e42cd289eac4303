"""Rules a Struct cannot say: keys that exclude each other, addresses, zones, and keys of later versions."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from string import Formatter
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from p21d.blocks import joined, nearest
from p21d.config import Config, OrdersConfig, Prophet21Config, Settings
from p21d.errors import ConfigError

LATER_KEYS = ("metrics",)
"""Keys of the design this version does not act on; refused, as a key that does nothing would mislead."""

_OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d")


def refuse_later_keys(raw: Mapping[str, Any]) -> None:
    """Raise ConfigError for a key of a later version, even if it is null."""
    for pattern in LATER_KEYS:
        for path in _found(raw, pattern.split("."), ""):
            raise ConfigError("is not in this version yet", path=path, hint="remove it")


def check_settings(settings: Settings) -> None:
    """Raise ConfigError for the first broken rule."""
    check_url(settings.prophet21.api_url, "prophet21.api_url", may_have_path=False)
    if settings.prophet21.ui_server_url:
        check_url(settings.prophet21.ui_server_url, "prophet21.ui_server_url", may_have_path=True)
    _check_credentials(settings.prophet21)
    _check_zone(settings.prophet21)
    _check_companies(settings.prophet21.companies)
    if not settings.sink.get("type"):
        raise ConfigError("is required", path="sink.type", hint="ipaas, jsonl or webhook")
    _check_orders(settings.orders)
    for name, entity in settings.entities.items():
        _check_template(entity.external_id, f"entities.{name}.external_id")


def check_url(url: str, path: str, *, may_have_path: bool) -> None:
    """Raise ConfigError unless `url` is http(s) and a host, with a path and query only where they may stand."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed on access
    except ValueError as error:
        raise ConfigError("is not a URL", path=path) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("must begin with https:// or http:// and a host name", path=path)
    if parts.username or parts.password:
        raise ConfigError("must not hold a user or password", path=path, hint="they have keys of their own")
    if not may_have_path and (parts.path.strip("/") or parts.query or parts.fragment):
        raise ConfigError("must end after the host name", path=path, hint=f"{parts.scheme}://{parts.hostname}")


def check_entity_names(config: Config, known: Collection[str]) -> None:
    """Raise ConfigError for an entity in the file that no plug-in declares, with the nearest name."""
    for name in config.entities:
        if name not in known:
            raise ConfigError("no plug-in has this entity", path=f"entities.{name}", hint=nearest(name, known))


def _found(block: Any, pattern: list[str], path: str) -> list[str]:
    if not pattern:
        return [path]
    if not isinstance(block, Mapping):
        return []
    keys = [key for key in block if pattern[0] in {"*", key}]
    return [found for key in keys for found in _found(block[key], pattern[1:], joined(path, key))]


def _check_credentials(prophet21: Prophet21Config) -> None:
    if prophet21.consumer_key:
        # a user name beside a consumer key says who the writes are attributed to (facts 2.2)
        if prophet21.password:
            raise ConfigError("stands beside password", path="prophet21.consumer_key", hint="give one of them")
        return
    if not prophet21.username and not prophet21.password:
        hint = "give username and password, or consumer_key"
        raise ConfigError("no credentials", path="prophet21", hint=hint)
    if not prophet21.username:
        raise ConfigError("is required beside password", path="prophet21.username")
    if not prophet21.password:
        raise ConfigError("is required beside username", path="prophet21.password")


def _check_zone(prophet21: Prophet21Config) -> None:
    zone, offset = prophet21.time_zone, prophet21.time_zone_offset
    if zone and offset:
        raise ConfigError("stands beside time_zone_offset", path="prophet21.time_zone", hint="give one of them")
    if not zone and not offset:
        hint = "the zone of P21's database server, America/New_York for example"
        raise ConfigError("is required", path="prophet21.time_zone", hint=hint)
    if offset and not _OFFSET.fullmatch(offset):
        raise ConfigError('expected an offset such as "-05:00"', path="prophet21.time_zone_offset")
    if zone:
        _check_zone_name(zone)


def _check_zone_name(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        # OSError: `America` is a folder of zones
        close = nearest(zone, available_timezones())
        hint = close if close.startswith("did") else "America/New_York, America/Chicago, America/Denver ..."
        raise ConfigError("no such time zone", path="prophet21.time_zone", hint=hint) from error


def _check_companies(companies: tuple[str, ...]) -> None:
    for index, company in enumerate(companies):
        if not company.strip() or company in companies[:index]:
            raise ConfigError("is empty or stands twice", path=f"prophet21.companies[{index}]")


def _check_orders(orders: OrdersConfig) -> None:
    if not re.fullmatch("[a-z][a-z0-9_]*", orders.reference_field):
        hint = "po_no, job_name, or the name of a field of yours on P21's order window"
        raise ConfigError("is not the name of a field", path="orders.reference_field", hint=hint)
    _check_reference(orders.reference)
    if not orders.enabled:
        return
    if not orders.not_before:
        hint = "a day such as 2026-12-01: orders created before it are left alone"
        raise ConfigError("is required where orders are enabled", path="orders.not_before", hint=hint)
    for key in ("types", "statuses"):
        if not getattr(orders, key):
            hint = "set orders.enabled: false to write none"
            raise ConfigError("names none, so that no order would ever be written", path=f"orders.{key}", hint=hint)


def _check_reference(reference: str) -> None:
    path, hint = "orders.reference", 'such as "{buyer_po} {ref}"; {ref} is what finds the order again in P21'
    try:
        parts = [part for _, *part in Formatter().parse(reference) if part[0] is not None]
    except ValueError as error:
        raise ConfigError(f"is not a template: {error}", path=path, hint=hint) from error
    names = [name for name, *_ in parts]
    if names.count("ref") != 1 or any(name not in {"ref", "buyer_po"} for name in names):
        raise ConfigError("must hold {ref} once, and beside it nothing but {buyer_po}", path=path, hint=hint)
    if any(form or conversion for _, form, conversion in parts):
        raise ConfigError("must hold its values as they are, without : and !", path=path, hint=hint)


def _check_template(template: str, path: str) -> None:
    if not template:
        return
    try:
        names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ConfigError(f"is not a template: {error}", path=path) from error
    if not all(names) or not names:
        raise ConfigError("must hold at least one column, as in {item_id}", path=path)
