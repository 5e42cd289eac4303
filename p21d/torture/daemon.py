"""The daemon that torture runs: `p21d run` in all but one setting.

    python -m p21d.torture.daemon CONFIG SETTLE_SECONDS

`orders.settle` is how long an order must have been absent from P21 before it is sent again. A file allows no less than
a minute, because a real P21 may still be saving; the sandbox saves at once, and a run of seconds cannot wait for it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from p21d import daemon
from p21d.config import Config
from p21d.registry import Registry
from p21d.settings import read_settings


def main(path: str, settle_seconds: str) -> int:
    """Run the daemon until it is told to stop; return its exit code."""

    def read(config_path: Path, **how: Any) -> tuple[Config, Registry]:
        config, registry = read_settings(config_path, **how)
        return replace(config, orders=replace(config.orders, settle=float(settle_seconds))), registry

    daemon.read_settings = read  # type: ignore[attr-defined,unused-ignore]  # reloads read so too; the daemon has no seam for it
    return daemon.run(Path(path))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
