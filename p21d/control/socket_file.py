"""The control socket as a file: never wider than 0660, never another daemon's, gone when we go.

A socket file that nobody listens on is what a killed daemon leaves behind, and is replaced. Anything else at that path
is somebody's and is left alone.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

from p21d.errors import AlreadyRunning, ConfigError, PermissionRefused

CONFIG_KEY = "control.socket"
_LONGEST_PATH_BYTES = 107  # sun_path of Linux holds 108 with its closing zero
_BACKLOG = 64
_PROBE_SECONDS = 1.0


class SocketFile:
    """A listening Unix socket and the file it stands for."""

    def __init__(self, path: Path) -> None:
        """Listen at `path`; raises ConfigError, PermissionRefused or AlreadyRunning."""
        self.path = path
        _check_place(path)
        _remove_stale(path)
        self.listener = _bind(path)
        self._identity = _identity(path)

    def group(self) -> int | None:
        """Return the group that may connect; asked each time, since the administrator may change it."""
        try:
            return self.path.stat().st_gid
        except OSError:
            return None

    def close(self) -> None:
        """Stop listening; remove the file unless another daemon has put its own there meanwhile."""
        self.listener.close()
        if self._identity is not None and _identity(self.path) == self._identity:
            with contextlib.suppress(OSError):
                self.path.unlink()


def _check_place(path: Path) -> None:
    if len(os.fsencode(path)) > _LONGEST_PATH_BYTES:
        hint = f"a socket's path has at most {_LONGEST_PATH_BYTES} bytes"
        raise ConfigError(f"{path} is too long", path=CONFIG_KEY, hint=hint)
    if not path.parent.is_dir():
        hint = f"create it (mkdir {path.parent}), or RuntimeDirectory= in the systemd unit creates it"
        raise ConfigError(f"the folder {path.parent} does not exist", path=CONFIG_KEY, hint=hint)


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except PermissionError as error:
        raise _not_permitted(path, error) from error
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"{path} is there and is no socket", path=CONFIG_KEY, hint="name another path, or remove it")
    before = _identity(path)
    if _somebody_listens(path):
        raise AlreadyRunning(f"a daemon listens on {path} already", hint=f"p21d --socket {path} status shows it")
    if _identity(path) == before:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _not_permitted(path, error) from error


def _somebody_listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except PermissionError as error:
            raise _not_permitted(path, error) from error
        except OSError:
            return True  # a full backlog times out: it is slow, not gone
    return True


def _bind(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    # The mask comes before bind: a chmod after it would leave an instant in which anyone may connect.
    mask = os.umask(0o117)
    try:
        listener.bind(str(path))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _not_permitted(path, error) from error
    finally:
        os.umask(mask)
    return listener


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _not_permitted(path: Path, error: OSError) -> PermissionRefused:
    hint = f"user {os.geteuid()} needs write permission on {path.parent}"
    return PermissionRefused(f"{CONFIG_KEY}: {path} cannot be used: {error.strerror}", hint=hint)
