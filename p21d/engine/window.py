"""Windows: from where a cycle reads, and how far its completion moves the watermark. Pure, no I/O.

A window has no upper bound. HIGH, fixed before the first page, is only where the watermark goes: a row changed behind
the reader carries a stamp at or after HIGH and is met in the next cycle. So the watermark never passes a row without
a fate.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from p21d.config import EntityConfig

WINDOW_KINDS = ("poll", "sweep", "sync")
"""Kinds that read a window; `release` reads given keys."""
MOVES_WATERMARK = frozenset({"poll", "sweep"})


def low_of(kind: str, settings: EntityConfig, now: datetime, watermark: datetime | None) -> datetime:
    """Return the instant from which a window of this kind reads; `now` is P21's.

    A poll reopens the overlap below the watermark; a sweep the whole look-back. Where the watermark is older than
    that, the watermark rules: downtime loses nothing.
    """
    look_back = now - timedelta(days=settings.poll_search_days)
    if watermark is None:
        return look_back
    reopened = watermark - timedelta(seconds=settings.overlap)
    return reopened if kind == "poll" else min(look_back, reopened)


def high_of(now: datetime, settle_seconds: float) -> datetime:
    """Return where the watermark goes when the window is completed: P21's now less the time rows take to settle."""
    return now - timedelta(seconds=settle_seconds)


def sweep_interval_seconds(settings: EntityConfig, last_sweep_seconds: float) -> float:
    """Return the time between sweeps: as configured, but never more than a tenth of the time."""
    return max(settings.sweep_interval or settings.poll_interval, 10 * last_sweep_seconds)
