"""Counts of rows by fate: their words and the exit code they mean."""

from __future__ import annotations

import msgspec

from p21d.control.answers import SyncAnswer
from p21d.engine.fate import Tally


def tally_text(tally: Tally) -> str:
    """Return the counts that are not 0 in one line, `12 read: 10 delivered, 2 unchanged`."""
    counts = msgspec.to_builtins(tally)
    read = counts.pop("read")
    parts = [f"{count} {fate.replace('_', '-')}" for fate, count in counts.items() if count]
    return f"{read} read: {', '.join(parts)}" if parts else f"{read} read"


def exit_code(tally: Tally, *, missing: int) -> int:
    """Return 0 when every key is delivered, unchanged, skipped or waiting; 1 when one is not, or P21 lacks it."""
    return 1 if tally.dead_lettered or tally.unfinished or missing else 0


def missing_count(answer: SyncAnswer) -> int:
    """Return how many keys P21 does not have; a daemon that counts none still lists them."""
    return max(answer.missing_count, len(answer.missing))
