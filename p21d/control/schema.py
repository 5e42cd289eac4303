"""The version of what goes over the control socket; it rises when a member changes its meaning or goes."""

from __future__ import annotations

SCHEMA_VERSION = 1
