"""The daemon with a short settle time of orders, ended by its own SIGKILL at one of its named steps.

python -m tests.faults.stepping CONFIG SETTLE_SECONDS [STEP TIMES]
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio
from msgspec.structs import replace

from p21d.clock import SystemClock
from p21d.daemon import serve
from p21d.logs import configure
from p21d.settings import read_settings


def main(config_path: str, settle_seconds: str, step: str = "", times: str = "1") -> None:
    left = int(times)

    def passed(name: str) -> None:
        nonlocal left
        left -= name == step
        if name == step and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    config, registry = read_settings(Path(config_path))
    config = replace(
        config, orders=replace(config.orders, settle=float(settle_seconds))
    )  # a file may not say so little
    logs = configure(config.log.level, config.log.format)
    anyio.run(serve, config, registry, logs, SystemClock(), passed, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main(*sys.argv[1:])
