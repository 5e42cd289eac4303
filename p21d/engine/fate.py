"""Fates: how a row ends in a cycle, and the tally of them that has to add up."""

from __future__ import annotations

from enum import Enum

import msgspec


class Fate(Enum):
    """What became of a row (P1); the values name the tally's fields."""

    DELIVERED = "delivered"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    WAITING = "waiting"
    DEAD_LETTERED = "dead_lettered"


class Tally(msgspec.Struct, kw_only=True):
    """Rows by fate; the fates and `unfinished` (no fate yet: the cycle was interrupted) add up to `read`."""

    read: int = 0
    delivered: int = 0
    unchanged: int = 0
    skipped: int = 0
    waiting: int = 0
    dead_lettered: int = 0
    unfinished: int = 0

    def count(self, fate: Fate, rows: int = 1) -> None:
        """Count rows with one fate."""
        setattr(self, fate.value, getattr(self, fate.value) + rows)

    def close(self) -> None:
        """Count as unfinished every row that was read and has no fate."""
        self.unfinished = self.read - sum(getattr(self, fate.value) for fate in Fate)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
