"""What is known of the store's file: its path, whether it was found damaged, and whether it is still being checked.

Once anything has found it damaged, nothing is written to it any more: what SQLite would make of a write into broken
pages, nobody could mend.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from p21d.errors import StoreDamaged, StoreError, StoreFull
from p21d.store.failure import explained


class Condition:
    """The condition of the file at `path`; `unchecked` while nobody knows whether an unclean stop has damaged it.

    `failed` is true once SQLite could not do what was asked for another reason than a full disk.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: StoreDamaged | None = None
        self.unchecked = False
        self.failed = False

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn errors about the file into ours, and remember what they say of it."""
        try:
            with explained(self.path):
                yield
        except StoreError as error:
            if isinstance(error, StoreDamaged):
                self.damage = self.damage or error
            self.failed = self.failed or not isinstance(error, StoreFull)
            raise

    def refuse_damage(self) -> None:
        """Raise StoreDamaged once damage was found."""
        if self.damage is not None:
            raise StoreDamaged(self.damage.message, hint=self.damage.hint)

    @property
    def words(self) -> str:
        """Return what a person should know of the file now, empty where nothing."""
        if self.damage is not None:
            return str(self.damage)
        return "the store is being checked after an unclean stop; reading waits for it" if self.unchecked else ""

    @property
    def good(self) -> bool:
        """Tell whether the file is known to be whole."""
        return self.damage is None and not self.unchecked and not self.failed
