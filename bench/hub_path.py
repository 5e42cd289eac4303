"""The hub path: p21d delivering to the hub, beside a bare client that makes the same calls with as many connections.

    python -m bench.hub_path --records 250 1000 --latency-ms 0 50 --rounds 3

N records appear in P21 at once (new), then all of them change at once (changed), then nothing does (unchanged). p21d is
a real daemon at a 1 s poll, in step before each of the three; its store is committed with synchronous=FULL as always.
The bare client is a process of its own and keeps no promise (bench/peers/bare_hub.py). The two take turns on the same
hub process, several rounds; what is compared are medians of the seconds from the first call of a phase to the answer of
the last, as the hub's clock saw them: starting an interpreter, logging in, and reading the first page from P21 are in
neither, reading all further pages, the fingerprints, fates and checkpoint are in p21d's.

Every phase is checked against the hub's own counts: each new record one look-up and one create, each changed one
update, each unchanged one nothing, and nothing else at all; or the measurement fails.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.daemon import Daemon, daemon, get, item_settings, server, until
from bench.process import Failed, run
from bench.table import median, table

CONNECTIONS = 10
"""p21d's default, `concurrent_batch_executions`."""
SIZES = (250, 1000, 20_000)
QUICK_SIZES = (250, 1000)
ONCE_RECORDS = 20_000
CALLS: Mapping[str, Mapping[str, int]] = {
    "new": {"lookup": 1, "create": 1},
    "changed": {"update": 1},
    "unchanged": {},
}
"""The hub's calls for one record of each phase."""
TARGETS = {("new", 0): 0.8, ("changed", 0): 0.7, (1000, 50): 0.95, (250, 50): 0.8}
BODIES_DIFFER = 0.05
"""How much the two sides' bytes may differ: a stamp or a decimal is written in another form."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One phase of one side: the hub's seconds, bytes and most calls at once, and the side's processor time."""

    seconds: float
    sent_bytes: int
    most_at_once: int
    cpu_seconds: float


@dataclass(frozen=True, kw_only=True)
class Case:
    """The medians of one phase, and the ratio of p21d's speed to the bare client's, None where there is no such."""

    phase: str
    records: int
    latency_ms: int
    p21d_per_second: float
    bare_per_second: float | None
    ratio: float | None
    target: float | None
    calls_per_record: float
    most_at_once: int
    cpu_seconds_per_1000: float


class Sides:
    """Both sides between one hub and one P21."""

    def __init__(self, hub: str, source: str) -> None:
        self._hub = hub
        self._source = source

    def p21d(self, folder: Path, records: int, latency_ms: int) -> dict[str, Phase]:
        """Run a daemon through the three phases."""
        self.change(0)
        self._reset("_forget", latency_ms)
        made = item_settings(folder, self._source, self._hub, poll_interval="1s")
        with daemon(folder, made) as one:
            one.until_cycle("the first sweep", lambda cycle: cycle["kind"] == "sweep")
            return {phase: self._phase(one, phase, records, latency_ms) for phase in CALLS}

    def _phase(self, one: Daemon, phase: str, records: int, latency_ms: int) -> Phase:
        self._reset("_reset", latency_ms)
        cpu = one.process.cpu_seconds()
        if phase != "unchanged":
            self.change(records)
            wanted = records * sum(CALLS[phase].values())
            until(lambda: _ended(one) or sum(self._counts()["calls"].values()) >= wanted, f"{records} {phase}")
            cpu = one.process.cpu_seconds() - cpu
        one.cycles()
        again = one.until_cycle("a poll over unchanged rows", lambda cycle: bool(cycle["unchanged"] == records))
        if phase == "unchanged":
            cpu = one.process.cpu_seconds() - cpu
        counts = self._checked(phase, records)
        return _phase(counts, cpu, again["seconds"] if phase == "unchanged" else counts["seconds"])

    def bare(self, records: int, latency_ms: int) -> dict[str, Phase]:
        """Run the bare client for new and for changed records."""
        self._reset("_forget", latency_ms)
        done = {}
        for phase in ("new", "changed"):
            self.change(records)
            self._reset("_reset", latency_ms)
            command = [sys.executable, "-m", "bench.peers.bare_hub", "--url", self._source, "--hub", self._hub]
            ended = run([*command, "--mode", phase, "--connections", str(CONNECTIONS)])
            counts = self._checked(phase, records)
            done[phase] = _phase(counts, ended.cpu_seconds, counts["seconds"])
        return done

    def _checked(self, phase: str, records: int) -> dict[str, Any]:
        counts: dict[str, Any] = self._counts()
        if counts["calls"] != {kind: each * records for kind, each in CALLS[phase].items()}:
            raise Failed(f"{records} {phase} records took {counts['calls']}")
        if counts["records"] != records:
            raise Failed(f"the hub has {counts['records']} records of {records}")
        return counts

    def _counts(self) -> Any:
        return get(f"{self._hub}/_counts")

    def _reset(self, how: str, latency_ms: int) -> None:
        get(f"{self._hub}/{how}?latency_ms={latency_ms}")

    def change(self, rows: int) -> None:
        """Change all rows in P21, of which there are so many from now on."""
        get(f"{self._source}/_change?rows={rows}")


