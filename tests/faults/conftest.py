"""The stage of the fault matrix and the lives of daemons as fixtures; the simulated P21 is filled once."""

from __future__ import annotations

import asyncio  # noqa: TID251  # a task beside the one that runs all tests; see aside
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from p21d.registry import load_entities
from p21d.sandbox.prophet21 import P21Sandbox
from tests.faults.crashing import start_lives
from tests.faults.matrix import Stage, stage

ROWS = 24


@pytest.fixture(scope="session")
def seeded(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("p21") / "seeded.db"
    P21Sandbox(path, rows=ROWS, seed=1).close()
    return path


@pytest.fixture(scope="session")
def lives() -> Iterator[subprocess.Popen[bytes]]:
    """What begins the lives of daemons, one at a time."""
    with start_lives() as started:
        yield started


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def stage_at_work(seeded, tmp_path_factory) -> AsyncIterator[Stage]:
    """One stage for many faults, one after the other: what one leaves behind, the next would show."""
    with structlog.testing.capture_logs():
        folder = tmp_path_factory.mktemp("stage")
        opened = stage(folder, seeded, load_entities(), prophet21={"settle": 0, "page_rows": 15})
        async with aside(opened) as on:
            yield on


@pytest.fixture
async def on(stage_at_work) -> Stage:
    """The stage in step, without a fault."""
    await stage_at_work.heal()
    return stage_at_work


@pytest.fixture
async def staged(seeded, tmp_path) -> AsyncIterator[Callable[..., Awaitable[Stage]]]:
    """Set up the stage; keywords are laid over the configuration, block by block."""
    async with AsyncExitStack() as open_until_the_end:

        async def build(**blocks: Any) -> Stage:
            opened = stage(tmp_path, seeded, load_entities(), **blocks)
            return await open_until_the_end.enter_async_context(aside(opened))

        with structlog.testing.capture_logs():
            yield build


@pytest.fixture
async def thousand(tmp_path) -> AsyncIterator[Stage]:
    """A stage with more than a thousand products that go into files: it is the reading that counts."""
    P21Sandbox(tmp_path / "seeded.db", rows=1010, seed=1).close()
    sink = {"type": "jsonl", "directory": str(tmp_path / "out")}
    (tmp_path / "stage").mkdir()
    with structlog.testing.capture_logs():
        opened = stage(tmp_path / "stage", tmp_path / "seeded.db", load_entities(), entities=("product",), sink=sink)
        async with aside(opened) as on:
            yield on


@asynccontextmanager
async def aside(opened: AbstractAsyncContextManager[Stage]) -> AsyncIterator[Stage]:
    """Hold a stage open in a task of its own.

    Why: anyio's plug-in has one task for all tests and fixtures of a module. A task group that is open in it when a
    test ends cancels that task when one of its own fails; where that happens just as the next test is handed over, this
    one is lost and waited for without an end.
    """
    on: asyncio.Future[Stage] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def hold() -> None:
        async with opened as entered:
            on.set_result(entered)
            await over.wait()

    holding = asyncio.create_task(hold())
    await asyncio.wait([on, holding], return_when=asyncio.FIRST_COMPLETED)
    if on.done():
        yield on.result()
    over.set()
    await holding
