"""What the log keeps of a hang: the tree of all tasks with where each one waits, and the last call to each system.

Places only, never values: a file, a line and a function hold no secret and no customer.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio

from p21d.engine.watch import Watch

MAX_TASKS = 200
PLACES = 6
"""Innermost lines shown of each task."""
_SUSPENDED = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")


def task_tree() -> list[str]:
    """Return one line a task, indented under the task that started it, with the innermost places of its stack."""
    tasks = anyio.get_running_tasks()
    ids = {task.id for task in tasks}
    children: dict[int | None, list[anyio.TaskInfo]] = {}
    for task in tasks:
        children.setdefault(task.parent_id if task.parent_id in ids else None, []).append(task)

    def lines(parent: int | None, depth: int) -> Iterator[str]:
        for task in children.get(parent, ()):
            yield f"{'  ' * depth}{task.name}: {' < '.join(reversed(places(task.coro)[-PLACES:]))}"
            yield from lines(task.id, depth + 1)

    tree = list(lines(None, 0))
    more = len(tree) - MAX_TASKS
    return [*tree[:MAX_TASKS], f"and {more} more"] if more > 0 else tree


def places(awaited: Any) -> list[str]:
    """Return where a coroutine waits, as `file:line function`, from its outermost frame to its innermost."""
    found: list[str] = []
    seen: set[int] = set()
    while awaited is not None and id(awaited) not in seen:
        seen.add(id(awaited))
        frame = next((value for name in _SUSPENDED if (value := getattr(awaited, name, None)) is not None), None)
        if frame is not None:
            file = Path(frame.f_code.co_filename)
            found.append(f"{file.parent.name}/{file.name}:{frame.f_lineno} {frame.f_code.co_name}")
        awaited = _below(awaited)
    return found


def _below(awaited: Any) -> Any:
    """Return what a suspended object waits for, None at the innermost."""
    if any(hasattr(awaited, name) for name in _AWAITED):
        return next((value for name in _AWAITED if (value := getattr(awaited, name, None)) is not None), None)
    # `anext()` of an async generator hides it, and so does the iterator of `__await__`
    hidden = gc.get_referents(awaited)
    return next((one for one in hidden if any(getattr(one, name, None) is not None for name in _SUSPENDED)), None)


def last_calls(watch: Watch) -> list[str]:
    """Return the last call to each system, without the values of its query, and what came of it."""
    now = watch.now()
    return [
        f"{system}: {last.call.method} {last.call.address}, {now - last.began:.0f} s ago, "
        + (last.call.answer or "no answer yet")
        for system, last in sorted(watch.calls.items())
    ]
