"""A P21 simulator to try against: a real HTTP server over SQLite that keeps P21's traps."""

from __future__ import annotations

from p21d.sandbox.prophet21.database import Database
from p21d.sandbox.prophet21.sandbox import P21Sandbox
from p21d.sandbox.prophet21.settings import Settings

__all__ = ["Database", "P21Sandbox", "Settings"]
