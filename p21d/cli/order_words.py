"""Orders in words: a line each for the list, all of one for `show`, and how they stand as a whole."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from p21d.cli.output import SCREEN_COLUMNS, one_line
from p21d.cli.times import local_seconds_text, local_text
from p21d.control.order_answers import OrderAnswer, OrderDetailAnswer, OrdersStatus

NAME_COLUMNS = 13
STATES = {
    "prepared": "to be sent",
    "sending": "being sent",
    "unknown": "P21 is asked whether it has it; it is sent again only when it has not",
    "created": "in P21, about to be linked in the hub",
    "linked": "in P21 and linked in the hub",
    "held": "nothing was sent, or somebody must say which order of P21 it is",
    "refused": "P21 refused it",
    "dismissed": "somebody, or the hub, said that it is not to be written",
}


def lead(order: OrderAnswer) -> list[str]:
    """Return the cells of the list: what it is, where it stands, why, and what to do."""
    if why := order.reason:
        why += f" -> {order.hint}" if order.hint else ""
    elif differs(order):
        why = f"differs: {'; '.join(order.differences)} -> p21d orders acknowledge {order.number or order.id}"
    elif order.due_at is not None and order.state in ("prepared", "unknown"):
        why = f"goes on {local_text(order.due_at)}"
    return [order.id, order.number, order.state, order.order_no, local_text(order.changed_at), why]


def differs(order: OrderAnswer) -> bool:
    """Tell whether P21 has the order otherwise than it was sent, and nobody has taken note yet."""
    return bool(order.differences) and not order.acknowledged


def status_lines(status: OrdersStatus) -> Iterator[str]:
    """Yield how orders stand: why none is written, how many there are by state, what was left alone."""
    if status.held_reason:
        yield f"no order is written now: {status.held_reason}"
        if status.held_hint:
            yield f"  -> {status.held_hint}"
    if status.counts:
        yield "orders: " + ", ".join(f"{count:,} {state}" for state, count in sorted(status.counts.items()))
    for reason, count in sorted(status.left_alone.items(), key=lambda pair: -pair[1]):
        yield f"left alone: {count:,}, {reason}"


def order_lines(found: OrderDetailAnswer) -> Iterator[str]:
    """Yield all there is about one order, 80 columns wide."""
    order = found.order
    yield from _field("order", " ".join(filter(None, (order.number, f"(hub id {order.id})"))))
    yield from _field("state", f"{order.state}: {STATES.get(order.state, '')}".rstrip(": "))
    yield from _field("P21 order", order.order_no)
    yield from _field("for", order.customer)
    yield from _field("total", order.total)
    yield from _field("reference", order.reference)
    yield from _field("why", order.reason)
    yield from _field("what to do", order.hint)
    yield from _field("goes on", local_seconds_text(order.due_at) if order.due_at else "")
    yield from _field("attempts", _attempts(order))
    for difference in order.differences:
        yield from _field("differs", difference)
    if order.differences:
        yield from _field("", _about_differences(order))
    for event in found.history:
        yield from _field("step", f"{local_seconds_text(event.at)} {_step(event.before, event.after)} by {event.by}")
        yield from _field("", event.note)
    if found.body:
        yield from _field("sent", f"{len(found.body):,} characters: p21d orders show --body {order.id}")


def _about_differences(order: OrderAnswer) -> str:
    if order.acknowledged:
        return "acknowledged"
    return f"correct it in P21 if it matters, then p21d orders acknowledge {order.number or order.id}"


def _attempts(order: OrderAnswer) -> str:
    if not order.attempts:
        return "none yet"
    last = f", the last one ended {local_seconds_text(order.attempt_ended_at)}" if order.attempt_ended_at else ""
    empty = f"; P21 did not have it at {order.look_ups} look-ups since" if order.look_ups else ""
    return f"{order.attempts}{last}{empty}"


def _step(before: str, after: str) -> str:
    return after if before == after else f"{before} -> {after}"


def _field(name: str, text: str) -> list[str]:
    if not text:
        return []
    label = f"{name + ':':{NAME_COLUMNS}}" if name else " " * NAME_COLUMNS
    return textwrap.wrap(
        one_line(text),
        SCREEN_COLUMNS,
        initial_indent=label,
        subsequent_indent=" " * NAME_COLUMNS,
        break_long_words=False,
        break_on_hyphens=False,
    )
