"""Syncs any number of keys through the control socket: chunks of 500, two under way, sums at the end.

Memory is that of the chunks under way. The first chunk that fails stops the reading; the other one ends, so that the
sums say exactly how far it came. Running it again costs nothing for the records that were delivered, as they are
unchanged by then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import anyio
import anyio.to_thread

from p21d.cli.tally import missing_count
from p21d.control.answers import SyncAnswer, SyncRequest
from p21d.engine.fate import Tally
from p21d.errors import P21dError

CHUNK_KEYS = 500
CHUNKS_UNDER_WAY = 2
LISTED_MISSING = 20
Sync = Callable[[SyncRequest], Awaitable[SyncAnswer]]


@dataclass(kw_only=True)
class Bulk:
    """How far a sync of many keys is; `error` is what stopped it."""

    keys: int = 0
    tally: Tally = field(default_factory=Tally)
    missing: list[str] = field(default_factory=list)
    missing_count: int = 0
    notes: set[str] = field(default_factory=set)
    error: P21dError | None = None

    def add(self, keys: int, answer: SyncAnswer) -> None:
        """Count a chunk's answer."""
        self.keys += keys
        self.tally.add(answer.tally)
        self.missing_count += missing_count(answer)
        self.missing += answer.missing[: LISTED_MISSING - len(self.missing)]
        if answer.note:
            self.notes.add(answer.note)


async def sync_keys(
    bulk: Bulk, keys: Iterator[str], sync: Sync, *, entity: str, force: bool, progressed: Callable[[], None]
) -> None:
    """Sync all `keys`, bringing `bulk` up to date after each chunk; what fails is kept in `bulk.error`."""
    room = anyio.Semaphore(CHUNKS_UNDER_WAY)

    async def send(chunk: list[str]) -> None:
        try:
            answer = await sync(SyncRequest(entity=entity, keys=chunk, force=force, wait=True))
            bulk.add(len(chunk), answer)
            progressed()
        except P21dError as error:
            bulk.error = bulk.error or error
        finally:
            room.release()

    async with anyio.create_task_group() as tasks:
        while bulk.error is None:
            await room.acquire()
            chunk = await _next_chunk(bulk, keys)
            if not chunk or bulk.error is not None:
                return
            tasks.start_soon(send, chunk)


async def _next_chunk(bulk: Bulk, keys: Iterator[str]) -> list[str]:
    # in a thread, as a pipe gives lines when it likes and the chunks under way must go on meanwhile
    try:
        return await anyio.to_thread.run_sync(lambda: list(islice(keys, CHUNK_KEYS)), abandon_on_cancel=True)
    except P21dError as error:
        bulk.error = bulk.error or error
        return []
