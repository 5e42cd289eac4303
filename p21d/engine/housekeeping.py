"""Forgets what has had its time: finished cycles, closed dead letters, and the steps of orders that are done with.

Everything else stays. Open dead letters, what waits, links, what was delivered and orders on their way are the promises
themselves; orders that are done with, and hub orders left alone, are one row each, and say that they are not written
again; skipped rows and proofs are as many as there are rows in P21 and tables.

Why in small parts: all writes of the daemon wait for each transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from p21d.clock import Clock
from p21d.engine.watch import Watch
from p21d.errors import P21dError
from p21d.store.database import Store, Tables

log = structlog.get_logger("p21d.engine")

CYCLES = timedelta(days=30)
CLOSED_LETTERS = timedelta(days=90)
ORDER_STEPS = timedelta(days=365)
HOUSEKEEPING_SECONDS = 3600.0
LOOK_SECONDS = 60.0
ROWS_AT_ONCE = 500

Prune = Callable[[Tables, datetime], Awaitable[int]]


async def keep_house(store: Store, clock: Clock, watch: Watch) -> None:
    """Forget what is old, at the start and every hour, until cancelled."""
    while True:
        while store.condition.unchecked:
            await clock.sleep(LOOK_SECONDS)
        try:
            with watch.over("housekeeping"):
                await forget_old(store, clock.now())
        except P21dError as error:  # a full disk, above all: the next hour is early enough, and cycles say so too
            log.warning("housekeeping put off", error=error.message, hint=error.hint)
        await clock.sleep(HOUSEKEEPING_SECONDS)


async def forget_old(store: Store, now: datetime) -> int:
    """Forget what is older than its time and return how many rows that were."""
    kinds: tuple[tuple[timedelta, Prune], ...] = (
        (CYCLES, lambda tables, before: tables.cycles.prune(before, ROWS_AT_ONCE)),
        (CLOSED_LETTERS, lambda tables, before: tables.dead_letters.prune(before, ROWS_AT_ONCE)),
        (ORDER_STEPS, lambda tables, before: tables.steps.prune(before, ROWS_AT_ONCE)),
    )
    return sum([await _forget(store, now - age, prune) for age, prune in kinds])


async def _forget(store: Store, before: datetime, prune: Prune) -> int:
    count = ROWS_AT_ONCE
    total = 0
    while count == ROWS_AT_ONCE:
        async with store.transaction() as tables:
            count = await prune(tables, before)
        total += count
    return total
