"""One cycle: pages in, fates out. Read this from the top to follow a row from P21 to the checkpoint.

    read      pages in key order, one ahead of what is being prepared
    prepare   rows become records; what is skipped, unchanged, waiting or dead is known here without a call to the sink
    deliver   the rest goes out in batches, several at once
    settle    fates, links, fingerprints and the key reached become one commit

A failure stops the reading; batches in flight end first, so that no answer of the sink is thrown away. Memory holds
at most two pages and the batches in flight (P7).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from p21d.engine.connection import Connection
from p21d.engine.delivery import Delivery
from p21d.engine.drain import Drain
from p21d.engine.fate import Tally
from p21d.engine.plan import Plan
from p21d.engine.preparation import Preparation
from p21d.engine.progress import Progress, Segment
from p21d.engine.room import check_room
from p21d.engine.settlement import Settlement
from p21d.engine.work import Work
from p21d.errors import StoreError
from p21d.keys import key_text
from p21d.prophet21.page import Page

PAGES_IN_FLIGHT = 1
"""Where a page is one batch: the next is made ready while it is written; two cost memory and give no rate."""


class Cycle:
    """One pass over the rows of one entity, of a window or of given keys.

    After `run`, `tally` adds up, and `fates` holds the fate of each key where `keep_fates` asked for them.
    """

    def __init__(
        self,
        plan: Plan,
        connection: Connection,
        drain: Drain,
        *,
        kind: str,
        window: str = "",
        reached: str | None = None,
        force: bool = False,
        keep_fates: bool = False,
        preparation: Preparation | None = None,
        tally: Tally | None = None,
    ) -> None:
        """Prepare a cycle; `reached` is the key a window starts after, None where there is no window to checkpoint.

        `window` names the open window where it has not the cycle's kind; `tally` is one to share with other cycles.
        """
        self.tally = tally or Tally()
        self.fates: dict[str, Work] = {}
        self._plan = plan
        self._connection = connection
        self._watch = connection.watch
        self._drain = drain
        self._kind = kind
        self._window = window or kind
        self._keep_fates = keep_fates
        self._progress = Progress(reached) if reached is not None else None
        self._preparation = preparation or Preparation(plan, connection, kind=kind, force=force)
        self._settlement = Settlement(plan, connection, releases=kind == "release", meets=kind == "backfill")
        self._delivery = Delivery(
            plan, connection, self._preparation, self._settlement, drain, kind=kind, watched=self._name
        )
        self._batches_in_flight = anyio.CapacityLimiter(
            PAGES_IN_FLIGHT if connection.sink.whole_pages else connection.slots.of(kind) + 2
        )
        self._failure: Exception | None = None

    async def run(self, pages: AsyncIterator[Page[Any]]) -> None:
        """Bring every row of the pages to a fate; raises what stopped it, with the tally closed."""
        send, receive = anyio.create_memory_object_stream[Page[Any]](0)
        with self._connection.watch.over(self._name, owner=self._plan.name):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._read, pages, send)
                await self._consume(receive, tasks)
        self.tally.close()
        if self._failure is not None:
            await self._keep_reached(self._failure)
            raise self._failure

    async def _keep_reached(self, failure: Exception) -> None:
        """Keep the key really reached: commits overlap, and the last one may not have known of those before it."""
        if self._progress is not None and self._progress.reached and not isinstance(failure, StoreError):
            async with self._connection.store.transaction() as tables:
                await tables.checkpoints.reach(self._plan.name, self._window, self._progress.reached)

    @property
    def _name(self) -> str:
        return f"{self._plan.name} {self._window}"

    async def _read(self, pages: AsyncIterator[Page[Any]], send: MemoryObjectSendStream[Page[Any]]) -> None:
        async with send:
            try:
                # a drain cuts a read short: P21 may take minutes to answer, and it can be asked again
                while page := await self._drain.unless(partial(self._watch.during, "read", lambda: anext(pages, None))):
                    check_room(self._connection)
                    self._connection.passed("page read")
                    if self._failure is not None:
                        return
                    await send.send(page)
            except anyio.BrokenResourceError:
                return
            except Exception as error:  # noqa: BLE001  # kept and raised by run() once the batches in flight have ended
                self._failure = self._failure or error

    async def _consume(self, receive: MemoryObjectReceiveStream[Page[Any]], tasks: TaskGroup) -> None:
        async with receive:
            async for page in receive:
                self._connection.watch.step(self._name)
                try:
                    prepare = partial(self._preparation.prepare, page)
                    works = await self._drain.unless(partial(self._watch.during, "prepare", prepare))
                    self._connection.passed("page prepared")
                    if self._failure is None:
                        self.tally.read += len(works)
                        await self._begin(works, page, tasks)
                except Exception as error:  # noqa: BLE001  # as above
                    self._failure = self._failure or error
                if self._failure is not None:
                    return

    async def _begin(self, works: list[Work], page: Page[Any], tasks: TaskGroup) -> None:
        """Cut a page into segments and start each; the last one reaches the page's own end."""
        segments = list(cut(works, self._batch_rows(works)))
        end = key_text(page.reached) if page.reached else ""
        for number, part in enumerate(segments, start=1):
            if self._failure is not None:
                return
            self._drain.check()
            last = end if number == len(segments) else part[-1].page_key
            segment = self._progress.begin(last) if self._progress else None
            if all(work.fate for work in part):
                await self._watch.during("settle", partial(self._settle, part, segment))
            else:
                await self._batches_in_flight.acquire_on_behalf_of(segment or part[0])
                if self._failure is not None:  # a batch before it has failed meanwhile
                    return
                tasks.start_soon(self._deliver, part, segment, segment or part[0])

    def _batch_rows(self, works: Sequence[Work]) -> int:
        """Return a size that keeps every slot busy with what this page has to send."""
        if self._connection.sink.whole_pages:
            return len(works)
        unsent = sum(work.fate is None for work in works)
        return max(1, min(self._connection.batch_rows, -(-unsent // self._connection.slots.of(self._kind))))

    async def _deliver(self, works: list[Work], segment: Segment | None, borrower: object) -> None:
        try:
            deliver = partial(self._delivery.deliver, works, lambda: self._settle(works, segment))
            await self._watch.during("deliver", deliver)
        except Exception as error:  # noqa: BLE001  # as above; the other batches in flight must end by themselves
            self._failure = self._failure or error
            self._count([work for work in works if work.settled])
        finally:
            self._batches_in_flight.release_on_behalf_of(borrower)

    async def _settle(self, works: Sequence[Work], segment: Segment | None) -> None:
        """Commit a finished segment together with the key it lets the window reach."""
        reached = ""
        if self._progress is not None and segment is not None:
            # finished before the commit: two commits may overlap, and each must carry the furthest key it can vouch for
            reached = self._progress.would_reach(segment)
        self._watch.step(self._name, "settle")
        await self._settlement.settle(works, window=self._window, reached=reached)
        if self._progress is not None and segment is not None:
            self._progress.finish(segment)
        self._connection.watch.step(self._name)
        self._count(works)

    def _count(self, works: Sequence[Work]) -> None:
        for fate, rows in Counter(work.fate for work in works if work.fate is not None).items():
            self.tally.count(fate, rows)
            self._connection.moved[self._plan.name] += rows
        if self._keep_fates:
            self.fates.update((work.key, work) for work in works if work.fate is not None)


def cut(works: Sequence[Work], batch_rows: int) -> Iterator[list[Work]]:
    """Cut a page's works, in order, into segments with at most that many rows to send each."""
    part: list[Work] = []
    unsent = 0
    for work in works:
        if work.fate is None and unsent == batch_rows:
            yield part
            part, unsent = [], 0
        part.append(work)
        unsent += work.fate is None
    if part:
        yield part
