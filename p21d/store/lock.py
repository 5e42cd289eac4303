"""One daemon per store: a lock on a file beside it, which the system drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from p21d.errors import AlreadyRunning
from p21d.store.failure import explained


class StoreLock:
    """Holds the lock file of a store until released."""

    def __init__(self, store_path: Path) -> None:
        self._store_path = store_path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; raises AlreadyRunning naming the process that holds it.

        Raises PermissionRefused, StoreFull or StoreError where the lock's file cannot be written.
        """
        # A store reached through a symbolic link has one lock, not one per name.
        path = Path(os.path.realpath(self._store_path))
        path = path.with_name(path.name + ".lock")
        with explained(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                self._take(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
        self._descriptor = descriptor

    def _take(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 64).decode("ascii", "replace").strip() or "another process"
            message = f"the store {self._store_path} is in use by {holder}"
            raise AlreadyRunning(message, hint="stop that daemon first, or give this one its own store.path") from error
        # Written before it is cut: a full disk still has room for what stood there.
        os.ftruncate(descriptor, os.pwrite(descriptor, f"p21d, pid {os.getpid()}\n".encode(), 0))

    def release(self) -> None:
        """Drop the lock; the file stays, so that nobody locks a file that another has just removed."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
