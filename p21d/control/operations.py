"""What the control socket can ask of the daemon; the daemon implements it, the server knows nothing else of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from p21d.control.answers import (
    CycleAnswer,
    DeadLetterAnswer,
    DeadLetterRequest,
    DoneAnswer,
    ReloadAnswer,
    Status,
    SyncAnswer,
    SyncRequest,
)
from p21d.control.order_operations import OrderOperations
from p21d.events import Feed


class Operations(Protocol):
    """The daemon as its operator sees it. Every method may raise P21dError; ConfigError for a name it does not know."""

    async def status(self) -> Status:
        """Return the status screen."""
        ...

    async def cycles(self, *, entity: str, limit: int) -> Sequence[CycleAnswer]:
        """Return finished cycles, the newest first; all entities where `entity` is empty."""
        ...

    async def sync(self, request: SyncRequest) -> SyncAnswer:
        """Run or accept a sync on demand; waits for its end when the request says so."""
        ...

    async def reload(self) -> ReloadAnswer:
        """Read configuration, credentials and plug-ins again; a bad set is refused and the old one works on."""
        ...

    async def pause(self, entity: str, because: str) -> DoneAnswer:
        """Start no new cycle of the entity until it is resumed; outlives a restart."""
        ...

    async def resume(self, entity: str) -> DoneAnswer:
        """Let a paused or held entity run at once."""
        ...

    async def dead_letters(self, *, entity: str, key: str, limit: int, before: int) -> Sequence[DeadLetterAnswer]:
        """Return open dead letters, the newest first."""
        ...

    async def replay(self, request: DeadLetterRequest) -> SyncAnswer:
        """Read the rows of dead letters from P21 again and deliver them."""
        ...

    async def discard(self, request: DeadLetterRequest) -> DoneAnswer:
        """Close dead letters without delivering them; `because` is kept."""
        ...

    def backup(self) -> AbstractAsyncContextManager[Path]:
        """Return a block in which a copy of the store stands, which is gone afterwards."""
        ...

    @property
    def events(self) -> Feed:
        """Return what happens, and has happened."""
        ...

    @property
    def orders(self) -> OrderOperations:
        """Return who answers for the orders."""
        ...

    def set_log_level(self, level: str) -> DoneAnswer:
        """Change the log level until the next start."""
        ...
