"""A row on its way to its fate, and the records it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from p21d.engine.fate import Fate
from p21d.errors import RecordError
from p21d.order import OrderMark
from p21d.plugin import Child, Parent
from p21d.sinks.port import Acknowledged
from p21d.store.dead_letter import DeadLetter
from p21d.store.link import StoredLink
from p21d.store.waiting import WaitingRow


class Outgoing(Struct, eq=False):
    """One record to be sent; `known` when the sink has acknowledged it before, `answer` once it has now.

    `renamed_from` is the external id it was delivered under before, `former` are those under which another integration
    may have made it, `void_links` are the links that its acknowledgement makes void. `born` tells that it came from the
    sink, where it is only brought up to date.
    """

    external_id: str
    body: Mapping[str, Any]
    children: Mapping[str, Sequence[Child]]
    parents: Mapping[str, str] = field(default_factory=dict)
    fingerprint: bytes = b""
    active: bool = True
    known: bool = False
    revive: bool = False
    renamed_from: str = ""
    former: Sequence[str] = ()
    void_links: list[StoredLink] = field(default_factory=list)
    answer: Acknowledged | None = None
    born: bool = False


class Work(Struct, eq=False):
    """One row: its key, the instant before it was read, and what became of it so far.

    `page_key` is the key it was paged by. `vanished` says why it is treated as deleted although no column of it says
    so. `letters` are its dead letters, `parked` its place in the waiting room, `reason` why it is skipped, `settled`
    that all this is in the store. `attempts` counts sends in this cycle, `first_failed_at` the first that failed.
    `names` are the external ids of all records the row has or had, `lost_parents` are the parents that the sink may
    have lost, the first of them suspected now. `mark` is by what the row is recognised as an order that was written for
    the sink, `born_as` the link of the order of the sink that it is.
    """

    key: str
    page_key: str
    read_at: datetime
    deleted: bool = False
    vanished: str = ""
    parents: Sequence[Parent] = ()
    records: list[Outgoing] = field(default_factory=list)
    fate: Fate | None = None
    reason: str = ""
    letters: list[DeadLetter] = field(default_factory=list)
    parked: WaitingRow | None = None
    counted_again: bool = False
    attempts: int = 0
    first_failed_at: datetime | None = None
    last_error: RecordError | None = None
    settled: bool = False
    has_letter: bool = False
    waits: bool = False
    skipped_before: str = ""
    names: frozenset[str] = frozenset()
    lost_parents: Sequence[Parent] = ()
    mark: OrderMark | None = None
    born_as: StoredLink | None = None

    def become_born(self, link: StoredLink) -> None:
        """Note that the row's record came from the sink: it needs no parent there."""
        self.born_as, self.parents = link, ()

    def skip(self, reason: str) -> None:
        """End the row as skipped, with its reason."""
        self.fate, self.reason = Fate.SKIPPED, reason

    def dead_letter(self, letter: DeadLetter) -> None:
        """End the row as dead-lettered; records of it that were acknowledged keep that."""
        self.fate = Fate.DEAD_LETTERED
        self.letters.append(letter)

    def park(self, waiting: WaitingRow) -> None:
        """End the row as waiting."""
        self.fate, self.parked = Fate.WAITING, waiting

    def unsent(self) -> list[Outgoing]:
        """Return the records that the sink has not acknowledged yet."""
        return [record for record in self.records if record.answer is None]
