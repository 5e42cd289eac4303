"""Measures p21d beside its peers and against the physical limit: `make bench`, or parts of it.

    python -m bench [--quick] [--only read,hub,operation] [--json FILE]

Each part is a module with `measure(quick=...)`, which returns its results, and `show(results)`, which returns their
tables. All run on one machine against servers on loopback; times are for orientation, ratios are the results. At the
end stands which of the design's targets were reached; a missed one is no error.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import targets
from bench.process import Failed
from bench.table import write_json

PARTS = {"read": "bench.read_path", "hub": "bench.hub_path", "operation": "bench.operation"}
PEERS = ("p21d", "aiohttp", "msgspec", "uvloop", "dlt", "singer-sdk", "airbyte-cdk")
RESULTS = Path(__file__).parent / "results.json"


def machine() -> dict[str, Any]:
    """Return what it was measured on and with."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory_kb = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory_kb / 2**20, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PEERS},
    }


def main() -> int:
    """Run the parts, print their tables, write their results; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--only", default=",".join(PARTS), help="parts to run, of read, hub, operation")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where to write the results")
    asked = parser.parse_args()
    results: dict[str, Any] = {"machine": machine(), "quick": asked.quick}
    failed = False
    for part in asked.only.split(","):
        module = importlib.import_module(PARTS[part])
        try:
            results[part] = module.measure(quick=asked.quick)
        except Failed as error:
            print(f"{part}: {error}", file=sys.stderr)
            failed = True
            continue
        print(module.show(results[part]), flush=True)
        write_json(asked.json, results)  # after each part: the whole takes long
    print(targets.show(results))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
