"""The lives of daemons: each line on stdin is a life, a forked process that may end itself at one of its named steps.

python -m tests.faults.lives

A line is a JSON object: the `log`, which takes the life's stderr, and the values of a Life. It is answered with the
process's id, and with its exit code once it has ended. One life at a time.

Why forked: a start costs 1.5 seconds of a core, nearly all of it imports. A life is a process like any other, with its
own store, sockets and end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import msgspec

import p21d.daemon
from p21d.cli import main as command_line
from p21d.clock import SystemClock
from p21d.logs import configure
from p21d.settings import read_settings
from tests.faults.engine_bugs import BUGS
from tests.faults.hurried import hurried

CUT = 86
"""The exit code of a life that was ended at its step."""


class Life(msgspec.Struct, kw_only=True):
    """What one process does: a `command` of p21d as it stands, or else the daemon on a `config`.

    `bug` is one of engine_bugs.py, `step` where the daemon ends with `os._exit`, at its passing number `times`;
    `settle_seconds` is the settle time of orders, where it is not the configuration's.
    """

    log: str
    command: list[str] = []
    config: str = ""
    bug: str = ""
    step: str = ""
    times: int = 1
    settle_seconds: float | None = None


def main() -> None:
    for line in sys.stdin:
        life = msgspec.json.decode(line, type=Life)
        process = os.fork()
        if not process:
            live(life)
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
        sys.stdout.flush()


def live(life: Life) -> None:
    """Run to the end in this process, which never returns."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the lines are not this process's
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(life.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
        code = command_line(life.command) if life.command else serve(life)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  # this process must end here, and nowhere above
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def serve(life: Life) -> int:
    config, registry = read_settings(Path(life.config))
    if life.settle_seconds is not None:
        config = hurried(config, life.settle_seconds)
    if life.bug:
        BUGS[life.bug]()
    logs, ending = configure(config.log.level, config.log.format), cutting(life.step, life.times)
    options = {"use_uvloop": True}
    anyio.run(p21d.daemon.serve, config, registry, logs, SystemClock(), ending, backend_options=options)
    return 0


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
