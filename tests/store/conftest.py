"""A store on a real file, and other processes that use one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest

from p21d.store.database import Store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "p21d.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    async with Store(path) as opened:
        yield opened


@pytest.fixture
def start_python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a program with arguments; what still runs at the end of the test is killed."""
    started = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", dedent(code), *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        with closing(process.stdin), closing(process.stdout), closing(process.stderr):
            process.wait(10)
