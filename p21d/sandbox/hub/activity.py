"""What the hub does after a commit: a hook to every other subscribed system, a log header under the tracking guid."""

from __future__ import annotations

from collections import deque
from typing import Any

from p21d.clock import Clock
from p21d.sandbox.hub.database import Stored
from p21d.sandbox.hub.ids import Ids
from p21d.sandbox.hub.settings import HubSettings

KEPT = 2000
"""How many hooks, and how many log headers, are kept."""


class Activity:
    """Count committed writes, raise hooks to the other systems, keep log headers by tracking guid."""

    def __init__(self, settings: HubSettings, clock: Clock, *, system_id: int) -> None:
        self.writes = 0
        self.hooks: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.hooks_received: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._headers: dict[str, dict[str, Any]] = {}
        self._settings = settings
        self._clock = clock
        self._system_id = system_id
        self._ids = Ids(settings)

    def committed(self, record: Stored, action: str, tracking_guid: str) -> None:
        """Note one committed write by our system; the author gets no hook of its own."""
        self.writes += 1
        scope = f"{record.kind.scope}/{action}"
        for system in self._settings.systems:
            if system != self._system_id:
                self.hooks.append(self._notification(record, scope, system, tracking_guid))
        if tracking_guid:
            self._log(record, scope, tracking_guid)

    def header(self, tracking_guid: str) -> dict[str, Any] | None:
        """Return the log header of a tracking guid with its details, or None."""
        return self._headers.get(tracking_guid.lower())

    def _notification(self, record: Stored, scope: str, system: int, tracking_guid: str) -> dict[str, Any]:
        return {
            "action": scope.rpartition("/")[2],
            "id": self._ids.show_text(record.id),
            "external_id": None,
            "destination": str(system),
            "scope": scope,
            "type": "FROM",
            "tracking_guid": tracking_guid or None,
        }

    def _log(self, record: Stored, scope: str, tracking_guid: str) -> None:
        now, key = self._clock.now().isoformat(), tracking_guid.lower()
        if key not in self._headers and len(self._headers) >= KEPT:
            del self._headers[next(iter(self._headers))]
        header = self._headers.setdefault(
            key,
            {
                "id": tracking_guid,
                "name": scope,
                "direction": "TO",
                "system_id": self._system_id,
                "mapping_collection_type": record.kind.name,
                "internal_id": self._ids.show_text(record.id),
                "external_id": None,
                "start_timestamp": now,
                "status": "Complete",
                "details": [],
            },
        )
        activity = {"application": record.kind.family, "activity": scope, "status": "Complete"}
        header["details"].append({**activity, "activity_timestamp": now, "details": f"{scope} {record.id}"})
