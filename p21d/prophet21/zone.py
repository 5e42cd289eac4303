"""The wall time of the P21 server, and the literal from which on to read.

Columns hold server-local time without a zone, so an instant becomes a wall reading before it is compared. The reading
is the earliest that this or any later instant carries: when clocks go back, a row changed at 06:10Z is stamped 01:10
although one changed at 05:50Z was stamped 01:50. Too early costs a few unchanged rows, too late loses rows.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

HORIZON = timedelta(hours=3)
"""No clock goes back by more."""
FIXED_MARGIN = timedelta(hours=1)
UNKNOWN_MARGIN = timedelta(hours=13)
"""The westernmost clock is 12 hours behind UTC, and its change of the clock may be unseen."""
JUDGED_AGE = timedelta(days=400)
"""Older stamps are printed by rules of their own year, on which Windows and IANA differ."""


class ServerZone:
    """Knows the zone of the P21 server: as configured, or as P21 prints it on its stamps, which wins.

    `notice` tells the operator of a disagreement and is empty without one.
    """

    def __init__(self, *, time_zone: str = "", time_zone_offset: str = "", date_literal: str = "offset") -> None:
        self.date_literal = date_literal
        self._setting = ("time_zone", time_zone) if time_zone else ("time_zone_offset", time_zone_offset)
        self._configured = _configured_zone(time_zone, time_zone_offset)
        self._printed: tzinfo | None = None
        self._newest: datetime | None = None
        self.notice = ""

    @property
    def name(self) -> str:
        """Return the zone in use, as text; it changes when the readings made with it no longer fit."""
        if self._printed:
            return offset_text(self._printed.utcoffset(None))
        return self._setting[1] or "unknown"

    @property
    def observed(self) -> bool:
        """Return whether P21 has shown its offset on a stamp of late."""
        return self._newest is not None

    def observe(self, stamp: str, now: datetime | None = None) -> None:
        """Learn from a stamp as P21 prints it; only the newest seen counts, and none that is long past or to come."""
        at = _parse_stamp(stamp)
        if at is None or (self._newest and at <= self._newest) or (now and not _judged(at, now)):
            return
        self._newest = at
        offset = at.utcoffset()
        expected = _offsets(self._configured, at.replace(tzinfo=None)) if self._configured else []
        # An offset alone never says when the clock changes: a configured IANA zone is better while it agrees.
        self._printed = None if offset in expected else timezone(offset or timedelta())
        self.notice = self._disagreement(offset, expected)

    def _disagreement(self, offset: timedelta | None, expected: list[timedelta]) -> str:
        if not self._configured or offset in expected:
            return ""
        key, value = self._setting
        said = offset_text(expected[0])
        says = f"{key} says {said}" if key == "time_zone_offset" else f"{key} {value} says {said}"
        return f"P21 prints {offset_text(offset)}, {says}; P21's is used"

    def low_literal(self, instant: datetime) -> str:
        """Return the literal for `modified ge`, such that no row changed at or after `instant` is left out."""
        return self.literal(earliest_wall(instant, self._zone) - self._margin())

    def literal(self, wall: datetime, form: str = "") -> str:
        """Write a wall reading of the server, in the form in use or in another; one that has a zone keeps it."""
        zone = wall.tzinfo or self._zone
        match form or self.date_literal:
            case "wall_z":
                return f"{_text(wall)}Z"
            case "utc":
                return f"{_text(wall.replace(tzinfo=zone, fold=0).astimezone(UTC))}Z"
            case "plain":
                return _text(wall)
        return _text(wall) + offset_text(wall.replace(tzinfo=zone, fold=0).utcoffset())

    def local_date(self, instant: datetime) -> date:
        """Return the date that the server's clock shows at an instant."""
        return instant.astimezone(self._zone).date()

    @property
    def _zone(self) -> tzinfo:
        return self._printed or self._configured or UTC

    def _margin(self) -> timedelta:
        if not self._printed and not self._configured:
            return UNKNOWN_MARGIN
        # A bare offset may be summer's or winter's: P21's clock may have changed since its newest stamp was seen.
        return timedelta() if isinstance(self._printed or self._configured, ZoneInfo) else FIXED_MARGIN


def earliest_wall(instant: datetime, zone: tzinfo) -> datetime:
    """Return the earliest naive wall reading that an instant at or after this one carries in the zone."""
    before, after = instant, instant + HORIZON
    old = _offset_at(before, zone)
    if _offset_at(after, zone) >= old:
        return _wall(instant, zone)
    while after - before > timedelta(microseconds=1):
        middle = before + (after - before) / 2
        if _offset_at(middle, zone) == old:
            before = middle
        else:
            after = middle
    return min(_wall(instant, zone), _wall(after, zone))


def offset_text(offset: timedelta | None) -> str:
    """Return an offset as P21 prints it: `-05:00`."""
    minutes = round((offset or timedelta()).total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _configured_zone(time_zone: str, time_zone_offset: str) -> tzinfo | None:
    if time_zone:
        return ZoneInfo(time_zone)
    if time_zone_offset:
        return datetime.strptime(time_zone_offset, "%z").tzinfo
    return None


def _judged(at: datetime, now: datetime) -> bool:
    return now - JUDGED_AGE <= at <= now + timedelta(days=1)


def _offsets(zone: tzinfo, wall: datetime) -> list[timedelta]:
    both = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return [offset for offset in both if offset is not None]


def _parse_stamp(stamp: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _offset_at(instant: datetime, zone: tzinfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _wall(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _text(wall: datetime) -> str:
    # Cut to milliseconds, never rounded up: a later literal could leave a row out.
    return wall.replace(tzinfo=None).isoformat(timespec="milliseconds")
