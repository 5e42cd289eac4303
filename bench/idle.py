"""What a daemon takes that has nothing to do: all built-in entities on, everything as shipped, both sides in step.

    python -m bench.idle --seconds 120

The simulators run in this process, the daemon in its own. The last line is JSON: share of a core, wake-ups a second
(how often its threads gave up the processor by themselves), and megabytes held.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from bench.daemon import BUILT_IN, Daemon, daemon, settings
from p21d.sandbox.hub import HubSandbox
from p21d.sandbox.prophet21 import P21Sandbox
from p21d.sandbox.serve import name_carriers

ROWS = 2000
SETTLE_SECONDS = 20.0
"""After the last first sweep: what it has released is delivered by then."""


def watch(folder: Path, p21_url: str, hub_url: str, seconds: float) -> dict[str, Any]:
    """Run the daemon until it is in step, and then watch it."""
    with daemon(folder, settings(folder, p21_url, hub_url, {})) as one:
        until_swept(one)
        time.sleep(SETTLE_SECONDS)
        one.cycles()
        cpu, switches = one.process.cpu_seconds(), one.process.switches()
        time.sleep(seconds)
        return {
            "seconds": seconds,
            "polls": len(one.cycles()),
            "of_a_core": (one.process.cpu_seconds() - cpu) / seconds,
            "wake_ups_per_second": (one.process.switches() - switches) / seconds,
            "resident_mb": one.process.resident_mb(),
            "peak_mb": one.process.peak_mb(),
        }


def until_swept(one: Daemon) -> None:
    """Wait until each entity has ended its first sweep."""
    missing = set(BUILT_IN)

    def swept(cycle: dict[str, Any]) -> bool:
        if cycle["kind"] == "sweep":
            missing.discard(cycle["entity"])
        return not missing

    one.until_cycle("the first sweeps", swept)


async def measure(seconds: float) -> None:
    """Serve both sides, watch and print."""
    with tempfile.TemporaryDirectory(prefix="p21d-idle-") as name, P21Sandbox(rows=ROWS) as p21:
        hub = HubSandbox(keep_requests=10)
        name_carriers(hub)
        async with p21.serve() as p21_url, hub.serve() as hub_url:
            print(json.dumps(await to_thread.run_sync(watch, Path(name), p21_url, hub_url, seconds)))


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0)
    anyio.run(measure, parser.parse_args().seconds)


if __name__ == "__main__":
    main()
