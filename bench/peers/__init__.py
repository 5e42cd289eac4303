"""What users might take instead of p21d, each as one script that reads the same rows into a file.

Each is told the same: where the server is, how many rows a page has, since when rows are wanted, and where to write. It
prints one line of JSON with the seconds of its work: from the moment it may ask for its first page (all modules loaded,
its objects made) until its last row is in its file. What it takes beyond that, from the start of the process to its
end, is measured from outside.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a peer is asked to do: rows stamped at or after `since`, as P21 prints instants, into `out`."""

    url: str
    page_rows: int
    since: str
    out: Path


def read_task() -> Task:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--page-rows", type=int, default=1000)
    parser.add_argument("--since", required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    return Task(url=asked.url, page_rows=asked.page_rows, since=asked.since, out=asked.out)


@contextmanager
def work(said: int = 1) -> Iterator[None]:
    """Time the block and say what it took, on the descriptor `said`: some write their rows to standard output."""
    began = time.perf_counter()
    yield
    os.write(said, f"\n{json.dumps({'work_seconds': time.perf_counter() - began})}\n".encode())
