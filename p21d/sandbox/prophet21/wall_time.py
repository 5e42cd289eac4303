"""P21's own time: server-local wall time without a zone, in SQL Server `datetime` ticks of 1/300 second.

A stored time is the text P21 shows without its offset (`2026-11-02T10:04:11.507`, no fraction when it is zero), so
that text order is time order and an index works. The tick behind `.507` is 1/3 ms away from the text; `tick_floor` and
`tick_ceiling` bring a literal to the texts around it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from p21d.clock import Clock
    from p21d.sandbox.prophet21.settings import Settings


def tick_floor(wall: datetime) -> str:
    """Return the text of the latest tick that is not after `wall`."""
    return _tick_text(wall, wall.microsecond * 3 // 10_000)


def tick_ceiling(wall: datetime) -> str:
    """Return the text of the earliest tick that is not before `wall`."""
    return _tick_text(wall, -(-wall.microsecond * 3 // 10_000))


def tick_nearest(wall: datetime) -> str:
    """Return the text of the tick SQL Server rounds `wall` to."""
    return _tick_text(wall, (wall.microsecond * 3 + 5_000) // 10_000)


def _tick_text(wall: datetime, tick: int) -> str:
    millis = (tick * 10 + 1) // 3  # 0, 3, 7, 10, ... as SQL Server shows them
    whole = wall.replace(microsecond=0, tzinfo=None)
    if millis == 1000:  # the tick of the next second
        whole, millis = whole + timedelta(seconds=1), 0
    text = whole.isoformat()
    return f"{text}.{millis:03d}" if millis else text


class WallTime:
    """Turn instants into P21's wall time and tell the offset it prints, in the zone the settings name now."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.offsets = Offsets(ZoneInfo(settings.zone))

    def now(self) -> datetime:
        """Return P21's present instant, aware, in UTC: the true one plus the skew."""
        return self._clock.now() + timedelta(seconds=self._settings.clock_skew_seconds)

    def local_now(self) -> datetime:
        """Return P21's present wall time, naive."""
        return self.local(self.now())

    def local(self, instant: datetime) -> datetime:
        """Return the wall time, naive, of an aware instant."""
        return instant.astimezone(self.zone()).replace(tzinfo=None)

    def text(self, when: datetime) -> str:
        """Return the stored form of an aware instant or a naive wall time."""
        return tick_nearest(when if when.tzinfo is None else self.local(when))

    def zone(self) -> ZoneInfo:
        """Return the zone of the settings."""
        if self._settings.zone != self.offsets.zone.key:
            self.offsets.change_zone(ZoneInfo(self._settings.zone))
        return self.offsets.zone


class Offsets(dict[str, str]):
    """Map the hour of a stored time (`2026-11-02T10`) to the offset P21 prints behind it (`-05:00`).

    Why a dict: SQLite calls it for every time of every row, and its `__getitem__` costs a quarter of a function.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self.zone = zone

    def change_zone(self, zone: ZoneInfo) -> None:
        """Forget what was true in the old zone."""
        self.zone = zone
        self.clear()

    def __missing__(self, hour: str) -> str:
        offset = self[hour] = _offset_text(datetime.fromisoformat(hour), self.zone)
        return offset


def _offset_text(wall: datetime, zone: ZoneInfo) -> str:
    """Return the offset of a wall time; in a doubled or missing hour .NET takes standard time, the smaller offset."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    minutes = int(min(first, second).total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def parse_literal(text: str) -> datetime:
    """Return a date or date-time literal as datetime, aware when it names a zone; raise ValueError for no such day."""
    head, dot, tail = text.partition(".")
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    zone = tail[len(digits) :]
    fraction = f".{digits[:6]:0<6}" if dot else ""
    return datetime.fromisoformat(f"{head}{fraction}{zone}".upper())
