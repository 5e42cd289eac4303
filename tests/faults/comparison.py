"""Asserts that both sides agree, by the comparison that `p21d torture` makes."""

from __future__ import annotations

from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.torture.comparison import differences
from p21d.torture.found import arrived, repeated
from p21d.torture.wanted import expected, living

__all__ = ["arrived", "assert_in_step", "expected", "living"]


def assert_in_step(p21: P21Sandbox, hub: HubSandbox, *entities: str) -> None:
    """Compare these entities, all by default: nothing missing, nothing more, nothing else, nothing twice."""
    assert [str(difference) for difference in differences(p21, hub, *entities)] == []
    assert repeated(hub) == []
