"""Why records are dead letters, each root cause once: a refused company takes its orders and their parcels along.

Each of those repeats the cause in its own words, so a list of them all would say the same thing again and again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from p21d.control.answers import DeadLetterAnswer

Named = tuple[str, str]
"""Entity and key of a record."""


@dataclass(slots=True)
class Cause:
    """One root cause, and how many other records it took along, by entity."""

    text: str
    others: Counter[str] = field(default_factory=Counter)

    @property
    def went_with_it(self) -> str:
        """Return `5 records went with it: transaction 4, invoice 1`, empty where none did."""
        count = self.others.total()
        names = ", ".join(f"{name} {times}" for name, times in sorted(self.others.items()))
        return f"{count} record{'' if count == 1 else 's'} went with it: {names}" if count else ""


def causes(letters: Iterable[DeadLetterAnswer]) -> list[Cause]:
    """Return the root causes, in the order of what is named first."""
    by_name = {(letter.entity, letter.key): letter for letter in letters}
    found: dict[Named, Cause] = {}
    for name, letter in by_name.items():
        root = root_of(letter, by_name)
        lost = (root.parent_entity, root.parent_key)
        if root.parent_entity:  # the parent is no dead letter itself: it was skipped, or did not come
            cause = found.setdefault(lost, Cause(root.error.removeprefix("its parent ")))
        else:
            cause = found.setdefault(
                (root.entity, root.key), Cause(f"{root.entity} {root.key} is not delivered: {root.error}")
            )
        if root.parent_entity or root is not letter:
            cause.others[name[0]] += 1
    return [found[name] for name in sorted(found)]


def root_of(letter: DeadLetterAnswer, by_name: Mapping[Named, DeadLetterAnswer]) -> DeadLetterAnswer:
    """Return the dead letter at the head of the chain of parents; no parent is its own."""
    while parent := by_name.get((letter.parent_entity, letter.parent_key)):
        letter = parent
    return letter
