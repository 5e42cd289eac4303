"""Reads the configuration file into a checked Config.

No message quotes the file: a line of it may hold a password.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from p21d.blocks import convert_block
from p21d.config import Config, ControlConfig, Settings
from p21d.config_check import check_settings, refuse_later_keys
from p21d.errors import ConfigError, PermissionRefused
from p21d.references import READABLE_BY_OTHERS, WRITABLE_BY_OTHERS, References, Resolved
from p21d.secret import Secret

_SECRET_KEY = re.compile(r"password|secret|token|key$|authorization|cookie", re.IGNORECASE)


def load_config(path: Path | str, *, environment: Mapping[str, str] = os.environ) -> Config:
    """Read, resolve and check the file; raises ConfigError (78) with the path of the key, or PermissionRefused (77)."""
    source = Path(path)
    raw = _read(source)
    refuse_later_keys(raw)
    references = References(environment)
    resolved = references.resolve(raw, "")
    if isinstance(resolved.get("sink"), dict):
        resolved["sink"] = _wrapped(resolved["sink"])
    settings = convert_block(resolved, Settings, "")
    check_settings(settings)
    settings = _without_trailing_slash(settings)
    inline = [secret for secret in _secrets(settings) if not isinstance(secret, Resolved)]
    return Config(
        **{name: getattr(settings, name) for name in settings.__struct_fields__},
        source=source,
        warnings=(*references.warnings, *_open_file_warnings(source, inline)),
        secrets=(*references.secrets, *inline),
    )


def control_socket(path: Path | str) -> Path:
    """Return the control socket the file names, without resolving its secrets: who asks may not be allowed to."""
    raw = _read(Path(path))
    return convert_block({"control": raw.get("control")}, _ControlOnly, "").control.socket


def _read(source: Path) -> dict[str, Any]:
    try:
        text = source.read_text("utf-8")
    except PermissionError as error:
        hint = f"user {os.geteuid()} needs read permission"
        raise PermissionRefused(f"the configuration {source} is not readable", hint=hint) from error
    except OSError as error:
        hint = "name another with --config or P21D_CONFIG"
        raise ConfigError(f"no configuration at {source}: {error.strerror}", hint=hint) from error
    except UnicodeDecodeError:
        raise ConfigError(f"{source} is not UTF-8 text") from None  # not chained: the error holds the file
    return _parse(text, source)


def _parse(text: str, source: Path) -> dict[str, Any]:
    try:
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506  # _Loader is a SafeLoader
    except yaml.MarkedYAMLError as error:
        # not chained, and quoted parts cut out: both can hold a password
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        problem = re.sub(r"'.*'", "'...'", error.problem or "not YAML")
        raise ConfigError(f"{source}, {where}: {problem}", hint="quote text that holds : # * & ! % @") from None
    except (yaml.YAMLError, ValueError):
        raise ConfigError(f"{source} holds a character or value that YAML does not allow") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{source} is empty" if raw is None else f"{source} must be a block of keys")
    return raw


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice; plain PyYAML silently takes the last."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in keys:
                raise ConfigError("stands twice in one block", path=f"line {key.start_mark.line + 1}, key {key.value}")
            keys.add(str(key.value))
        return node


class _ControlOnly(msgspec.Struct, frozen=True):
    control: ControlConfig = msgspec.field(default_factory=ControlConfig)


def _without_trailing_slash(settings: Settings) -> Settings:
    p21 = settings.prophet21
    urls = {name: getattr(p21, name).rstrip("/") for name in ("api_url", "ui_server_url")}
    return msgspec.structs.replace(settings, prophet21=msgspec.structs.replace(p21, **urls))


def _wrapped(block: dict[str, Any]) -> dict[str, Any]:
    """Return a sink's block with each inline secret wrapped, known by its key's name; the sink's Struct comes later."""
    wrapped: dict[str, Any] = {}
    for key, value in block.items():
        if isinstance(value, str) and _SECRET_KEY.search(str(key)):
            wrapped[key] = Secret(value)
        elif key == "headers" and isinstance(value, dict):
            wrapped[key] = _wrapped(value)
        else:
            wrapped[key] = value
    return wrapped


def _secrets(value: Any) -> list[Secret]:
    if isinstance(value, Secret):
        return [value]
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [secret for item in items for secret in _secrets(item)]


def _open_file_warnings(source: Path, inline: list[Secret]) -> Iterator[str]:
    mode = source.stat().st_mode
    if inline and mode & READABLE_BY_OTHERS:
        yield f"{source} holds a secret and is readable by everyone (chmod o-r {source})"
    if mode & WRITABLE_BY_OTHERS:
        yield f"{source} may be written by everyone, who could send the credentials elsewhere (chmod o-w {source})"
