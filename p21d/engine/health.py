"""Whether a route takes records: tells one bad record from a sink that is down (P6)."""

from __future__ import annotations

from datetime import UTC, datetime

from p21d.clock import Clock

MAX_LONE_PARKS = 10
"""Records parked in a row, while nothing of the route succeeded, before that counts as an outage."""


class RouteHealth:
    """When the sink last took a record of one entity."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._succeeded_at = datetime.min.replace(tzinfo=UTC)
        self._lone_parks = 0

    def succeeded(self) -> None:
        """Note that the sink has just taken a record."""
        self._succeeded_at = self._clock.now()
        self._lone_parks = 0

    def succeeded_since(self, instant: datetime) -> bool:
        """Tell whether the sink took a record of this route after that instant."""
        return self._succeeded_at > instant

    def may_park_alone(self) -> bool:
        """Tell whether one more record may be parked although no other has succeeded; counts it."""
        self._lone_parks += 1
        return self._lone_parks <= MAX_LONE_PARKS
