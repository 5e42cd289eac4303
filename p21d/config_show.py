"""Shows a Config as `p21d config show` prints it: every key, as it would stand in the file, and no secret."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, get_args

import msgspec

from p21d.blocks import plain_type, unit
from p21d.config import Config, Settings
from p21d.durations import duration_text
from p21d.redactor import Redactor
from p21d.references import Resolved
from p21d.secret import Secret
from p21d.sizes import size_text


def redacted(config: Config) -> dict[str, Any]:
    """Return every setting in YAML's own types; a secret shows the reference it was read through, or `***`."""
    shown: dict[str, Any] = _shown(config, Settings, Redactor(config.secrets))
    return shown


def _shown(value: Any, type_: Any, redactor: Redactor) -> Any:
    if isinstance(value, Secret):
        return value.reference if isinstance(value, Resolved) else str(value)
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(plain_type(type_))
        return {field.encode_name: _shown(getattr(value, field.name), field.type, redactor) for field in fields}
    inner = get_args(plain_type(type_))
    if isinstance(value, dict):
        return {key: _shown(item, inner[-1] if inner else Any, redactor) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(item, inner[0] if inner else Any, redactor) for item in value]
    return _leaf(value, unit(type_), redactor)


def _leaf(value: Any, unit_name: str, redactor: Redactor) -> Any:
    if isinstance(value, float) and unit_name == "seconds":
        return duration_text(value)
    if isinstance(value, int) and unit_name == "bytes":
        return size_text(value)
    if isinstance(value, (str, Path, date)):
        return redactor.text(str(value))
    return value
