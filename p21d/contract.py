"""How a broken contract of a plug-in is told to its author."""

from __future__ import annotations


class BrokenContract(AssertionError):
    """A plug-in does something the core cannot live with; the message says what."""


def expect(condition: bool, message: str) -> None:  # noqa: FBT001  # reads as an assertion
    """Raise BrokenContract unless the condition holds."""
    if not condition:
        raise BrokenContract(message)
