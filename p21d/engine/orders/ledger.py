"""The ledger: the states of an intent, the one table of its transitions, and the only way to make one.

A transition is one transaction: the intent as it is from now on, and the event that says who made it and why. What is
not in `TRANSITIONS`, or starts from a state the intent has left meanwhile, is refused and writes nothing.

    killed in or after      what the next start finds and does
    (before `prepared`)     no intent: the hub order is still in the inbox
    prepared                nothing was sent since: looked up in P21, read again in the hub, sent
    sending                 it may have been sent or not: becomes `unknown`, its attempt ends with the start
    unknown                 the look-ups go on, those already empty count; sent again only when proven absent
    created                 read back again, compared, and linked; every link may be repeated
    linked in the hub only  still `created`: the links are found as they should be, and `linked` is kept here
    held, refused           as before: a person, or an edit in the hub
    linked, dismissed       nothing is left to do

Every attempt is kept in `Intent.sent` by the move into `sending`, before P21 is asked: whatever happens to it, an order
that stands in P21 under any text ever sent is found by the look-up before the next attempt. An attempt that was neither
found nor proven absent is repeated by a person's word alone, never because the hub order was edited.

The steps at which a test may kill the process: `before order S` and `order S` around each move into a state S; and
`before order sent`, `order sent`, `order read back`, `order linked in the hub`, `order lines linked in the hub`.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from p21d.clock import Clock, to_millis
from p21d.errors import P21dError
from p21d.order import HubOrder
from p21d.store.database import Store, Tables
from p21d.store.intent import Intent, IntentEvent, Sent

NEW = "new"
PREPARED = "prepared"
SENDING = "sending"
UNKNOWN = "unknown"
CREATED = "created"
LINKED = "linked"
HELD = "held"
REFUSED = "refused"
DISMISSED = "dismissed"
STATES = (PREPARED, SENDING, UNKNOWN, CREATED, LINKED, HELD, REFUSED, DISMISSED)

INBOX = "inbox"
WRITER = "writer"
START = "start"
PERSON = "person"
REBIND = "rebind"
"""The hand of `p21d rebind --drop-links`, which dismisses all that is open, in one statement of the store's."""

TRANSITIONS: Mapping[tuple[str, str], frozenset[str]] = {
    (NEW, PREPARED): frozenset({INBOX, PERSON}),
    (NEW, CREATED): frozenset({PERSON}),  # adopted: somebody typed it into P21 by hand
    (PREPARED, SENDING): frozenset({WRITER}),
    (PREPARED, CREATED): frozenset({WRITER, PERSON}),  # the look-up found exactly one; adopted
    (PREPARED, HELD): frozenset({WRITER}),  # it cannot be mapped, or the look-up found several
    (PREPARED, DISMISSED): frozenset({WRITER, PERSON, REBIND}),  # cancelled in the hub, linked elsewhere; a person
    (SENDING, CREATED): frozenset({WRITER}),
    (SENDING, REFUSED): frozenset({WRITER}),
    (SENDING, UNKNOWN): frozenset({WRITER, START}),
    (SENDING, PREPARED): frozenset({WRITER}),  # nothing was written: no session free, a record lock
    (SENDING, DISMISSED): frozenset({REBIND}),
    (UNKNOWN, CREATED): frozenset({WRITER, PERSON}),  # exactly one found; adopted
    (UNKNOWN, PREPARED): frozenset({WRITER}),  # proven absent
    (UNKNOWN, HELD): frozenset({WRITER}),  # several, or a candidate
    (UNKNOWN, DISMISSED): frozenset({PERSON, REBIND}),
    (CREATED, LINKED): frozenset({WRITER}),
    (CREATED, HELD): frozenset({WRITER}),  # the hub refuses the link, or P21 does not have the order
    (CREATED, DISMISSED): frozenset({REBIND}),
    (HELD, PREPARED): frozenset({PERSON, INBOX}),  # retried; edited in the hub
    (HELD, CREATED): frozenset({PERSON}),  # adopted, or its refused link retried
    (HELD, DISMISSED): frozenset({PERSON, REBIND}),
    (REFUSED, PREPARED): frozenset({PERSON, INBOX}),
    (REFUSED, CREATED): frozenset({PERSON}),
    (REFUSED, DISMISSED): frozenset({PERSON, REBIND}),
    (DISMISSED, PREPARED): frozenset({PERSON}),
    (DISMISSED, CREATED): frozenset({PERSON}),  # adopted after all
}
"""From which state into which, and who may do it. `by` is one of them, a person's with the name: `person ann`."""

Also = Callable[[Tables], Awaitable[None]]
"""Writes what must be in the same transaction as a move."""


class MoveRefused(P21dError):
    """The intent does not go there, or not by that hand, or has moved meanwhile."""

    exit_code = os.EX_USAGE


