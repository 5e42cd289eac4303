"""Whether a route takes records: tells one bad record from a sink that is down (P6)."""

from __future__ import annotations

from datetime import UTC, datetime

from p21d.clock import Clock

MAX_LONE_PARKS = 10
"""Different records parked, while nothing of the route succeeded, before that counts as an outage."""


class RouteHealth:
    """When the sink last took a record of one entity."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._succeeded_at = datetime.min.replace(tzinfo=UTC)
        self._parked_alone: set[str] = set()

    def succeeded(self) -> None:
        """Note that the sink has just taken a record."""
        self._succeeded_at = self._clock.now()
        self._parked_alone.clear()

    def succeeded_since(self, instant: datetime) -> bool:
        """Tell whether the sink took a record of this route after that instant."""
        return self._succeeded_at > instant

    def may_park_alone(self, key: str) -> bool:
        """Tell whether this record may be parked although no other has succeeded.

        One record counts once, however often it is tried: alone in a quiet entity it is no outage.
        """
        if len(self._parked_alone) < MAX_LONE_PARKS:
            self._parked_alone.add(key)
        return key in self._parked_alone
