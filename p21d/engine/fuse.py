"""Tells one odd row from a plug-in that is broken: after many failures in a row its entity is held, not its rows lost.

Many failures with no row built between them, or a few calls that did not come back, blow the fuse: the page that shows
it stays undecided, its rows have no fate and the window stays where it is, until a person has mended the plug-in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from p21d.engine.work import Work
from p21d.errors import PluginFailed
from p21d.store.dead_letter import DeadLetter

MAX_IN_A_ROW = 50
MAX_LOOPS = 3
"""Each stops the whole daemon for seconds, so they count wherever they come."""
FAILED = "plug-in"
"""The code of a dead letter for a row at which the plug-in failed."""
LOOPED = "plug-in-loop"
"""The code of a dead letter for a row from which the plug-in did not come back."""
UNDECODABLE = "row"
"""The code of a dead letter for a row that is not of the types that the plug-in declares."""


class Fuse:
    """The failures of one entity's plug-in; `when_over` is called when a hold for them has ended."""

    def __init__(self, entity: str, plugin: str) -> None:
        self.when_over: Callable[[], None] = lambda: None
        self._entity = entity
        self._plugin = plugin
        self._in_a_row = 0
        self._loops = 0
        self._first: DeadLetter | None = None
        self._first_loop: DeadLetter | None = None

    def check(self) -> None:
        """Raise PluginFailed where the plug-in must not be called any more: it would stop the whole daemon again."""
        if self._loops >= MAX_LOOPS and self._first_loop is not None:
            raise self._failed(f"{MAX_LOOPS} times it did not come back", self._first_loop)

    def note(self, work: Work) -> None:
        """Count a row from which the plug-in did not come back; raises PluginFailed for the last one it may have."""
        if letter := next((letter for letter in work.letters if letter.code == LOOPED), None):
            self._loops += 1
            self._first_loop = self._first_loop or letter
            self.check()

    def judge(self, works: Iterable[Work]) -> None:
        """Count the failures of a page, in its order; raises PluginFailed for what is not a row's own fault."""
        undecodable: list[DeadLetter] = []
        built = False
        for work in works:
            letter = next((letter for letter in work.letters if letter.code in (FAILED, LOOPED, UNDECODABLE)), None)
            if letter is None:
                built = True
                self._row_built()
            elif letter.code == UNDECODABLE:
                undecodable.append(letter)  # they stand before the others, wherever they were in the page
            else:
                self._count(letter)
        if not built:
            for letter in undecodable:
                self._count(letter)
        self.check()
        if self._in_a_row >= MAX_IN_A_ROW and self._first is not None:
            raise self._failed(f"it fails for {MAX_IN_A_ROW} rows and more in a row", self._first)

    def forget(self) -> None:
        """Begin anew: all rows have a fate, or a person says that the cause is gone."""
        was_blown = self._in_a_row >= MAX_IN_A_ROW or self._loops >= MAX_LOOPS
        self._in_a_row = self._loops = 0
        self._first = self._first_loop = None
        if was_blown:
            self.when_over()

    def _row_built(self) -> None:
        was_blown = self._in_a_row >= MAX_IN_A_ROW
        self._in_a_row, self._first = 0, None
        if was_blown and self._loops < MAX_LOOPS:
            self.when_over()

    def _count(self, letter: DeadLetter) -> None:
        self._in_a_row += 1
        self._first = self._first or letter

    def _failed(self, what: str, first: DeadLetter) -> PluginFailed:
        message = f"plug-in {self._plugin}: {what}; the first: {self._entity} {first.key}: {first.error}"
        return PluginFailed(message, hint=f"mend it, then p21d reload; p21d resume {self._entity} tries it as it is")
