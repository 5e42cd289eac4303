"""What nobody catches is printed on stderr without secrets: Python's own words for it would show them.

An error's message may quote what a system answered, and the traceback of a group of errors holds every one of theirs.
"""

from __future__ import annotations

import sys
import threading
import traceback

from p21d.redactor import KNOWN


def show_crashes_without_secrets() -> None:
    """Take over what Python prints for errors that end the process or a thread, or that nobody can raise."""
    sys.excepthook = lambda _kind, error, _trace: _show(error)
    threading.excepthook = lambda crash: _show(crash.exc_value, f"in thread {crash.thread and crash.thread.name}")
    sys.unraisablehook = lambda crash: _show(crash.exc_value, f"{crash.err_msg or 'ignored in'}: {crash.object!r}")


def _show(error: BaseException | None, where: str = "") -> None:
    lines = traceback.format_exception(error) if error is not None else []
    sys.stderr.write(KNOWN.text("".join([where and f"{where}\n", *lines])))
    sys.stderr.flush()
