"""The daemon with a settle time of orders that is shorter than a file may say.

python -m tests.faults.hurried CONFIG SETTLE_SECONDS
"""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
from msgspec.structs import replace

from p21d.clock import SystemClock
from p21d.config import Config
from p21d.daemon import serve
from p21d.logs import configure
from p21d.settings import read_settings


def main(config_path: str, settle_seconds: str) -> None:
    config, registry = read_settings(Path(config_path))
    config, logs = hurried(config, float(settle_seconds)), configure(config.log.level, config.log.format)
    anyio.run(serve, config, registry, logs, SystemClock(), backend_options={"use_uvloop": True})


def hurried(config: Config, settle_seconds: float) -> Config:
    """Return the configuration with that settle time of orders."""
    return replace(config, orders=replace(config.orders, settle=settle_seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
