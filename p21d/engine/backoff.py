"""How long to wait before the next attempt, exponential with full jitter, or before the next poll.

What the other side asked for is honoured.
"""

from __future__ import annotations

import random

MAX_ASKED_SECONDS = 900.0
"""A Retry-After beyond this is cut: a wrong clock on the other side must not silence an entity for a day."""
JITTER = 0.1


def backoff_seconds(attempt: int, *, first: float = 1.0, most: float = 60.0, asked: float | None = None) -> float:
    """Return the wait after the given attempt (from 1); never less than what the other side asked for."""
    ceiling = min(most, first * 2 ** min(attempt - 1, 30))
    wait = random.uniform(0, ceiling)
    return max(wait, min(asked or 0.0, MAX_ASKED_SECONDS))


def jittered(seconds: float) -> float:
    """Return the interval changed by up to a tenth, so that entities do not all poll at once."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)
