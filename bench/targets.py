"""What the design asks for, and whether a run reached it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.peers import sides
from bench.table import table

ROWS = 100_000
MOST_ROWS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Target:
    """One number: at least or at most so much is wanted; `value` is None where it was not measured."""

    words: str
    value: float | None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def wanted(self) -> str:
        """Return the bound in words."""
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"

    @property
    def reached(self) -> bool | None:
        """Return whether it is, None where it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.at_least if self.at_least is not None else self.value <= (self.at_most or 0.0)


def targets(results: Mapping[str, Any]) -> list[Target]:
    """Return all of them, whatever parts have run."""
    return [
        *read_targets(results.get("read", {"summary": []})["summary"]),
        *hub_targets(results.get("hub", [])),
        *operation_targets(results.get("operation")),
    ]


def read_targets(lines: Sequence[Mapping[str, Any]]) -> Iterator[Target]:
    """Yield those of the read path."""

    def value(side: str, member: str, rows: int = ROWS, latency_ms: float = 0.0) -> float | None:
        asked = (side, rows, latency_ms)
        return next((one[member] for one in lines if (one["side"], one["rows"], one["latency_ms"]) == asked), None)

    ours = sides.P21D.name
    yield Target(words=f"{ROWS:,} rows, of the floor", value=value(ours, "of_floor"), at_least=0.45)
    for peer in ("dlt", "singer-sdk", "airbyte-cdk"):
        yield Target(words=f"{ROWS:,} rows, times {peer}", value=value(peer, "p21d_is_times"), at_least=5)
    slow = value(ours, "of_floor", latency_ms=50.0)
    yield Target(words=f"{ROWS:,} rows at 50 ms, of the floor", value=slow, at_least=1)
    unchanged = value(sides.UNCHANGED.name, "of_floor")
    yield Target(words=f"{ROWS:,} unchanged rows, of the floor", value=unchanged, at_least=0.5)
    small, large = value(ours, "peak_mb"), value(ours, "peak_mb", rows=MOST_ROWS)
    growth = large / small if large and small else None
    yield Target(words=f"peak memory, {MOST_ROWS:,} rows against {ROWS:,}", value=growth, at_most=1.05)
    yield Target(words=f"peak memory at {MOST_ROWS:,} rows, MB", value=large, at_most=90)


def hub_targets(cases: Sequence[Mapping[str, Any]]) -> Iterator[Target]:
    """Yield those of the hub path."""
    for case in cases:
        if case["target"] is not None:
            words = f"{case['records']:,} {case['phase']} records, hub {case['latency_ms']} ms, of a bare client"
            yield Target(words=words, value=case["ratio"], at_least=case["target"])


def operation_targets(results: Mapping[str, Any] | None) -> Iterator[Target]:
    """Yield those of a living daemon."""
    if results is None:
        return
    yield Target(words="start to READY, s", value=results["start"]["ready_seconds"], at_most=0.5)
    yield Target(words="idle, % of a core", value=results["idle"]["of_a_core"] * 100, at_most=1)
    yield Target(words="idle, MB", value=results["idle"]["resident_mb"], at_most=80)
    yield Target(words="store, bytes a key", value=results["store"]["bytes_per_key"], at_most=300)


def show(results: Mapping[str, Any]) -> str:
    """Return the table of those that were measured."""
    found = [target for target in targets(results) if target.value is not None]
    rows = [(target.words, target.wanted, target.value, target.reached) for target in found]
    notes = ["hub calls per record are asserted while measuring, requests a page by tests/engine/test_costs.py"]
    return table("Targets", ("target", "wanted", "measured", "reached"), rows, notes)
