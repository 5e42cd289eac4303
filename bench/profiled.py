"""Where p21d's processor time goes on the read path: its share by module, from samples of a running daemon.

    python -m bench.profiled [--rows 400000] [--entity bench_item]

A sampler looks at all threads of the daemon while it reads the rows into files; a sample counts for the innermost
function of p21d or of the plug-in that is on the stack, so that a library's time is its caller's. The first run is the
delivery, the second the sweep over what has not changed.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bench.peers import sides
from bench.peers.sides import Place
from bench.process import Process
from bench.table import table

SAMPLES_PER_SECOND = 250
OURS = re.compile(r"([^ ;]+) \(((?:p21d|plugins?)/[^:;]+|bench_item\.py|[^;]*/(?:p21d|plugins)/[^:;]+):\d+\)")
LEAST = 0.01


def profile(place: Place, config: Path) -> Counter[str]:
    """Run a daemon on this configuration until its first sweep has ended; return its samples by function."""
    file = place.folder / "samples.txt"
    with Process([sys.executable, "-m", "p21d", f"--config={config}", "run"], cwd=place.folder) as process:
        command = ["py-spy", "record", "--pid", process.pid, "--format", "raw", "--rate", SAMPLES_PER_SECOND]
        command[0] = Path(sys.executable).with_name("py-spy")
        with Process([str(part) for part in [*command, "--duration", 1800, "--output", file]]) as sampler:
            sides.first_sweep(process)
            process.stop()
            sampler.wait(60.0, check=False)
    return counted(file.read_text().splitlines())


def counted(lines: Iterable[str]) -> Counter[str]:
    """Return how many samples have each function of ours as their innermost one."""
    counts: Counter[str] = Counter()
    for line in lines:
        stack, _, number = line.rpartition(" ")
        found = OURS.findall(stack)
        name, path = found[-1] if found else ("", "elsewhere")
        counts[f"{Path(path).parent.name}/{Path(path).name} {name}".strip()] += int(number)
    return counts


def show(title: str, counts: Counter[str]) -> str:
    """Return the table of those with at least one sample in a hundred."""
    whole = counts.total()
    rows = [(name, 100 * count / whole) for name, count in counts.most_common() if count >= LEAST * whole]
    rest = 100 - sum(share for _, share in rows)
    return table(title, ("function", "% of samples"), [*rows, ("all others", rest)], [f"{whole:,} samples"])


def main() -> None:
    """Profile a delivery, then a sweep over the same rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--entity", default="bench_item")
    asked = parser.parse_args()
    with sides.page_server(asked.rows) as server, tempfile.TemporaryDirectory(prefix="p21d-bench-") as name:
        place = Place(server=server, folder=Path(name), rows=asked.rows)
        config = place.folder / "p21d.yaml"
        sides.write_config(place, asked.entity, config)
        for title in ("delivered", "unchanged"):
            print(show(f"{asked.rows:,} rows, {title}", profile(place, config)), flush=True)
            time.sleep(1.0)


if __name__ == "__main__":
    main()
