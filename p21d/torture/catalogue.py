"""The faults that torture draws from: what a P21, a hub and the lines to them have been seen to do.

Each goes away by itself, and none is a lie that nobody could see through: a page of other rows than were asked for,
told with a good status, is in no catalogue. Kinds that meet only asynchronous writes are not in it either, since the
daemon never writes that way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from p21d.sandbox.fault import Fault

Side = Literal["p21", "hub"]
READS: dict[str, Any] = {"path": "*odata*"}
WRITES: dict[str, Any] = {"path": "*/api/v2/transaction", "method": "POST"}
CALLS: dict[str, Any] = {"path": "*/v2/*"}
CHANGES: dict[str, Any] = {"path": "*/v2/*", "method": "POST"}
UPDATES: dict[str, Any] = {"path": "*/v2/*", "method": "PUT"}


@dataclass(frozen=True, slots=True)
class Scripted:
    """A fault of one side, and how likely it meets each request it fits, in its weakest form and its strongest."""

    side: Side
    fault: Fault
    least: float
    most: float


def _of(side: Side, kind: Any, least: float, most: float, where: dict[str, Any], **how: Any) -> Scripted:
    return Scripted(side, Fault(kind=kind, **where, **how), least, most)


CATALOGUE: tuple[Scripted, ...] = (
    _of("p21", "status", 0.02, 0.2, READS, status=503),
    _of("p21", "status", 0.02, 0.1, READS, status=500, body="Internal Server Error"),
    _of("p21", "status", 0.02, 0.1, READS, status=429, headers={"Retry-After": "1"}),
    _of("p21", "status", 0.2, 0.8, {"path": "*/token*"}, status=500),
    _of("p21", "status_after", 0.02, 0.1, READS, status=502, body="<html>Bad Gateway</html>"),
    _of("p21", "drop_before", 0.02, 0.2, READS),
    _of("p21", "drop_after", 0.02, 0.2, READS),
    _of("p21", "reset", 0.02, 0.2, READS, cut=0.3),
    _of("p21", "truncate", 0.02, 0.2, READS),
    _of("p21", "truncate", 0.02, 0.1, READS, cut=0.7, honest=True),
    _of("p21", "html", 0.01, 0.1, READS),
    _of("p21", "bad_json", 0.01, 0.1, READS),
    _of("p21", "empty", 0.01, 0.05, READS),
    _of("p21", "slow", 0.1, 0.5, READS, seconds=0.2),
    _of("p21", "hang", 0.02, 0.1, READS, seconds=1.0),
    _of("p21", "hang_after", 0.02, 0.1, READS, seconds=1.0),
    _of("p21", "drop_before", 0.1, 0.5, WRITES),
    _of("p21", "drop_after", 0.1, 0.5, WRITES),
    _of("p21", "status_after", 0.1, 0.5, WRITES, status=500, body="Internal Server Error"),
    _of("p21", "hang_after", 0.1, 0.3, WRITES, seconds=1.0),
    _of("p21", "window_after", 0.1, 0.5, WRITES),
    _of("p21", "window_after", 0.1, 0.3, WRITES, status=500),
    _of("p21", "window_before", 0.1, 0.5, WRITES),
    _of("p21", "dirty_session", 0.1, 0.3, WRITES),
    _of("p21", "refuse_order", 0.05, 0.2, WRITES),
    _of("p21", "drop_line", 0.1, 0.5, WRITES),
    _of("p21", "lock_order", 0.1, 0.3, WRITES),
    _of("hub", "drop_after", 0.02, 0.3, CALLS),
    _of("hub", "drop_before", 0.02, 0.3, CALLS),
    _of("hub", "status", 0.02, 0.3, CALLS, status=503),
    _of("hub", "status", 0.02, 0.1, CALLS, status=429, headers={"Retry-After": "1"}),
    _of("hub", "status", 0.02, 0.1, CHANGES, status=500),
    _of("hub", "status_after", 0.05, 0.3, CHANGES, status=500),
    _of("hub", "status_after", 0.05, 0.3, UPDATES, status=504),
    _of("hub", "drop_after", 0.1, 0.4, CHANGES),
    _of("hub", "drop_after", 0.1, 0.4, UPDATES),
    _of("hub", "drop_after", 0.1, 0.5, {"path": "*/External/UpdateExternalId"}),
    _of("hub", "reset", 0.02, 0.2, CALLS, cut=0.5),
    _of("hub", "truncate", 0.02, 0.2, CALLS),
    _of("hub", "html", 0.02, 0.1, CHANGES),
    _of("hub", "bad_json", 0.02, 0.1, CHANGES),
    _of("hub", "empty", 0.02, 0.1, CHANGES),
    _of("hub", "slow", 0.1, 0.5, CALLS, seconds=0.1),
    _of("hub", "hang", 0.02, 0.1, CALLS, seconds=1.0),
    _of("hub", "hang_after", 0.02, 0.2, CHANGES, seconds=1.0),
)
