"""Ends a plug-in's function that does not come back: while it runs, no other entity, no answer and no signal is served.

A timer of the operating system looks every LOOP_SECONDS whether the same call is still under way as at the look before,
and then raises inside it. So a page of many slow rows is never ended, and one call between one and two periods after it
began.

Why a BaseException: `except Exception` in the plug-in must not swallow it. Why a timer and no thread: only a signal
reaches the main thread in the middle of a plug-in's bytecode. Off the main thread there is no timer.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

LOOP_SECONDS = 2.0

T = TypeVar("T")


class NotComingBack(BaseException):
    """Raised inside a plug-in's function that has run for too long."""

    def __str__(self) -> str:
        return f"it had not come back after {LOOP_SECONDS:g} s"


class Calls:
    """The calls of one armed block; each `next` begins another one."""

    def __init__(self) -> None:
        self._number = 0
        self._seen = -1

    def next(self) -> None:
        """Note that another call begins."""
        self._number += 1

    def look(self, _signal: int, _frame: object) -> None:
        """Raise NotComingBack where the same call is under way as at the look before; a signal handler."""
        if self._number == self._seen:
            raise NotComingBack
        self._seen = self._number


@contextmanager
def armed() -> Iterator[Calls]:
    """Arm the timer for the block, which awaits nothing."""
    calls = Calls()
    if threading.current_thread() is not threading.main_thread():
        yield calls
        return
    before = signal.signal(signal.SIGALRM, calls.look)
    try:
        signal.setitimer(signal.ITIMER_REAL, LOOP_SECONDS, LOOP_SECONDS)
        yield calls
    finally:
        calls.next()  # the last call has come back: a look that is due right now must not raise
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def called(function: Callable[[], T]) -> T:
    """Call a plug-in's function once; raises what it raises as an Exception, RuntimeError where it would end us."""
    try:
        with armed():
            return function()
    except Exception:
        raise
    except BaseException as error:
        raise RuntimeError(f"{type(error).__name__}: {error}") from error