def _ended(one: Daemon) -> bool:
    if one.process.ended:
        raise Failed(f"p21d has ended: {one.process.output()[-4000:]}")
    return False


def _phase(counts: Mapping[str, Any], cpu_seconds: float, seconds: float) -> Phase:
    return Phase(
        seconds=seconds,
        sent_bytes=counts["bytes"],
        most_at_once=counts["most_at_once"],
        cpu_seconds=cpu_seconds,
    )


@contextmanager
def both_servers() -> Iterator[Sides]:
    """Run the hub and the P21; give both sides."""
    with server("hub_server") as hub, server("hub_source") as source:
        yield Sides(hub, source)


def compare(sides: Sides, records: int, latency_ms: int, rounds: int) -> list[Case]:
    """Let both sides take turns and return the three cases."""
    ours: list[dict[str, Phase]] = []
    bare: list[dict[str, Phase]] = []
    for number in range(rounds):
        for side in ("bare", "p21d") if number % 2 == 0 else ("p21d", "bare"):
            if side == "bare":
                bare.append(sides.bare(records, latency_ms))
                continue
            with tempfile.TemporaryDirectory(prefix="p21d-bench-") as name:
                ours.append(sides.p21d(Path(name), records, latency_ms))
    return [_case(phase, records, latency_ms, ours, bare) for phase in CALLS]


def _case(
    phase: str, records: int, latency_ms: int, ours: list[dict[str, Phase]], bare: list[dict[str, Phase]]
) -> Case:
    mine = [one[phase] for one in ours]
    other = [one[phase] for one in bare if phase in one]
    for one in other:
        if abs(one.sent_bytes / mine[0].sent_bytes - 1) > BODIES_DIFFER:
            raise Failed(f"p21d sent {mine[0].sent_bytes} bytes for {phase}, the bare client {one.sent_bytes}")
    seconds = median(one.seconds for one in mine)
    bare_seconds = median(one.seconds for one in other) if other else None
    return Case(
        phase=phase,
        records=records,
        latency_ms=latency_ms,
        p21d_per_second=records / seconds,
        bare_per_second=records / bare_seconds if bare_seconds else None,
        ratio=bare_seconds / seconds if bare_seconds else None,
        target=_target(phase, records, latency_ms),
        calls_per_record=float(sum(CALLS[phase].values())),
        most_at_once=max(one.most_at_once for one in mine),
        cpu_seconds_per_1000=median(one.cpu_seconds for one in mine) / records * 1000,
    )


def _target(phase: str, records: int, latency_ms: int) -> float | None:
    if phase == "unchanged":
        return None
    return TARGETS.get((records, latency_ms)) if latency_ms else TARGETS[phase, 0]


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """Measure each size at each latency; 20,000 records in one round only, since at 50 ms that takes ten minutes."""
    sizes = [(records, latency_ms) for latency_ms in (0, 50) for records in (QUICK_SIZES if quick else SIZES)]
    cases = measure_sizes(sizes, rounds=1 if quick else 3)
    return [asdict(case) for case in cases]


def measure_sizes(sizes: Sequence[tuple[int, int]], *, rounds: int) -> list[Case]:
    """Measure these (records, latency in ms)."""
    cases: list[Case] = []
    with both_servers() as sides:
        for records, latency_ms in sizes:
            print(f"{records:,} records, {latency_ms} ms, hub", file=sys.stderr, flush=True)
            cases += compare(sides, records, latency_ms, 1 if records >= ONCE_RECORDS else rounds)
    return cases


def show(results: Sequence[dict[str, Any]]) -> str:
    """Return the table of these results."""
    return as_table([Case(**one) for one in results])


def as_table(cases: Sequence[Case]) -> str:
    """Return the cases as a table."""
    columns = ("records", "hub ms", "phase", "bare/s", "p21d/s", "ratio", "wanted", "calls each", "CPU s/1,000")
    rows = [
        (
            f"{case.records:,}",
            case.latency_ms,
            case.phase,
            case.bare_per_second,
            case.p21d_per_second,
            case.ratio,
            case.target,
            int(case.calls_per_record),
            case.cpu_seconds_per_1000,
        )
        for case in cases
    ]
    notes = [f"{CONNECTIONS} connections on both sides; calls each: asserted from the hub's counts"]
    return table("Hub path: p21d beside a bare client", columns, rows, notes)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, nargs="+", default=[250, 1000])
    parser.add_argument("--latency-ms", type=int, nargs="+", default=[0, 50])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    sizes = [(records, latency) for latency in asked.latency_ms for records in asked.records]
    print(as_table(measure_sizes(sizes, rounds=asked.rounds)))


if __name__ == "__main__":
    main()
