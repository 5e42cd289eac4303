"""P21's now: the `Date` header of its last answer, carried on by a clock that never jumps.

Never the box's wall clock: a box five minutes fast would set watermarks past rows not yet written. What is told here is
never later than P21's own time, as the header is older than the end of its answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from p21d.clock import Clock

HEADER_STEP = timedelta(seconds=1)
"""The header has whole seconds."""


class ServerClock:
    """Follows the clock of the P21 server; `skew_seconds` is how far it is ahead of the box's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._date: datetime | None = None
        self._seen_at = 0.0
        self.last_answer_at: datetime | None = None
        self.skew_seconds = 0.0

    def observe(self, date: datetime | None, *, asked_at: datetime) -> None:
        """Take in the `Date` of an answer to a request made at `asked_at` by the box's clock."""
        self.last_answer_at = self._clock.now()
        if date is None:
            return
        self._date = date
        self._seen_at = self._clock.monotonic()
        # Somewhere between question and answer is no skew: a slow answer must not look like a wrong clock.
        nearest = min(max(date, asked_at - HEADER_STEP), self.last_answer_at)
        self.skew_seconds = (date - nearest).total_seconds()

    def now(self) -> datetime | None:
        """Return P21's present instant in UTC; None before its first answer with a date."""
        if self._date is None:
            return None
        return self._date + timedelta(seconds=self._clock.monotonic() - self._seen_at)
