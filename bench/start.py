"""How long a daemon takes from the start of its process to READY, as systemd sees it, beside its imports alone.

A real notify socket stands in for systemd's. The store is made anew at each start; the files of Python's modules are in
the kernel's cache. The baseline is an interpreter that imports the libraries p21d stands on, and does nothing.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.daemon import daemon, item_settings, server
from bench.process import Failed, run
from bench.table import median

LIBRARIES = "import aiohttp, aiosqlite, anyio, msgspec, pluggy, structlog, uvloop, yaml"
LATE_SECONDS = 30.0


def measure(starts: int) -> dict[str, Any]:
    """Start daemons one after the other, each beside a bare interpreter, and end them."""
    ready: list[float] = []
    imports: list[float] = []
    with server("hub_server") as hub, server("hub_source") as source:
        for _ in range(starts):
            imports.append(run([sys.executable, "-c", LIBRARIES]).wall_seconds)
            with tempfile.TemporaryDirectory(prefix="p21d-bench-") as name:
                ready.append(seconds_to_ready(Path(name), source, hub))
    return {
        "starts": starts,
        "ready_seconds": median(ready),
        "longest_seconds": max(ready),
        "libraries_seconds": median(imports),
    }


def seconds_to_ready(folder: Path, source: str, hub: str) -> float:
    """Return the seconds until READY."""
    made, address = item_settings(folder, source, hub), str(folder / "notify.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(address)
        notified.settimeout(LATE_SECONDS)
        began = time.perf_counter()
        with daemon(folder, made, {"NOTIFY_SOCKET": address}) as one:
            try:
                while b"READY=1" not in notified.recv(4096).splitlines():
                    pass
            except TimeoutError:
                raise Failed(f"p21d is not ready: {one.process.output()[-4000:]}") from None
            return time.perf_counter() - began
