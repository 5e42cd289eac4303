"""How far a window has come: the key reached moves over the contiguous prefix of finished segments.

Batches finish out of order. A later one that is finished does not move the key past an earlier one that is not, so a
restart meets every row without a fate again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Segment:
    """Consecutive rows of a window; `last` is the text of the key of its last row."""

    last: str
    finished: bool = False


class Progress:
    """The segments of one window, in key order."""

    def __init__(self, reached: str = "") -> None:
        self.reached = reached
        self._newest = reached
        self._segments: deque[Segment] = deque()

    def begin(self, last: str) -> Segment:
        """Add the next segment, which ends with that key; without a key it ends where the one before it does."""
        self._newest = last or self._newest
        segment = Segment(self._newest)
        self._segments.append(segment)
        return segment

    def finish(self, segment: Segment) -> str:
        """Mark a segment whose rows all have a fate, and return the key now reached."""
        segment.finished = True
        while self._segments and self._segments[0].finished:
            self.reached = self._segments.popleft().last
        return self.reached

    def would_reach(self, segment: Segment) -> str:
        """Return the key that finishing this segment would reach, without finishing it."""
        reached = self.reached
        for other in self._segments:
            if other is not segment and not other.finished:
                break
            reached = other.last
        return reached
