"""Who may write the plug-ins that the daemon runs: nobody but root, and least of all the daemon itself.

What can write a plug-in runs as p21d from the next reload on, with every credential. So whoever finds a hole in the
daemon, which talks to two systems over the network, must find no door to stay by. For `p21d run` and for reload; on the
command line a plug-in's author works on files that are the author's own.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from p21d.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Writable:
    """A folder or file of plug-ins that somebody may write, and what to do about it."""

    path: Path
    who: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path} may be written by {self.who}, and p21d would run what they write ({self.remedy})"


def refuse_writable_plugins(folders: Iterable[Path], uid: int) -> None:
    """Raise ConfigError where a plug-in may be written by the user `uid`, who runs the daemon, or by group or others.

    Root may write everything, so for uid 0 only the modes count. `uid` is the effective user of this process.
    """
    for found in writable_plugins(folders, uid):
        message = f"{found.path} may be written by {found.who}, and p21d would run what they write"
        raise ConfigError(message, path="plugin_dirs", hint=found.remedy)


def writable_plugins(folders: Iterable[Path], uid: int) -> Iterator[Writable]:
    """Yield each folder and file of plug-ins that somebody but root may write; what is not there is left to others."""
    for path in _places(folders):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            who = "everyone" if mode & stat.S_IWOTH else "its group"
            yield Writable(path, who, f"chmod go-w {path}")
        elif uid != 0 and os.access(path, os.W_OK, effective_ids=True):
            trying = f"to try it out on your own account: chmod a-w {path}"
            yield Writable(path, f"the user who runs p21d ({uid})", f"chown root {path}; {trying}")


def _places(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield folders, their files, and the folders in which linked files stand: whoever writes one of those swaps it."""
    for folder in folders:
        files = sorted(folder.glob("*.py"))
        yield from dict.fromkeys([folder, folder.resolve(), *(file.resolve().parent for file in files), *files])
