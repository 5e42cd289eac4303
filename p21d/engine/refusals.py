"""Tells one bad record from a rule of the sink that refuses them all: a mapping, a permission, a setting.

Many refusals in a row with one code, and no record taken between them, are systematic: the batch that shows it stays
undecided, and the entity is held instead of filling the dead letters with thousands of one kind. From then on one
batch at a time is sent, and the first record that is taken ends it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import anyio

from p21d.errors import RecordRefused, SystematicRefusal
from p21d.sinks.port import Acknowledged, Answer

MAX_IN_A_ROW = 50


class Refusals:
    """The refusals in a row of one entity; `when_over` is called when a systematic one has ended."""

    def __init__(self, entity: str) -> None:
        self.when_over: Callable[[], None] = lambda: None
        self.verdicts = 0
        """How often a batch stayed undecided."""
        self._entity = entity
        self._first: RecordRefused | None = None
        self._in_a_row = 0
        self._one = anyio.Lock()

    @property
    def systematic(self) -> bool:
        """Tell whether so many were refused in a row that the record cannot be the reason."""
        return self._in_a_row >= MAX_IN_A_ROW

    @asynccontextmanager
    async def one_at_a_time(self) -> AsyncIterator[None]:
        """Let batches pass, but one after the other while the refusals are systematic."""
        if self.systematic:
            async with self._one:
                yield
        else:
            yield

    def judge(self, answers: Iterable[Answer]) -> SystematicRefusal | None:
        """Count the answers of a batch, in their order; return what to hold the entity for, if anything."""
        for answer in answers:
            if isinstance(answer, Acknowledged):
                self.forget()
            elif isinstance(answer, RecordRefused):
                self._count(answer)
        if not self.systematic:
            return None
        self.verdicts += 1
        return self.verdict()

    def _count(self, refused: RecordRefused) -> None:
        if self._first is None or refused.code != self._first.code:
            self._first, self._in_a_row = refused, 0
        self._in_a_row += 1

    def forget(self) -> None:
        """Begin anew: a record was taken, or a person says that the cause is gone."""
        was_systematic = self.systematic
        self._first, self._in_a_row = None, 0
        if was_systematic:
            self.when_over()

    def verdict(self) -> SystematicRefusal | None:
        """Return the error that holds the entity, None while single records are refused only."""
        if self._first is None or not self.systematic:
            return None
        first, name = self._first, self._entity
        do = f"{first.hint}; then" if first.hint else "mend its mapping or what the sink asks for, then"
        return SystematicRefusal(
            f"systematic refusal: {MAX_IN_A_ROW} {name} records in a row with {first.code}, the first: {first.message}",
            code=first.code,
            hint=f"{do} p21d resume {name}; one batch is tried every 15 minutes until then",
        )
