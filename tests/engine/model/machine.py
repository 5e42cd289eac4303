"""The model test: hypothesis moves a small world and lets p21d work in it, with faults at any step of it.

Two entities stand in the world, makers and their parts. Rules change it, break it and mend it, and let p21d work: one
task or several beside each other, while mishaps come at drawn steps. After each rule the checks hold that no fault
excuses; at the end all faults stop, and then hub and P21 must agree.
"""

from __future__ import annotations

import asyncio  # noqa: TID251  # hypothesis calls rules synchronously: one loop per example, run rule by rule
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.engine.model.checks import Checks
from tests.engine.model.hub import Name
from tests.engine.model.installation import ENTITIES, Installation, Task
from tests.engine.model.tempo import Mishap

MEMORY = Path("/dev/shm")
"""Where there is one, the store lies in memory: a commit takes 0.02 ms there, and 0.4 ms on a disk."""
NIGHTS = [datetime.fromisoformat(text) for text in ("2026-11-01T04:30:00+00:00", "2027-03-14T05:30:00+00:00")]
"""New York's clocks go back 90 minutes after the first, and forward 90 minutes after the second."""
LATE_SECONDS = 50.0
"""The latest commit; P21's clock and the header in which it shows are within the rest of `settle`."""
ROUNDS = 12

keys = st.integers(1, 12)
small_keys = st.integers(1, 3)
names = st.sampled_from(["a", "b", "c", ""])
entities = st.sampled_from(ENTITIES)
rows = st.tuples(entities, keys)
latencies = st.lists(st.sampled_from([0.0, 0.0, 0.3, 40.0, 130.0]), max_size=4)

CHANGES = st.one_of(
    st.tuples(st.just("rename"), rows, names),
    st.tuples(st.just("rename"), rows, names),
    st.tuples(st.just("rename and back"), rows, names),
    st.tuples(st.just("rename late"), rows, names, st.sampled_from([1.0, 20.0, LATE_SECONDS])),
    st.tuples(st.just("note"), keys, names),
    st.tuples(st.just("note late"), keys, names),
    st.tuples(st.just("label"), small_keys, names),
    st.tuples(st.just("insert"), rows, small_keys),
    st.tuples(st.just("move"), keys, keys),
    st.tuples(st.just("reshelve"), keys, small_keys),
    st.tuples(st.just("flag"), rows, st.booleans()),
    st.tuples(st.just("vanish"), rows),
)
FAULTS = st.one_of(
    st.tuples(st.just("hub down"), st.sampled_from([1, 3, 9])),
    st.tuples(st.just("lose answers"), st.integers(1, 4), st.booleans()),
    st.tuples(st.just("P21 fails"), st.sampled_from([1, 3, 9])),
    st.tuples(st.just("cut pages"), st.integers(1, 2)),
    st.just(("token dies",)),
)
GRUDGES = st.one_of(
    st.tuples(st.just("refuse"), rows),
    st.tuples(st.just("fail"), rows),
    st.just(("take all",)),
)
ENDS = st.sampled_from([("crash",), ("crash",), ("drain",)])
STEPS = st.one_of(
    st.tuples(st.just(""), st.integers(1, 40)),
    st.tuples(st.sampled_from(["about to commit", "committed"]), st.integers(1, 8)),
    st.tuples(st.sampled_from(["P21 is asked", "hub is asked", "hub has answered"]), st.integers(1, 5)),
)
MISHAPS = st.lists(st.tuples(STEPS, st.one_of(CHANGES, FAULTS, GRUDGES, ENDS)), max_size=4)
CRASHES = st.lists(st.tuples(STEPS, ENDS), min_size=2, max_size=4)
TIMES = st.tuples(
    st.just("time passes"), st.sampled_from([70.0, 130.0, 700.0, 3600.0, 3 * 3600.0, 26 * 3600.0, 6 * 86_400.0])
)
"""Up to days, in which the machine has slept."""
WINDOWS = ("poll", "sweep", "release", "trigger poll", "trigger sweep", "backfill", "waiting time")
TASKS = st.one_of(
    st.builds(Task, st.sampled_from(WINDOWS), entities),
    st.builds(Task, st.just("sync keys"), entities, keys=st.tuples(keys, keys), force=st.booleans()),
    st.builds(Task, st.just("sync"), entities, hours=st.integers(1, 200), force=st.booleans()),
)
BESIDE = st.lists(
    st.tuples(st.sampled_from([0.0, 0.02, 0.05, 5.0, 60.0]), TASKS),
    min_size=1,
    max_size=3,
    unique_by=lambda pair: (pair[1].kind, pair[1].entity),
)

What = tuple[Any, ...]
"""A change, a fault or an end: the words after `_` in the name of the method that does it, and its values."""
Later = tuple[float, Task | Callable[[], None]]
Planned = Sequence[tuple[tuple[str, int], What]]


