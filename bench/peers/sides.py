"""The sides of the read path: how each is run against the page server, and what of it is counted.

Every side is a process of its own. Its files are counted by looking for each row's key and for a text of the same row:
a run that has not written each row exactly once fails.
"""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import data
from bench.daemon import ENTITIES, copy_plugin
from bench.process import Failed, Process, run

ROOT = Path(__file__).parents[2]
PAGE_ROWS = 1000
"""p21d's default, and what every other side is told."""
KEY = re.compile(rb'"(?:key|item_uid)": ?"?(\d+)')


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run of one side; `requests` are those that the server saw."""

    work_seconds: float
    total_seconds: float
    cpu_seconds: float
    peak_mb: float
    requests: int
    server_cpu_seconds: float


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a side runs: its server, an empty folder that it shares with nobody, and how many rows there are."""

    server: PageServer
    folder: Path
    rows: int


@dataclass(frozen=True, kw_only=True)
class Side:
    """Something that reads the rows."""

    name: str
    run: Callable[[Place], Result]
    largest: int = 1_000_000
    """It is run at no more rows than these."""


class PageServer:
    """The server process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.url: str = process.first_line(600.0)["url"]

    def reset(self, latency_ms: float) -> None:
        """Begin a run."""
        self.get(f"/_reset?latency_ms={latency_ms}")

    def requests(self) -> int:
        """Return how many requests there were in this run."""
        counts: dict[str, int] = json.loads(self.get("/_counts"))
        return counts["requests"]

    def get(self, path: str) -> bytes:
        """Return the body of an answer."""
        with urllib.request.urlopen(self.url + path, timeout=600) as response:
            body: bytes = response.read()
            return body


@contextmanager
def page_server(rows: int) -> Iterator[PageServer]:
    """Run a server process with that many rows, rendered before anything is measured."""
    with Process([sys.executable, "-m", "bench.server", "--rows", str(rows)], cwd=ROOT) as process:
        server = PageServer(process)
        for select in (data.WANTED, (data.KEY,)):
            server.get(f"/odataservice/odata/table/{data.TABLE}?$select={','.join(select)}&$top=2")
        yield server


def script(name: str, *options: str) -> Callable[[Place], Result]:
    """Return what runs one of the scripts beside this one, which time their own work."""

    def measure(place: Place) -> Result:
        since = data.printed(datetime.now(UTC) - timedelta(days=4))  # noqa: TID251  # p21d's default look-back
        asked = ["--url", place.server.url, "--since", since, "--out", str(place.folder), "--page-rows", str(PAGE_ROWS)]
        server_cpu = place.server.process.cpu_seconds()
        ended = run([sys.executable, "-m", f"bench.peers.{name}", *options, *asked], cwd=ROOT, timeout_seconds=1800.0)
        requests, server_cpu = place.server.requests(), place.server.process.cpu_seconds() - server_cpu
        if not options:
            count(place, place.folder)
        said = json.loads(ended.output.strip().splitlines()[-1])
        return Result(
            work_seconds=said["work_seconds"],
            total_seconds=ended.wall_seconds,
            cpu_seconds=ended.cpu_seconds,
            peak_mb=ended.peak_mb,
            requests=requests,
            server_cpu_seconds=server_cpu,
        )

    return measure


def p21d(entity: str, *, fate: str = "delivered") -> Callable[[Place], Result]:
    """Return what runs p21d until the first sweep of an entity has given each row this fate.

    `unchanged` is what a sweep finds in the folder in which another has delivered.
    """

    def measure(place: Place) -> Result:
        config = place.folder / "p21d.yaml"
        if fate == "delivered":
            write_config(place, entity, config)
        server_cpu = place.server.process.cpu_seconds()
        began = time.perf_counter()
        with Process([sys.executable, "-m", "p21d", f"--config={config}", "run"], cwd=place.folder) as process:
            cycle = first_sweep(process)
            total_seconds = time.perf_counter() - began
            requests = place.server.requests()
            ended = process.stop()
        if cycle["read"] != place.rows or cycle[fate] != place.rows:
            raise Failed(f"p21d's sweep: {cycle}")
        count(place, place.folder / "records")
        return Result(
            work_seconds=cycle["seconds"],
            total_seconds=total_seconds,
            cpu_seconds=ended.cpu_seconds,
            peak_mb=ended.peak_mb,
            requests=requests,
            server_cpu_seconds=place.server.process.cpu_seconds() - server_cpu,
        )

    return measure


def write_config(place: Place, entity: str, file: Path) -> None:
    """Write a configuration in which nothing differs from what is shipped but places and the entity that is on."""
    address = {"api_url": place.server.url, "username": "bench", "password": "bench-password", "time_zone": "UTC"}
    settings = {
        "prophet21": address,
        "sink": {"type": "jsonl", "directory": str(place.folder / "records")},
        "entities": {name: {"enabled": name == entity} for name in ENTITIES},
        "store": {"path": str(place.folder / "p21d.db")},
        "control": {"socket": str(place.folder / "control.sock")},
        "plugin_dirs": [str(copy_plugin(place.folder))],
        "log": {"format": "json"},
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(settings))  # JSON is YAML


def first_sweep(process: Process, seconds: float = 1800.0) -> dict[str, Any]:
    """Return the log line of the first sweep that ends."""
    deadline = time.perf_counter() + seconds
    while not process.ended and time.perf_counter() < deadline:
        for line in process.output().splitlines():
            event = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
            if event.get("event") == "cycle" and event["kind"] == "sweep":
                return dict(event)
        time.sleep(0.01)
    raise Failed(f"p21d has ended no sweep: {process.output()[-4000:]}")


def count(place: Place, folder: Path) -> None:
    """Raise Failed unless the files in a folder hold each row once, each with the text of the same row.

    Kept to one byte a row: what this process takes shows in the memory of those that it starts.
    """
    seen = bytearray(place.rows)
    for file in written(folder):
        with file.open("rb") as lines:
            for line in lines:
                if found := KEY.search(line):
                    number = int(found[1]) - data.FIRST_KEY
                    seen[number] += 1 if b' %d"' % number in line else 2
    wrong = place.rows - seen.count(1)
    if wrong:
        raise Failed(f"{wrong:,} of {place.rows:,} rows are missing, there twice, or wrong in {folder}")


def written(folder: Path) -> Sequence[Path]:
    """Return the files that hold rows: not those that dlt keeps for itself."""
    found = [file for file in folder.rglob("*.jsonl*") if "state" not in file.relative_to(folder).parts]
    return [file for file in found if not any(part.startswith("_dlt") for part in file.parts)]


FLOOR = Side(name="floor", run=script("floor"))
P21D = Side(name="p21d", run=p21d("bench_item"))
UNCHANGED = Side(name="p21d, unchanged", run=p21d("bench_item", fate="unchanged"))
AS_IT_IS = Side(name="p21d, rows as they are", run=p21d("bench_row"), largest=100_000)
WITH_UNITS = Side(name="p21d, with units", run=p21d("bench_kit"), largest=20_000)
SERVER = Side(name="server alone", run=script("floor", "--discard"))
PEERS = (
    Side(name="dlt", run=script("dlt_rest")),
    Side(name="singer-sdk", run=script("singer_tap")),
    Side(name="airbyte-cdk", run=script("airbyte_source")),
    Side(name="today's way", run=script("todays_way")),
)
