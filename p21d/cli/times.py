"""Instants and spans as a person reads them at a terminal."""

from __future__ import annotations

from datetime import datetime

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s"))


def span_text(seconds: float | None) -> str:
    """Return a span in its largest fitting unit: `12s`, `5m`, `3h`, `2d`; `-` for none."""
    if seconds is None:
        return "-"
    for size, unit in _UNITS:
        if seconds >= 2 * size or unit == "s":
            return f"{max(0, int(seconds / size))}{unit}"
    return "-"


def left_text(seconds: float) -> str:
    """Return how long something still takes, as roughly as it is known: `about 4 min left`."""
    if seconds < 60:
        return "less than a minute left"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.0f} h left"


def ago(instant: datetime | None, now: datetime) -> str:
    """Return how long before `now` the instant is."""
    return "-" if instant is None else span_text((now - instant).total_seconds())


def local_text(instant: datetime | None) -> str:
    """Return month, day, hour and minute of an instant in this machine's zone."""
    return "-" if instant is None else instant.astimezone().strftime("%m-%d %H:%M")


def local_seconds_text(instant: datetime) -> str:
    """Return an instant to the second in this machine's zone."""
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def read_instant(text: str) -> datetime:
    """Return the aware instant of an ISO date or time; without a zone it is this machine's. Raises ValueError."""
    return datetime.fromisoformat(text.strip()).astimezone()
