"""The last events of the log, and those who listen to the next ones.

Events come here from the log, after redaction and from `info` up, whatever level the log itself shows. Nothing here
waits: a listener who does not keep up loses the oldest, and is told how many.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

import anyio

KEPT = 500
"""Events kept for who asks later, and at most so many for each listener who has not taken them yet."""
Event = Mapping[str, Any]


class Listener:
    """One reader's events, oldest first; `lost` counts those it did not take in time."""

    def __init__(self, entity: str, kept: int) -> None:
        self.lost = 0
        self._entity = entity
        self._waiting: deque[Event] = deque(maxlen=kept)
        self._news = anyio.Event()
        self._thread = threading.get_ident()
        self._ended = False

    def tell(self, event: Event) -> None:
        """Keep an event for the reader, if it is about the entity it wants."""
        if self._entity and event.get("entity") != self._entity:
            return
        self.lost += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(event)
        if threading.get_ident() == self._thread:  # from another thread it is found at the next look
            self._news.set()

    def take(self) -> tuple[int, list[Event]]:
        """Return how many were lost since the last time, and what is there after them."""
        lost, events = self.lost, list(self._waiting)
        self.lost = 0
        self._waiting.clear()
        return lost, events

    async def wait(self, seconds: float) -> bool:
        """Return when there may be something to take, after `seconds` at the latest; False once it has ended."""
        with anyio.move_on_after(seconds):
            await self._news.wait()
        self._news = anyio.Event()
        return not self._ended

    def end(self) -> None:
        """Wake the reader for the last time."""
        self._ended = True
        self._news.set()


class Feed:
    """Keeps the last events and tells the listeners."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._latest: deque[Event] = deque(maxlen=kept)
        self._listeners: set[Listener] = set()

    def tell(self, event: Event) -> None:
        """Take up an event."""
        self._latest.append(event)
        for listener in tuple(self._listeners):
            listener.tell(event)

    def listen(self, entity: str = "") -> Listener:
        """Return a listener that has the last events, and is told the next ones until `leave`."""
        listener = Listener(entity, self._kept)
        for event in tuple(self._latest):
            listener.tell(event)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)

    def end(self) -> None:
        """Let every listener go."""
        for listener in tuple(self._listeners):
            listener.end()

    @property
    def listeners(self) -> int:
        """Return how many listen."""
        return len(self._listeners)
