"""One append-only file of JSON lines: whole lines only, durable when `append` returns, no line ever deleted.

What a crash left of a line is cut off before the next append, and what a full disk left at once, so that a reader that
follows the file sees only whole lines. A full file is renamed to `.1`, `.2` and so on, the highest number the newest: a
name, once given, stays.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_BLOCK_BYTES = 65_536


def append(file: Path, lines: bytes, max_bytes: int) -> None:
    """Write `lines` and sync them; rotate first where the file has `max_bytes` (0: never). Raises OSError."""
    new = not file.exists()
    if not new and max_bytes and file.stat().st_size >= max_bytes:
        file.rename(_rotated(file))
        new = True
    # opened for each append, so that a file moved away by the operator is simply begun anew
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    try:
        _write(descriptor, lines, _cut_torn_line(descriptor))
    finally:
        os.close(descriptor)
    if new:
        _sync_folder(file.parent)


def _write(descriptor: int, lines: bytes, size: int) -> None:
    rest = memoryview(lines)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):  # the next append cuts it off too
            os.ftruncate(descriptor, size)
        raise


def _cut_torn_line(descriptor: int) -> int:
    """Shorten the file to its last whole line and return its size."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - _BLOCK_BYTES)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
    return end


def _rotated(file: Path) -> Path:
    numbers = [int(suffix) for old in file.parent.glob(f"{file.name}.*") if (suffix := old.suffix[1:]).isdigit()]
    return file.with_name(f"{file.name}.{max(numbers, default=0) + 1}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
