"""A hub to try p21d against: the record, link and sign-in calls of iPaaS.com over SQLite, strict where it is strict."""

from __future__ import annotations

from p21d.sandbox.hub.refusal import RefusedError
from p21d.sandbox.hub.server import COMPANY_ID, HubSandbox
from p21d.sandbox.hub.settings import OTHER_SYSTEM, HubSettings

__all__ = ["COMPANY_ID", "OTHER_SYSTEM", "HubSandbox", "HubSettings", "RefusedError"]
