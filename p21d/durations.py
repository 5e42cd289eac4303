"""Durations as people write them: `30s`, `5m`, `1h`, `7d`, or 0; in code float seconds."""

from __future__ import annotations

import re

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smhd])")


def parse_duration(value: object) -> float:
    """Return the seconds of `5m`; raises ValueError, also for a bare number, whose unit nobody knows."""
    if value in (0, "0") and not isinstance(value, bool):
        return 0.0
    match = _FORM.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a duration such as 30s, 5m, 1h, 7d or 0")
    return float(match[1]) * _SECONDS[match[2]]


def duration_text(seconds: float) -> str | int:
    """Return a duration as people write it, in the largest unit that divides it; 0 stays 0."""
    if not seconds:
        return 0
    for unit, factor in reversed(_SECONDS.items()):
        if seconds % factor == 0:
            return f"{seconds / factor:.0f}{unit}"
    return f"{seconds:g}s"
