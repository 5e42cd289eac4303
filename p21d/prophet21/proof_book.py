"""Where what was proven of this P21 is written down, so that a restart does not prove it again.

Only what is good is written down: what is not is asked again, as somebody may have mended it.
"""

from __future__ import annotations

from typing import Protocol


class ProofBook(Protocol):
    """Results by name, each good for one build of P21."""

    async def known(self, name: str, build: str) -> str | None:
        """Return the result kept for this build, None where there is none."""
        ...

    async def keep(self, results: dict[str, str], build: str) -> None:
        """Keep results by name; those of another build under these names are forgotten."""
        ...


class MemoryBook:
    """A book that forgets with the process."""

    def __init__(self) -> None:
        self._results: dict[str, tuple[str, str]] = {}

    async def known(self, name: str, build: str) -> str | None:
        """Return the result kept for this build, None where there is none."""
        kept_build, result = self._results.get(name, ("", None))
        return result if kept_build == build else None

    async def keep(self, results: dict[str, str], build: str) -> None:
        """Keep results by name."""
        self._results |= {name: (build, result) for name, result in results.items()}
