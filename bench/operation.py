"""What living with p21d takes: its start, its idle hours, how late a change arrives, a sweep over what has not changed,
how fresh the stocks stay while the products are loaded, and the room of a key in its store.

    python -m bench --only operation
"""  # noqa: D205  # the list is the sentence

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import hub_path, read_path, start
from bench.daemon import daemon, get, item_settings, server, until
from bench.peers import sides
from bench.process import run
from bench.table import median, table

SWEPT_ROWS = 400_000


def measure(*, quick: bool) -> dict[str, Any]:
    """Take all of it, one after the other."""
    small = 10 if quick else 1
    return {
        "start": said(start.measure, 20 // small),
        "idle": script("idle", "--seconds", str(120 // small)),
        "latency": said(latency, 100 // small),
        "sweep": said(sweep, SWEPT_ROWS // small),
        "freshness": script("freshness", "--rows", str(SWEPT_ROWS // small), "--minutes", "2" if quick else "6"),
        "store": script("keys", "--keys", str(2_000_000 // small)),
    }


def said(measured: Any, size: int) -> dict[str, Any]:
    """Measure one thing, and tell whoever watches."""
    result: dict[str, Any] = measured(size)
    print(f"{measured.__module__}.{measured.__name__}: {result}", file=sys.stderr, flush=True)
    return result


def script(name: str, *options: str) -> dict[str, Any]:
    """Run one of the scripts of this folder, which has its simulators in its own process; its last line is JSON."""
    output = run([sys.executable, "-m", f"bench.{name}", *options]).output
    result: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    print(f"bench.{name}: {result}", file=sys.stderr, flush=True)
    return result


def latency(changes: int) -> dict[str, Any]:
    """Return the seconds from a change in P21 to its arrival in the hub, at a poll each second.

    The changes come one at a time, at no fixed moment of the poll; arrival is when the hub has taken the record.
    """
    dice, seconds = random.Random(21), []
    with server("hub_server") as hub, server("hub_source") as source:
        both = hub_path.Sides(hub, source)
        both.change(0)
        with tempfile.TemporaryDirectory(prefix="p21d-bench-") as name:
            folder = Path(name)
            with daemon(folder, item_settings(folder, source, hub, poll_interval="1s")) as one:
                one.until_cycle("the first sweep", lambda cycle: cycle["kind"] == "sweep")
                for _ in range(changes):
                    time.sleep(1 + dice.random())
                    began = time.monotonic()
                    both.change(1)
                    seconds.append(until(lambda began=began: arrived(hub, began), "a change in the hub", 60.0) - began)
    seconds.sort()
    return {
        "changes": changes,
        "median_seconds": median(seconds),
        "p99_seconds": seconds[min(changes - 1, int(changes * 0.99))],
    }


def arrived(hub: str, began: float) -> float | None:
    """Return when the hub took a record after that moment, on the machine's monotonic clock."""
    return next((at for at in get(f"{hub}/_arrivals").values() if at > began), None)


def sweep(rows: int) -> dict[str, Any]:
    """Return what a sweep over unchanged rows costs, beside the floor over the same pages."""
    chosen = (sides.FLOOR, sides.P21D, sides.UNCHANGED)
    results = read_path.measure(quick=False, sizes=(rows,), latencies_ms=(0.0,), rounds=1, chosen=chosen)
    found = {one["side"]: one for one in results["summary"]}[sides.UNCHANGED.name]
    thousands = rows / 1000
    return {
        "rows": rows,
        "seconds": rows / found["rows_per_second"],
        "of_floor": found["of_floor"],
        "cpu_seconds": found["cpu_seconds_per_1000_rows"] * thousands,
        "requests": round(found["requests_per_1000_rows"] * thousands),
        "peak_mb": found["peak_mb"],
    }


def show(results: dict[str, Any]) -> str:
    """Return the table of these results."""
    begun, idle, late = results["start"], results["idle"], results["latency"]
    swept, fresh, store = results["sweep"], results["freshness"], results["store"]
    rows = [
        ("start to READY, s (median)", begun["ready_seconds"]),
        ("importing its libraries alone, s", begun["libraries_seconds"]),
        ("idle: % of a core", idle["of_a_core"] * 100),
        ("idle: wake-ups a second", idle["wake_ups_per_second"]),
        ("idle: MB held", idle["resident_mb"]),
        ("a change to the hub at a 1 s poll, s (median)", late["median_seconds"]),
        ("a change to the hub at a 1 s poll, s (99 %)", late["p99_seconds"]),
        (f"sweep of {swept['rows']:,} unchanged rows, s", swept["seconds"]),
        (f"sweep of {swept['rows']:,} unchanged rows, CPU s", swept["cpu_seconds"]),
        (f"sweep of {swept['rows']:,} unchanged rows, requests", swept["requests"]),
        (f"sweep of {swept['rows']:,} unchanged rows, MB at most", swept["peak_mb"]),
        ("stock during a first load, s (median)", fresh["median_seconds"]),
        ("stock during a first load, s (99 %)", fresh["p99_seconds"]),
        (f"store: bytes a key at {store['keys']:,} keys", store["bytes_per_key"]),
        ("store: s of the check after a kill", store["check_seconds"]),
    ]
    return table("Operation", ("what", "measured"), rows)
