"""The read path: p21d from P21 to files, beside a bare loop and beside its peers, over the same pages.

    python -m bench.read_path [--rows 20000,100000,1000000] [--latency-ms 0,50] [--rounds 3] [--only floor,p21d]

All sides take turns against one server process, several rounds; a ratio is the median of those of the rounds. Two times
are taken of each:

work    from the moment it may ask for its first page until its last row is durable (p21d) or in its file (the others).
        p21d's is that of its first catch-up as its own log gives it: window opened, pages read, records made, written
        and synced, fates and checkpoint committed. The others time themselves, their imports done.
total   from the start of the process: of p21d until its first catch-up is logged (token and proofs before it), of the
        others until the process has ended.

p21d runs as shipped: each batch synced, each commit with synchronous=FULL, 1,000 rows a page. A side that would take
longer than three minutes is left out at that size, and one that takes longer than half a minute is run once; where
p21d is, its ratios are those of that round.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.peers import sides
from bench.peers.sides import PageServer, Place, Result, Side
from bench.table import median, table

SIZES = (20_000, 100_000, 1_000_000)
QUICK_SIZES = (20_000,)
LATENCIES_MS = (0.0, 50.0)
LONGEST_SECONDS = 180.0
ONCE_SECONDS = 30.0
ALL = (sides.FLOOR, sides.P21D, sides.UNCHANGED, *sides.PEERS, sides.AS_IT_IS, sides.WITH_UNITS, sides.SERVER)


@dataclass
class Leg:
    """What was measured at one size and latency: the results of each side, by round; a round may miss one."""

    rows: int
    latency_ms: float
    runs: dict[str, dict[int, Result]] = field(default_factory=dict)
    left_out: dict[str, float] = field(default_factory=dict)
    """Sides that would take too long, and how many seconds."""

    def of(self, side: str, member: str) -> float | None:
        """Return the median of a member over a side's runs, None where it was not run."""
        results = self.runs.get(side)
        return median(getattr(result, member) for result in results.values()) if results else None

    def ratio(self, side: str, other: str) -> float | None:
        """Return how many times as fast as another a side works: the median over rounds that both have."""
        mine, others = self.runs.get(side, {}), self.runs.get(other, {})
        ratios = [others[turn].work_seconds / mine[turn].work_seconds for turn in mine.keys() & others.keys()]
        return median(ratios) if ratios else None


def measure(
    *,
    quick: bool,
    sizes: Sequence[int] = (),
    latencies_ms: Sequence[float] = LATENCIES_MS,
    rounds: int = 3,
    chosen: Sequence[Side] = ALL,
) -> dict[str, Any]:
    """Run all legs and return their results; raises Failed where a side has not written each row once."""
    legs: list[Leg] = []
    for rows in sizes or (QUICK_SIZES if quick else SIZES):
        with sides.page_server(rows) as server:
            for latency_ms in latencies_ms:
                smaller = [leg for leg in legs if leg.latency_ms == latency_ms]
                legs.append(run_leg(server, Leg(rows, latency_ms), smaller, chosen, rounds=rounds))
    return {"page_rows": sides.PAGE_ROWS, "legs": [asdict(leg) for leg in legs], "summary": summary(legs)}


def run_leg(server: PageServer, leg: Leg, smaller: Sequence[Leg], chosen: Sequence[Side], *, rounds: int) -> Leg:
    """Let the sides take turns."""
    able = [side for side in chosen if side.largest >= leg.rows and not too_slow(side, leg, smaller)]
    for turn in range(rounds):
        with tempfile.TemporaryDirectory(prefix="p21d-bench-") as name:
            shared = Path(name, "p21d")  # an unchanged sweep goes where the first one has delivered
            shared.mkdir()
            # who begins changes, so that nobody always follows the same one
            for side in turned(able, turn):
                results = leg.runs.setdefault(side.name, {})
                if any(result.total_seconds > ONCE_SECONDS for result in results.values()):
                    continue
                folder = shared if side in (sides.P21D, sides.UNCHANGED) else Path(name, side.name)
                folder.mkdir(exist_ok=True)
                server.reset(leg.latency_ms)
                results[turn] = side.run(Place(server=server, folder=folder, rows=leg.rows))
                say(leg, side, results[turn])
    return leg


def turned(able: Sequence[Side], turn: int) -> Iterator[Side]:
    """Yield the sides, another one first at each turn; the unchanged sweep right after its delivery."""
    starts = [side for side in able if side is not sides.UNCHANGED]
    first = turn % len(starts)
    for side in [*starts[first:], *starts[:first]]:
        yield side
        if side is sides.P21D and sides.UNCHANGED in able:
            yield sides.UNCHANGED


def too_slow(side: Side, leg: Leg, smaller: Sequence[Leg]) -> bool:
    """Tell whether a side would take too long, as it took at the size before."""
    if not smaller or side not in sides.PEERS:
        return False
    before = smaller[-1]
    seconds = before.of(side.name, "total_seconds") or before.left_out.get(side.name, 0.0)
    expected = seconds * leg.rows / before.rows
    if expected > LONGEST_SECONDS:
        leg.left_out[side.name] = round(expected)
    return side.name in leg.left_out


