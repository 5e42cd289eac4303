"""Progress, for the watchdog: work that has begun must move, or it is begun anew, or the daemon is not fed (P10).

Everything that may wait is a piece of work: a cycle, and below it each page that is read or prepared and each batch
that is delivered; a probe, a proof, a pass over the inbox. A piece knows its stage and when it last moved. While a
piece below it is at work, that one is measured instead. An answer of another system is progress of the piece that
asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from p21d.calls import Call, witness
from p21d.clock import Clock
from p21d.engine.backoff import MAX_ASKED_SECONDS

CALLS_PER_STEP = 6
"""Calls between two steps that may each take their whole timeout: a page asked for twice, three attempts each; or the
look-ups, the write and the links of one record in the sink."""

T = TypeVar("T")


def longest_wait_seconds(*timeouts_seconds: float) -> float:
    """Return the longest honest time between two steps, under the timeouts of one call to each system."""
    return MAX_ASKED_SECONDS + CALLS_PER_STEP * max(timeouts_seconds)


STUCK_SECONDS = longest_wait_seconds(120.0)
"""The limit under the default timeouts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A piece of work that does not move; `owner` is what can be begun anew alone, empty where nothing can."""

    work: str
    owner: str
    stage: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.work} has not moved for {self.seconds:.0f} s (stage {self.stage})"


@dataclass(frozen=True, slots=True)
class LastCall:
    """The last call to one system, and when it began on the monotonic clock."""

    call: Call
    began: float


class Piece:
    """One piece of work; it waits for others where `waiting` is not 0, and cannot be stuck where `resting` is not."""

    def __init__(self, watch: Watch, name: str, owner: str, stage: str, above: Piece | None) -> None:
        self.name = name
        self.owner = owner
        self.stage = stage
        self.above = above
        self.below = 0
        self.waiting = 0
        self.resting = 0
        self._watch = watch
        self.moved()

    def moved(self) -> None:
        """Note that it has moved."""
        self.stepped = self._watch.now()

    def asked(self, call: Call) -> None:
        """Remember the call as the last one to its system."""
        self._watch.calls[call.system] = LastCall(call, self._watch.now())

    def answered(self, _call: Call) -> None:
        """Take an answer of another system as progress."""
        self.moved()

    @property
    def measured(self) -> bool:
        """Tell whether it must move by itself."""
        return not self.below and not self.resting


_current: ContextVar[Piece | None] = ContextVar("piece", default=None)
"""The piece that the present task works on; tasks that it starts work on it too."""


class Watch:
    """All pieces of work there are; `stuck_seconds` may be changed meanwhile, `calls` are the last to each system."""

    def __init__(self, clock: Clock, *, stuck_seconds: float = STUCK_SECONDS) -> None:
        self.stuck_seconds = stuck_seconds
        self.calls: dict[str, LastCall] = {}
        self._clock = clock
        self._pieces: list[Piece] = []

    def now(self) -> float:
        """Return the monotonic time."""
        return self._clock.monotonic()

    @contextmanager
    def over(self, name: str = "", stage: str = "begin", *, owner: str = "") -> Iterator[None]:
        """Watch a piece of work for the block; name and owner are those of the piece above where none is given."""
        above = self._here()
        name = name or (above.name if above else "")
        piece = Piece(self, name, owner or (above.owner if above else ""), stage, above)
        self._pieces.append(piece)
        if above is not None:
            above.below += 1
        token, told = _current.set(piece), witness.set(piece)
        try:
            yield
        finally:
            witness.reset(told)
            _current.reset(token)
            self._pieces.remove(piece)
            if above is not None:
                above.below -= 1
                above.moved()

    async def during(self, stage: str, call: Callable[[], Awaitable[T]]) -> T:
        """Run one stage of the present work as a piece of its own, for work of which several stages run at once."""
        with self.over(stage=stage):
            return await call()

    def step(self, name: str, stage: str = "") -> None:
        """Note that a piece of work has moved, and in which stage it is from here on."""
        for piece in self._named(name):
            piece.moved()
            piece.stage = stage or piece.stage

    @contextmanager
    def waiting(self, name: str = "", stage: str = "wait for a slot") -> Iterator[None]:
        """Wait, in the block, for a slot or a claim: the steps of those that hold them are its own."""
        pieces = [(piece, piece.stage) for piece in self._named(name)]
        for piece, _ in pieces:
            piece.waiting += 1
            piece.stage = stage
        try:
            yield
        finally:
            for piece, before in pieces:
                piece.waiting -= 1
                piece.stage = before
                piece.moved()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Wait, in the block, for other work that is watched itself, however long that takes."""
        piece = self._here()
        if piece is not None:
            piece.resting += 1
        try:
            yield
        finally:
            if piece is not None:
                piece.resting -= 1
                piece.moved()

    def answered(self, name: str) -> None:
        """Note that the sink has answered a piece of work, which brings nearer whatever waits for its slot."""
        self.step(name)
        for piece in self._pieces:
            if piece.waiting:
                piece.moved()

    def stuck(self) -> list[Stuck]:
        """Return the work that has not moved for too long, without what only waits for such work."""
        now = self._clock.monotonic()
        still = [piece for piece in self._pieces if piece.measured and now - piece.stepped > self.stuck_seconds]
        culprits = [piece for piece in still if not piece.waiting] or still
        found = [
            Stuck(work=piece.name, owner=piece.owner, stage=piece.stage, seconds=now - piece.stepped)
            for piece in culprits
        ]
        return sorted(found, key=lambda stuck: (stuck.work, stuck.stage))

    def at_work(self, owner: str) -> list[str]:
        """Return the names of all work of one owner."""
        return [piece.name for piece in self._pieces if piece.owner == owner]

    def _here(self) -> Piece | None:
        piece = _current.get()
        return piece if piece is not None and piece in self._pieces else None

    def _named(self, name: str) -> list[Piece]:
        """Return the present task's piece where it has that name, else all of that name that must move."""
        here = self._here()
        if here is not None and name in ("", here.name):
            return [here]
        return [piece for piece in self._pieces if piece.name == name and not piece.below]
