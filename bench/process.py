"""Runs a measured command as a process of its own: how long it took, what processor time and how much memory.

The kernel counts: `wait4` gives processor time and peak memory of exactly this process, its threads included. A child
begins with the peak of its parent in that count (Linux carries it over `exec`), so whoever measures stays small and
imports nothing large.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

LOOK_SECONDS = 0.01
SHOWN_CHARS = 6_000


class Failed(Exception):
    """A measured process ended with an error, too late, or with a wrong result; the text holds its last output."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What a process took; processor time is user and system, memory is the peak."""

    code: int
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str


class Process:
    """One process, started at once; stdout and stderr go to a file, so that it never waits for a reader.

    As a context it is ended, by its own pid, when the block is left.
    """

    def __init__(
        self, command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        """Start the command; `env` is added to this process's environment."""
        self.command = [str(part) for part in command]
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._began = time.perf_counter()
        environment = {**os.environ, **(env or {})}
        self._process = subprocess.Popen(
            self.command, cwd=cwd, env=environment, stdout=self._file, stderr=subprocess.STDOUT
        )
        self._ended: Ended | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ended is None:
            self._process.kill()
            self.wait(10.0, check=False)

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Return whether it has ended."""
        return self._exited()

    def peak_mb(self) -> float:
        """Return its peak memory so far."""
        return int(self._status()["VmHWM"].split()[0]) / 1024

    def resident_mb(self) -> float:
        """Return the memory it holds now."""
        return int(self._status()["VmRSS"].split()[0]) / 1024

    def cpu_seconds(self) -> float:
        """Return its processor time so far, in the kernel's steps of 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def switches(self) -> int:
        """Return how often it gave up the processor by itself so far, all threads: its wake-ups."""
        lines = (thread.read_text() for thread in Path(f"/proc/{self.pid}/task").glob("*/status"))
        return sum(int(_members(text)["voluntary_ctxt_switches"]) for text in lines)

    def output(self) -> str:
        """Return what it has written so far."""
        self._file.flush()
        return Path(f"/proc/self/fd/{self._file.fileno()}").read_text(errors="replace")

    def first_line(self, seconds: float = 60.0) -> dict[str, Any]:
        """Return the JSON object of its first line, as a server prints it; raises Failed where none comes in time."""
        deadline = time.perf_counter() + seconds
        while "\n" not in (text := self.output()):
            if self._exited() or time.perf_counter() > deadline:
                raise Failed(f"{' '.join(self.command)} has printed no line: {text[-SHOWN_CHARS:]}")
            time.sleep(LOOK_SECONDS)
        line: dict[str, Any] = json.loads(text.partition("\n")[0])
        return line

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def stop(self, seconds: float = 30.0) -> Ended:
        """End it (SIGTERM) and return what it took, whatever its exit code."""
        self._process.terminate()
        return self.wait(seconds, check=False)

    def wait(self, seconds: float = 3600.0, *, check: bool = True) -> Ended:
        """Return what it took once it has ended; raises Failed with its output where it takes longer or fails."""
        deadline = time.perf_counter() + seconds
        while not self._exited():
            if time.perf_counter() > deadline:
                raise Failed(f"{' '.join(self.command)} runs for more than {seconds:g} s: {self._shown()}")
            time.sleep(LOOK_SECONDS)
        assert self._ended is not None
        if check and self._ended.code:
            raise Failed(f"{' '.join(self.command)} ended with {self._ended.code}: {self._shown()}")
        return self._ended

    def _exited(self) -> bool:
        if self._ended is not None:
            return True
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if not pid:
            return False
        self._process.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait for it again
        self._ended = Ended(
            code=self._process.returncode,
            wall_seconds=time.perf_counter() - self._began,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_mb=usage.ru_maxrss / 1024,
            output=self.output(),
        )
        return True

    def _status(self) -> dict[str, str]:
        return _members(Path(f"/proc/{self.pid}/status").read_text())

    def _shown(self) -> str:
        return self.output()[-SHOWN_CHARS:]


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_seconds: float = 3600.0,
) -> Ended:
    """Run a command to its end and return what it took; raises Failed with its output where it fails."""
    with Process(command, cwd=cwd, env=env) as process:
        return process.wait(timeout_seconds)


def _members(text: str) -> dict[str, str]:
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}