class Ledger:
    """The intents of one connection. `steps` is called with a name before and after each durable step."""

    def __init__(self, store: Store, clock: Clock, steps: Callable[[str], None]) -> None:
        self.steps = steps
        self._store = store
        self._clock = clock

    async def begin(
        self, order: HubOrder, *, by: str, forced: bool = False, note: str = "", also: Also | None = None
    ) -> Intent:
        """Make the intent of a hub order that has none, `prepared` and due now; raises MoveRefused where it has one."""
        intent = self.unwritten(order, forced=forced)
        return await self.move(intent, PREPARED, by=by, note=note, also=also)

    def unwritten(self, order: HubOrder, *, forced: bool) -> Intent:
        """Return the intent of a hub order as it is before its first move; the store does not have it yet."""
        now = self._clock.now()
        return Intent(
            hub_id=order.id,
            state=NEW,
            hub_number=order.number,
            customer=order.email_address or order.company_id or order.customer_id,
            total="" if order.total is None else str(order.total),
            digest=order.digest,
            forced=forced,
            created_at=now,
            changed_at=now,
            due_at=now,
        )

    async def move(
        self, intent: Intent, after: str, *, by: str, note: str = "", also: Also | None = None, **changes: Any
    ) -> Intent:
        """Bring an intent, as it was read, into another state, and return it as it is then.

        `changes` are further fields; `also` writes more in the same transaction. Raises MoveRefused.
        """
        check_move(intent, after, by)
        if after == CREATED:
            changes.setdefault("look_ups", 0)  # from here they count the times that P21 does not show the order
        self.steps(f"before order {after}")
        moved = await self._write(intent, by, note, also, {**changes, "state": after})
        self.steps(f"order {after}")
        return moved

    async def amend(self, intent: Intent, *, by: str, note: str = "", **changes: Any) -> Intent:
        """Change an intent that stays in its state; with `note` its history says so. Raises MoveRefused."""
        if changes.keys() & {"state", "hub_id", "created_at"}:
            raise MoveRefused("the state of an intent is changed by a move alone")
        return await self._write(intent, by, note, None, changes)

    async def _write(self, intent: Intent, by: str, note: str, also: Also | None, changes: Mapping[str, Any]) -> Intent:
        now = self._clock.now()
        changed = replace(intent, **{**changes, "changed_at": now})
        async with self._store.transaction() as tables:
            check_unmoved(intent, await tables.intents.get(intent.hub_id))
            await tables.intents.save(changed)
            if note or changed.state != intent.state:
                event = IntentEvent(
                    hub_id=intent.hub_id, at=now, before=intent.state, after=changed.state, by=by, note=note
                )
                await tables.intents.record(event)
            if also is not None:
                await also(tables)
        return changed


def check_move(intent: Intent, after: str, by: str) -> None:
    """Raise MoveRefused for a transition that is not in the table, or not this hand's."""
    words = f"order {intent.hub_number or intent.hub_id}: {intent.state} -> {after}"
    hands = TRANSITIONS.get((intent.state, after))
    if hands is None:
        raise MoveRefused(f"{words} is no step of an order", hint=f"it is {intent.state}: {ways_out(intent.state)}")
    if by.split(" ", maxsplit=1)[0] not in hands:
        raise MoveRefused(f"{words} is not made by {by!r}, but by {' or '.join(sorted(hands))}")
    if after == PREPARED and by == INBOX and unresolved(intent):
        raise MoveRefused(f"{words}: what became of its last attempt is for a person to say", hint=intent.hint)
    if after == PREPARED and intent.order_no:
        # sent again, it would be a second one
        raise MoveRefused(f"{words}: it is P21 order {intent.order_no} already", hint="adopt that order again")


def check_unmoved(read: Intent, stored: Intent | None) -> None:
    """Raise MoveRefused where the store has the intent otherwise than it was read: another hand was quicker."""
    if stored is None and read.state == NEW:
        return
    if stored is not None and version(stored) == version(read):
        return
    state = "gone" if stored is None else stored.state
    raise MoveRefused(
        f"order {read.hub_number or read.hub_id} is {state} by now, not {read.state}", hint="look at it again"
    )


def version(intent: Intent) -> tuple[str, int, int]:
    """Return what tells whether an intent has moved since it was read."""
    return intent.state, intent.attempts, to_millis(intent.changed_at)


def unresolved(intent: Intent) -> bool:
    """Tell whether an attempt may have made an order of P21 that was neither found nor proven absent."""
    return any(not sent.outcome for sent in intent.sent)


def ways_out(state: str) -> str:
    """Return in words where an intent may go from a state by a person's hand."""
    ways = sorted(after for (before, after), hands in TRANSITIONS.items() if before == state and PERSON in hands)
    return f"a person may bring it to {', '.join(ways)}" if ways else "no person can move it"


def settled(sent: Sequence[Sent], outcome: str) -> Sequence[Sent]:
    """Return the attempts, with this outcome where none is known yet."""
    return tuple(
        one if one.outcome else Sent(field=one.field, text=one.text, customer_id=one.customer_id, outcome=outcome)
        for one in sent
    )


NO_TROUBLE: Mapping[str, Any] = {"reason": "", "hint": ""}
"""The changes of an intent that goes on."""