class Model(RuleBasedStateMachine):
    """The world, p21d in it, and what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self._loop = asyncio.Runner()
        self._started = False

    # the world begins

    @initialize(drops_offsets=st.booleans(), slots=st.sampled_from([1, 2, 4]))
    def begin(self, *, drops_offsets: bool, slots: int) -> None:
        """Fill P21, start p21d and let it catch up: every second key is free for a row that comes later."""
        self.it = Installation.new(Path(self._folder.name), drops_offsets=drops_offsets, slots=slots)
        self.checks = Checks(self.it)
        for key in (1, 2, 3):
            self.it.p21.write("shelf", key, label="a")
        for key in range(1, 12, 2):
            self._insert(("maker", key), 1)
            self._insert(("part", key), 1 + key % 3)
        self._await(self.it.start())
        self._started = True
        for entity in ENTITIES:
            self._catch_up(entity)

    # P21 changes, and p21d works

    @rule(whats=st.lists(st.one_of(CHANGES, CHANGES, FAULTS, GRUDGES, TIMES), min_size=1, max_size=3))
    def something_happens(self, whats: Sequence[What]) -> None:
        """Let P21's users do something, a fault begin or end, time pass."""
        for what in whats:
            self._do(what)

    @rule(changes=st.lists(CHANGES, max_size=2), tasks=BESIDE, mishaps=MISHAPS, delays=latencies, again=st.booleans())
    def work(
        self,
        changes: Sequence[What],
        tasks: Sequence[Later],
        mishaps: Planned,
        delays: list[float],
        again: bool,  # noqa: FBT001  # drawn values
    ) -> None:
        """Run tasks side by side while mishaps come; perhaps once more, when these are over."""
        for change in changes:
            self._do(change)
        self._run(tasks, mishaps, delays)
        if again:
            self._run(tasks, [], [])

    @rule(entity=entities)
    def catch_up(self, entity: str) -> None:
        """Let p21d bring one entity up to date."""
        self._catch_up(entity)

    # what is told in a row, because chance would seldom bring it together

    @rule(row=rows, name=names, delays=latencies, seconds=st.sampled_from([0.1, 5.0, 19.0]))
    def poll_overtakes_a_sweep(self, row: tuple[str, int], name: str, delays: list[float], seconds: float) -> None:
        """Change all rows, and one of them again, while a poll runs beside the slow sweep that has read them."""
        entity = row[0]
        self._rename_all(entity)
        acts = [(seconds, partial(self._rename, row, name)), (20.0, Task("poll", entity))]
        self._run([(0.0, Task("sweep", entity)), *acts], [], [], hub_delays=[40.0, *delays])

    @rule(entity=entities, kind=st.sampled_from(["poll", "sweep", "backfill"]), crashes=CRASHES)
    def crash_in_a_window(self, entity: str, kind: str, crashes: Planned) -> None:
        """Change all rows, and end the process in the window that reads them; the next one goes on; and again."""
        for crash in crashes:
            self._rename_all(entity)
            self._pass(70.0)
            self._run([(0.0, Task(kind, entity))], [crash], [])
            self._run([(0.0, Task(kind, entity))], [], [])

    @rule(row=rows, name=names, count=st.integers(1, 4), softly=st.booleans(), crash=st.booleans())
    def lost_answer_and_change_back(
        self,
        row: tuple[str, int],
        name: str,
        count: int,
        softly: bool,  # noqa: FBT001  # a drawn value
        crash: bool,  # noqa: FBT001  # drawn values
    ) -> None:
        """Change a row, lose the hub's answer, and change the row back."""
        if (key := self._present(row)) is not None:
            before = self.it.p21.tables[row[0]][key].values["name"]
            self._rename(row, name)
            lost: What = ("crash",) if crash else ("lose answers", count, softly)
            step = "hub has answered" if crash else "hub is asked"
            self._run([(0.0, Task("poll", row[0]))], [((step, 1), lost)], [])
            self._rename(row, before)
            self._end_faults()
            self.it.hub.failing.clear()
            self._pass(70.0)
            self._run([(0.0, Task("poll", row[0]))], [], [])

    @rule(shelf=small_keys, note=keys, text=names, crashes=CRASHES, entity=entities)
    def crash_after_a_related_change(self, shelf: int, note: int, text: str, crashes: Planned, entity: str) -> None:
        """Change related rows alone, and end the process while their trigger, and what it parks, is worked off."""
        tasks = [(0.0, Task("trigger poll", entity)), (1.0, Task("release", entity))]
        for crash in crashes:
            self._label(shelf, text)
            self._note(note, text)
            self._pass(70.0)
            self._run(tasks, [crash], [])
            self._run(tasks, [], [])

    @rule(late=st.tuples(rows, names, st.sampled_from([5.0, LATE_SECONDS])), pause=st.sampled_from([0.0, 3.0, 40.0]))
    def poll_before_a_late_commit(self, late: tuple[Any, ...], pause: float) -> None:
        """Let a poll pass the stamp of a row that nobody sees yet."""
        self._do(("rename late", *late))
        self._pass(pause)
        self._run([(0.0, Task("poll", late[0][0]))], [], [])
        self._pass(LATE_SECONDS)
        self.all_is_accounted_for()

    @rule(entity=entities, task=TASKS)
    def pause(self, entity: str, task: Task) -> None:
        """Pause an entity; while it is paused nothing of it is sent."""
        self.it.runners[entity].gate.pause("by the model")
        calls = self.it.hub.calls
        self._run([(0.0, task)], [], [])
        assert entity != task.entity or self.it.hub.calls == calls
        self._await(self._resume())

    # p21d is started, stopped and told; the clock is set

    @rule(edition=st.integers(0, 2))
    def begin_anew(self, edition: int) -> None:
        """Reload, perhaps with another mapping; or, for 0, stop p21d and start it on the same store."""
        if edition:
            self._await(self.it.reload(edition))
            return
        self._await(self.it.stop())
        self._await(self.it.start())

    @rule(entity=entities, shifts=st.lists(st.sampled_from([20, 35, 50]), min_size=3, max_size=5))
    @precondition(lambda self: self.it.tempo.clock.now() < NIGHTS[-1])
    def night_of_the_clocks(self, entity: str, shifts: Sequence[int]) -> None:
        """Work through the next night in which the server's clock is set."""
        now = self.it.tempo.clock.now()
        self._pass((next(night for night in NIGHTS if night > now) - now).total_seconds())
        for minutes in shifts:
            self._pass(60.0 * minutes)
            self._rename_all(entity)
            self._pass(70.0)
            self._run([(0.0, Task("poll", entity))], [], [])

    # what must hold

    @invariant()
    def all_is_accounted_for(self) -> None:
        """Check what no fault excuses."""
        if self._started:
            self.it.p21.show()
            self.checks.always()

    def teardown(self) -> None:
        """Let faults stop; then hub and P21 agree."""
        try:
            if self._started:
                self._end_in_agreement()
        finally:
            self.close()

    def close(self) -> None:
        """Stop p21d and clear up, whatever state the world is in."""
        if self._started:
            self._await(self.it.stop())
        self._loop.close()
        self._folder.cleanup()

    def _end_in_agreement(self) -> None:
        self._end_faults()
        self.it.hub.failing.clear()
        self._await(self._resume())
        self._pass(3700.0)
        for entity in ENTITIES:
            self._work_well([Task("poll", entity), Task("trigger poll", entity)])
        self._release_all()
        self.checks.always()
        # from the watermarks alone, before a sweep or a backfill could hide what they have passed
        self.checks.agree(excused=self.checks.letters(), whole=False)
        for entity in ENTITIES:
            self._work_well([Task("backfill", entity), Task("trigger sweep", entity), Task("sweep", entity)])
        self._release_all()
        for entity, key in sorted(self.checks.letters()):
            gone = int(key) not in self.it.p21.tables[entity]
            self._work_well([Task("backfill" if gone else "sync keys", entity, keys=(int(key),), force=True)])
        self._release_all()
        self.checks.always()
        self._check_letters()
        self.checks.agree(excused=self.checks.letters(), whole=True)

    def _check_letters(self) -> None:
        """Dead letters are only for what is refused, or has no parent; and nothing waits."""
        assert not self.checks.waiting(), self.checks.waiting()
        unexplained = [
            (entity, key)
            for entity, key in self.checks.letters() - self.it.hub.refused
            if int(key) in self.it.p21.tables[entity] and self.checks.has_parent(entity, int(key))
        ]
        assert not unexplained, unexplained

    # how it is done

    def _await(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run(work)

    def _catch_up(self, entity: str) -> None:
        for kind in ("sweep", "trigger sweep", "release"):
            self._run([(0.0, Task(kind, entity))], [], [])

    def _work_well(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            self.checks.ended_well(self._await(self.it.run([(0.0, task)])))

    def _run(
        self, tasks: Sequence[Later], mishaps: Planned, delays: Sequence[float], *, hub_delays: Sequence[float] = ()
    ) -> None:
        hub, p21 = self.it.hub, self.it.p21
        hub.latencies, p21.latencies = list(hub_delays or delays), list(delays)
        paused = any(runner.gate.paused for runner in self.it.runners.values())
        quiet = not (mishaps or paused or hub.down or hub.losing or hub.failing or p21.failures or p21.cuts)
        planned: list[Mishap] = [(*step, partial(self._do, what)) for step, what in mishaps]
        ended = self._await(self.it.run(tasks, planned))
        hub.latencies, p21.latencies = [], []
        if quiet:
            self.checks.ended_well(ended)
        self.all_is_accounted_for()

    def _release_all(self) -> None:
        for _ in range(ROUNDS):
            self._pass(130.0)
            for entity in ENTITIES:
                self._work_well([Task("release", entity)])
            if not self.checks.waiting():
                return

    def _end_faults(self) -> None:
        hub, p21 = self.it.hub, self.it.p21
        hub.down = hub.losing = p21.failures = p21.cuts = 0

    async def _resume(self) -> None:
        for runner in self.it.runners.values():
            runner.resume()

    def _time_passes(self, seconds: float) -> None:
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        self.it.tempo.clock.advance(seconds)

    def _do(self, what: tuple[Any, ...]) -> None:
        name, *values = what
        getattr(self, "_" + name.lower().replace(" ", "_"))(*values)

    def _present(self, row: tuple[str, int]) -> int | None:
        """Return the key of a row that is there: the drawn one, or the next."""
        there = sorted(self.it.p21.tables[row[0]])
        return next((key for key in there if key >= row[1]), there[-1] if there else None)

    def _rename(self, row: tuple[str, int], name: str, late_seconds: float = 0.0) -> None:
        if (key := self._present(row)) is not None:
            present = self.it.p21.tables[row[0]][key].values["name"]
            self.it.p21.write(row[0], key, name=other_than(present, name), late_seconds=late_seconds)

    _rename_late = _rename

    def _rename_all(self, entity: str) -> None:
        for key in list(self.it.p21.tables[entity]):
            self._rename((entity, key), "c")

    def _rename_and_back(self, row: tuple[str, int], name: str) -> None:
        if (key := self._present(row)) is not None:
            before = self.it.p21.tables[row[0]][key].values["name"]
            self._rename(row, name)
            self._rename(row, before)

    def _insert(self, row: tuple[str, int], other: int) -> None:
        entity, key = row
        if key in self.it.p21.tables[entity]:
            return
        if entity == "maker":
            self.it.p21.write(entity, key, name="a", delete_flag="N")
        else:
            self.it.p21.write(entity, key, name="a", maker_id=key, shelf_id=other, row_status=704)

    def _move(self, part: int, maker: int) -> None:
        if (key := self._present(("part", part))) is not None:
            self.it.p21.write("part", key, maker_id=maker)

    def _reshelve(self, part: int, shelf: int) -> None:
        if (key := self._present(("part", part))) is not None:
            self.it.p21.write("part", key, shelf_id=shelf)

    def _note(self, maker: int, text: str, late_seconds: float = 0.0) -> None:
        if (key := self._present(("maker", maker))) is not None:
            present = self.it.p21.tables["note"].get(10 * key)
            text = other_than(present.values["text"], text) if present else text
            self.it.p21.write("note", 10 * key, maker_id=key, text=text, late_seconds=late_seconds)

    def _note_late(self, maker: int, text: str) -> None:
        self._note(maker, text, LATE_SECONDS)

    def _label(self, shelf: int, label: str) -> None:
        label = other_than(self.it.p21.tables["shelf"][shelf].values["label"], label)
        self.it.p21.write("shelf", shelf, label=label)

    def _flag(self, row: tuple[str, int], deleted: bool) -> None:  # noqa: FBT001  # a value of the drawn change
        if (key := self._present(row)) is not None:
            self.it.p21.flag(row[0], key, deleted=deleted)

    def _vanish(self, row: tuple[str, int]) -> None:
        if (key := self._present(row)) is not None:
            self.it.p21.delete(row[0], key)

    def _hub_down(self, count: int) -> None:
        self.it.hub.down = count

    def _lose_answers(self, count: int, softly: bool) -> None:  # noqa: FBT001  # as above
        self.it.hub.losing, self.it.hub.loses_softly = count, softly

    def _refuse(self, row: tuple[str, int]) -> None:
        self.it.hub.refused.add(named(row))

    def _fail(self, row: tuple[str, int]) -> None:
        self.it.hub.failing.add(named(row))

    def _take_all(self) -> None:
        self.it.hub.refused.clear()
        self.it.hub.failing.clear()

    def _p21_fails(self, count: int) -> None:
        self.it.p21.failures = count

    def _cut_pages(self, count: int) -> None:
        self.it.p21.cuts = count

    def _token_dies(self) -> None:
        self.it.p21.end_tokens()

    def _crash(self) -> None:
        self.it.tempo.crash()

    def _drain(self) -> None:
        self.it.drain()


def other_than(present: str, wanted: str) -> str:
    """Return the wanted text, or another where it is there already: each change changes something."""
    return wanted if wanted != present else {"a": "b", "b": "c"}.get(wanted, "a")


def named(row: tuple[str, int]) -> Name:
    """Return the name of a row."""
    return row[0], str(row[1])
