"""The lives of daemons: each line on stdin is a life, a forked process that ends itself at one of its named steps.

python -m tests.faults.lives

A line is a JSON array of five: configuration, log, the bug of engine_bugs.py that this life has, the step at which it
ends with `os._exit`, and at which passing of it. It is answered with the process's id, and with its exit code once it
has ended.

Why forked: a start costs 1.5 seconds of a core, nearly all of it imports. A life is a process like any other, with its
own store, sockets and end.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import anyio

from p21d.clock import SystemClock
from p21d.daemon import serve
from p21d.logs import configure
from p21d.settings import read_settings
from tests.faults.engine_bugs import BUGS

CUT = 86
"""The exit code of a life that was ended at its step."""


def main() -> None:
    for line in sys.stdin:
        life = json.loads(line)
        process = os.fork()
        if not process:
            live(*life)
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
        sys.stdout.flush()


def live(config_path: str, log_path: str, bug: str, step: str, times: int) -> None:
    """Run the daemon to its end in this process, which never returns."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the lines are not this process's
        os.dup2(os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
        config, registry = read_settings(Path(config_path))
        if bug:
            BUGS[bug]()
        logs = configure(config.log.level, config.log.format)
        ending = cutting(step, times)
        anyio.run(serve, config, registry, logs, SystemClock(), ending, backend_options={"use_uvloop": True})
        code = 0
    except BaseException:  # noqa: BLE001  # this process must end here, and nowhere above
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def cutting(step: str, times: int) -> Callable[[str], None]:
    """Return what ends the process when a step is passed for that time; without a step nothing does."""
    left = times

    def passed(name: str) -> None:
        nonlocal left
        left -= name == step
        if name == step and left == 0:
            os._exit(CUT)

    return passed


if __name__ == "__main__":
    main()
