"""What `GET /v1/events` answers: one of these a line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class EventAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line of `GET /v1/events`; in place of events that the client did not take stands `lost` with their `count`.

    `detail` holds the other members of the log's line.
    """

    schema_version: int
    event: str
    at: datetime | None = None
    level: str = ""
    entity: str = ""
    count: int = 0
    detail: dict[str, Any] = {}
