"""What torture tells: a line per run, the line of them all, and of a run that failed what to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from p21d.torture.run import Outcome

MOST_SHOWN = 10


class Report(msgspec.Struct, kw_only=True):
    """All runs together; `failed` are the seeds that broke a promise."""

    seeds: int
    kills: int
    faults: int
    changes: int
    lost: int
    doubled: int
    orders_done: int
    orders_placed: int
    told: int
    failed: list[int]
    runs: list[Outcome]


def report(runs: Sequence[Outcome]) -> Report:
    """Add the runs up."""
    return Report(
        seeds=len(runs),
        kills=sum(run.counts.get("kills", 0) for run in runs),
        faults=sum(run.counts.get("faults", 0) for run in runs),
        changes=sum(run.counts.get("changes", 0) for run in runs),
        lost=sum(len(run.verdict.lost) for run in runs),
        doubled=sum(len(run.verdict.doubled) for run in runs),
        orders_done=sum(run.verdict.orders_done for run in runs),
        orders_placed=sum(run.verdict.orders_placed for run in runs),
        told=sum(len(run.verdict.told) for run in runs),
        failed=[run.seed for run in runs if not run.good],
        runs=list(runs),
    )


def summary(found: Report) -> str:
    """Return the line of all runs: `seeds 100, kills 412, faults 9,317, lost 0, doubled 0, orders 2,000 of 2,000`."""
    names = ("seeds", "kills", "faults", "lost", "doubled")
    line = ", ".join(f"{name} {getattr(found, name):,}" for name in names)
    told = f", {found.told:,} held with a reason" if found.told else ""
    return f"{line}, orders {found.orders_done:,} of {found.orders_placed:,}{told}"


def run_line(run: Outcome) -> str:
    """Return the line of one run."""
    counts, verdict = run.counts, run.verdict
    parts = [f"{name} {counts.get(name, 0):,}" for name in ("kills", "faults", "changes")]
    parts.append(f"orders {verdict.orders_done} of {verdict.orders_placed}")
    return f"seed {run.seed}: {', '.join(parts)}, {run.seconds:.0f} s, {'good' if run.good else 'FAILED'}"


def told_lines(run: Outcome) -> Iterator[str]:
    """Yield the orders that were not written, each with the reason a person was told."""
    yield from (f"seed {run.seed}, not written: {told}" for told in run.verdict.told)


def failure_lines(run: Outcome, *, length_seconds: float) -> Iterator[str]:
    """Yield what broke, where its log and store are, and how to run it again."""
    found = (
        ("lost", run.verdict.lost),
        ("doubled", run.verdict.doubled),
        ("passed by a watermark without a fate", run.ahead),
        ("broken", run.broken),
    )
    for name, cases in found:
        for case in cases[:MOST_SHOWN]:
            yield f"seed {run.seed}, {name}: {case}"
        if len(cases) > MOST_SHOWN:
            yield f"seed {run.seed}, {name}: and {len(cases) - MOST_SHOWN} more"
    yield f"seed {run.seed}: log and store are in {run.folder}"
    yield f"seed {run.seed}: p21d torture --seed {run.seed} --seconds {length_seconds:g} replays its schedule"
