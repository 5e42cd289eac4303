"""Whether memory and descriptors stay flat over many rows, dead letters and reloads, and what a delivered key takes.

    python -m bench.endurance [--rows 1000000] [--letters 100000] [--reloads 1000] [--keys 2000000]

A real daemon process delivers the rows to jsonl, then to a hub that refuses every second record, and is reloaded over
and over. Its memory (peak, and what is resident at that moment) and its descriptors are taken at half of the way and at
the end: flat is at most 1.05 times the peak and a few descriptors more, since kept connections come and go. On the
first half the caches of SQLite and of the allocator fill, and stay as they are from then on; a leak would go on. A
part with the number 0 is left out; each part is printed as it ends. Exit code 1 where one is not flat, or a key takes
more than 300 bytes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from bench import keys
from bench.daemon import BUILT_IN, settings
from p21d.control.client import ControlClient
from p21d.sandbox.faults import Fault
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from tests.faults.world import Daemon

MOST_GROWTH = 1.05
KEPT_CONNECTIONS = 8
"""Descriptors that may be open at one moment and not at another: as many as calls to one side at once, by default."""
MOST_BYTES = 300.0
LOOK_SECONDS = 0.5
REFUSED = Fault(
    kind="status", status=400, method="POST", path="*/Product", probability=0.5, seed=1, body='{"message":"refused"}'
)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the process took at one moment."""

    peak_mb: float
    resident_mb: float
    descriptors: int


@dataclass(frozen=True, kw_only=True)
class Course:
    """A part of the measurement: how far it went, and what was taken at half of the way and at the end."""

    name: str
    done: int
    half: Sample
    end: Sample

    @property
    def flat(self) -> bool:
        """Tell whether nothing grew."""
        few = self.half.descriptors + KEPT_CONNECTIONS
        return self.end.peak_mb <= MOST_GROWTH * self.half.peak_mb and self.end.descriptors <= few


def sample(daemon: Daemon) -> Sample:
    """Return the memory of the daemon's process, its peak so far, and its open descriptors."""
    process = Path(f"/proc/{daemon.process.pid}")
    lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    peak, resident = (round(int(lines[name].split()[0]) / 1024, 1) for name in ("VmHWM", "VmRSS"))
    return Sample(peak_mb=peak, resident_mb=resident, descriptors=len(list((process / "fd").iterdir())))


async def run_course(name: str, daemon: Daemon, wanted: int, done: Callable[[], Awaitable[int]]) -> Course:
    """Sample the daemon on its way; returns once `done` is what is wanted."""
    half: Sample | None = None
    while (count := await done()) < wanted:
        if half is None and count >= wanted // 2:
            half = sample(daemon)
        await anyio.sleep(LOOK_SECONDS)
    end = sample(daemon)
    return Course(name=name, done=count, half=half or end, end=end)


def blocks(folder: Path, p21_url: str, hub_url: str, **changes: Any) -> dict[str, Any]:
    """Return a configuration in which only products are on."""
    entities = {name: {"enabled": False} for name in BUILT_IN} | {"product": {"poll_search_days": 3650}}
    made = settings(folder, p21_url, hub_url, entities)
    return made | {"log": {"level": "error"}} | changes


async def over_rows(folder: Path, rows: int, reloads: int) -> AsyncIterator[Course]:
    """Deliver the rows to jsonl, then reload."""
    with P21Sandbox(rows=rows) as p21:
        async with p21.serve() as url:
            sink = {"type": "jsonl", "directory": str(folder / "records")}
            daemon = Daemon(folder, blocks(folder, url, "", sink=sink))
            try:
                await daemon.start()
                in_p21 = p21.database.count("inv_mast")

                async def read() -> int:
                    product = await daemon.entity("product")
                    return in_p21 if product.state == "in step" else min(product.delivered, in_p21 - 1)

                yield await run_course("rows to jsonl", daemon, in_p21, read)
                if reloads:
                    yield await over_reloads(daemon, reloads)
            finally:
                daemon.process.terminate()
                await daemon.ended()


async def over_reloads(daemon: Daemon, reloads: int) -> Course:
    """Reload over and over, with a setting that changes each time."""
    half = sample(daemon)
    async with ControlClient(daemon.socket) as client:
        for number in range(1, reloads + 1):
            daemon.write(batch_rows=100 + number % 2)
            assert (await client.reload()).reloaded
            if number == max(1, reloads // 2):
                half = sample(daemon)
    return Course(name="reloads", done=reloads, half=half, end=sample(daemon))


async def over_letters(folder: Path, letters: int) -> Course:
    """Deliver to a hub that refuses every second record, until so many dead letters are open."""
    hub = HubSandbox(keep_requests=10)
    with P21Sandbox(rows=letters * 2 + letters // 4) as p21:
        async with p21.serve() as url, hub.serve() as hub_url:
            hub.faults.add(REFUSED)
            daemon = Daemon(folder, blocks(folder, url, hub_url))
            try:
                await daemon.start()

                async def dead() -> int:
                    return (await daemon.entity("product")).dead_letters

                return await run_course("dead letters", daemon, letters, dead)
            finally:
                daemon.process.terminate()
                await daemon.ended()


def show(one: Course) -> None:
    """Print one line."""
    descriptors = f"{one.half.descriptors} -> {one.end.descriptors}"
    peak = f"{one.half.peak_mb} -> {one.end.peak_mb}"
    resident = f"{one.half.resident_mb} -> {one.end.resident_mb}"
    line = f"{one.name:14}{one.done:>10,}{peak:>17}{resident:>17}{descriptors:>13}  "
    print(line + ("flat" if one.flat else "NOT FLAT"), flush=True)


def show_room(room: keys.Room) -> None:
    """Print what a key takes."""
    print(
        f"{room.keys:,} keys, {room.links:,} links: {room.size_bytes:,} bytes, {room.bytes_per_key:.0f} a key;", end=" "
    )
    print(f"the check after a kill takes {room.check_seconds:.1f} s", flush=True)


async def courses(folders: list[Path], rows: int, letters: int, reloads: int) -> AsyncIterator[Course]:
    """Run the parts that are asked for, one after the other."""
    if rows:
        async for course in over_rows(folders[0], rows, reloads):
            yield course
    if letters:
        yield await over_letters(folders[1], letters)


async def measure(rows: int, letters: int, reloads: int, key_count: int) -> int:
    """Run and print all parts that are asked for; return the exit code."""
    good = True
    print("from half of the way to its end")
    print(f"{'':14}{'done':>10}{'peak MB':>17}{'resident MB':>17}{'descriptors':>13}", flush=True)
    with tempfile.TemporaryDirectory(prefix="p21d-endurance-") as name:
        folders = [Path(name, part) for part in ("rows", "letters", "keys")]
        for folder in folders:
            folder.mkdir()
        async for course in courses(folders, rows, letters, reloads):
            show(course)
            good = good and course.flat
        if key_count:
            show_room(room := await keys.measure(folders[2] / "p21d.db", key_count))
            good = good and room.bytes_per_key <= MOST_BYTES
    return 0 if good else 1


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--letters", type=int, default=100_000)
    parser.add_argument("--reloads", type=int, default=1000)
    parser.add_argument("--keys", type=int, default=2_000_000)
    asked = parser.parse_args()
    return anyio.run(measure, asked.rows, asked.letters, asked.reloads, asked.keys)


if __name__ == "__main__":
    sys.exit(main())