def say(leg: Leg, side: Side, result: Result) -> None:
    """Print one run, for whoever watches."""
    rate = leg.rows / result.work_seconds
    words = f"{leg.rows:,} rows, {leg.latency_ms:g} ms, {side.name}: {rate:,.0f} rows/s, {result.total_seconds:.1f} s"
    print(words, file=sys.stderr, flush=True)


def summary(legs: Sequence[Leg]) -> list[dict[str, Any]]:
    """Return one line for each leg and side, in the units of the tables."""
    return [line(leg, name) for leg in legs for name in (*leg.runs, *leg.left_out)]


def line(leg: Leg, name: str) -> dict[str, Any]:
    """Return what is told of one side."""
    work, requests, cpu = (leg.of(name, member) for member in ("work_seconds", "requests", "cpu_seconds"))
    thousands = leg.rows / 1000
    return {
        "rows": leg.rows,
        "latency_ms": leg.latency_ms,
        "side": name,
        "runs": len(leg.runs.get(name, {})),
        "rows_per_second": work and leg.rows / work,
        "of_floor": leg.ratio(name, sides.FLOOR.name),
        "p21d_is_times": leg.ratio(sides.P21D.name, name),
        "total_seconds": leg.of(name, "total_seconds"),
        "requests_per_1000_rows": requests and requests / thousands,
        "cpu_seconds_per_1000_rows": cpu and cpu / thousands,
        "peak_mb": leg.of(name, "peak_mb"),
        "server_cpu_of_work": share(leg.of(name, "server_cpu_seconds"), work),
        "left_out_seconds": leg.left_out.get(name),
    }


def share(part: float | None, whole: float | None) -> float | None:
    """Return a part of a whole, None where either is not known."""
    return part / whole if part is not None and whole else None


COLUMNS = {
    "rows/s": "rows_per_second",
    "of floor": "of_floor",
    "p21d is x": "p21d_is_times",
    "total s": "total_seconds",
    "req/1,000": "requests_per_1000_rows",
    "CPU ms/1,000": "cpu_seconds_per_1000_rows",
    "peak MB": "peak_mb",
}


def show(results: dict[str, Any]) -> str:
    """Return the tables of these results."""
    lines = results["summary"]
    legs = dict.fromkeys((one["rows"], one["latency_ms"]) for one in lines)
    tables = [show_leg(*leg, [one for one in lines if (one["rows"], one["latency_ms"]) == leg]) for leg in legs]
    return "\n".join([*tables, *show_growth(lines)])


def show_leg(rows: int, latency_ms: float, lines: Sequence[dict[str, Any]]) -> str:
    """Return the table of one leg."""
    told = [[one["side"], *(shown(name, one[name]) for name in COLUMNS.values())] for one in lines if one["runs"]]
    notes = [
        f"{one['side']}: left out, it would take about {one['left_out_seconds']:,.0f} s"
        for one in lines
        if one["left_out_seconds"]
    ]
    busy = [one["server_cpu_of_work"] for one in lines if one["side"] == sides.FLOOR.name]
    notes += [f"the server's own processor time is {busy[0]:.0%} of the floor's work"] if busy else []
    return table(f"{rows:,} rows, {latency_ms:g} ms of server latency", ["side", *COLUMNS], told, notes)


def shown(name: str, value: Any) -> Any:
    """Return a value in the unit of its column."""
    return value * 1000 if name == "cpu_seconds_per_1000_rows" and value is not None else value


def show_growth(lines: Sequence[dict[str, Any]]) -> list[str]:
    """Return the table of peak memory by size, where there is more than one."""
    sizes = sorted({one["rows"] for one in lines})
    if len(sizes) < 2:  # growth needs two
        return []
    told = []
    for side in dict.fromkeys(one["side"] for one in lines if not one["latency_ms"]):
        peaks = {one["rows"]: one["peak_mb"] for one in lines if one["side"] == side and not one["latency_ms"]}
        growth = [share(peaks.get(large), peaks.get(small)) for small, large in pairwise(sizes)]
        told.append([side, *(peaks.get(size) for size in sizes), *growth])
    columns = ["side", *(f"{size:,}" for size in sizes), *(f"x {large // small}" for small, large in pairwise(sizes))]
    return [table("Peak memory in MB by rows, and its growth", columns, told)]


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="20000")
    parser.add_argument("--latency-ms", default="0")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="floor,p21d,p21d unchanged")
    asked = parser.parse_args()
    names = {side.name.replace(",", ""): side for side in ALL}
    results = measure(
        quick=False,
        sizes=[int(size) for size in asked.rows.split(",")],
        latencies_ms=[float(latency) for latency in asked.latency_ms.split(",")],
        rounds=asked.rounds,
        chosen=[names[name.strip()] for name in asked.only.split(",")],
    )
    print(show(results))


if __name__ == "__main__":
    main()
