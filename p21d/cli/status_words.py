"""What is stuck, why, and what to do, in words: the part of status that somebody who was woken up reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from p21d.cli.times import ago, left_text, span_text
from p21d.control.answers import EntityStatus, Status
from p21d.control.order_answers import OrdersStatus

ORDER_STATES = ("prepared", "sending", "unknown", "created", "held", "refused", "linked", "dismissed")


@dataclass(frozen=True, slots=True)
class Stuck:
    """One thing that does not move by itself, or not now; `remedy` may be empty."""

    what: str
    remedy: str = ""


def stuck(status: Status) -> list[Stuck]:
    """Return everything on the status screen that needs a look, in the order of its entities."""
    found = [trouble for entity in status.entities for trouble in _of_entity(entity, status.now)]
    found += _of_orders(status.orders)
    for name, count in status.not_configured.items():
        found.append(
            Stuck(f"{name} is not configured any more; {count} delivered records are remembered.", "nothing to do")
        )
    if not any(entity.state in ("held", "retrying") for entity in status.entities):  # else it is said there
        bad = (proof for proof in status.prophet21.proofs if not proof.good)
        found += [Stuck(f"Prophet 21, {proof.name}: {proof.result}.") for proof in bad]
    return found + [Stuck(f"warning: {warning}") for warning in status.warnings]


def running_words(entity: EntityStatus) -> str:
    """Return what runs now and how long it still takes: `sweep, 12000 of 400000 rows, about 4 min left`."""
    left = f", {left_text(entity.left_seconds)}" if entity.left_seconds is not None else ""
    return f"{entity.running}{left}"


def _of_entity(entity: EntityStatus, now: datetime) -> Iterator[Stuck]:
    name, why = entity.entity, f": {entity.reason}" if entity.reason else ""
    if entity.state == "paused":
        yield Stuck(f"{name} is paused for {ago(entity.since, now)}{why}.", f"p21d resume {name}")
    elif entity.state == "held":
        yield Stuck(f"{name} is held for {ago(entity.since, now)}{why}.{_next_try(entity, now)}", entity.hint)
    elif entity.reason:
        yield Stuck(f"{name} is {entity.state}{why}.", entity.hint)
    if entity.waiting:
        remedy = "each goes when its parent is delivered, and becomes a dead letter when that cannot be"
        yield Stuck(f"{name}: {_counted(entity.waiting, 'record')} waiting for a parent.", remedy)
    if entity.dead_letters:
        remedy = f"p21d dead-letters list {name}; when the cause is gone: p21d dead-letters replay {name}"
        yield Stuck(f"{name}: {_counted(entity.dead_letters, 'dead letter')}.", remedy)


def orders_line(orders: OrdersStatus) -> str:
    """Return how the orders stand in one line: `orders: on, 2 prepared, 1 held, 1204 linked`."""
    counts = [f"{orders.counts[state]:,} {state}" for state in ORDER_STATES if orders.counts.get(state)]
    left = sum(orders.left_alone.values())
    return ", ".join([f"orders: {orders.state}", *counts, *([f"{left:,} left alone"] if left else [])])


def _of_orders(orders: OrdersStatus | None) -> Iterator[Stuck]:
    if orders is None:
        return
    if orders.held_reason:
        yield Stuck(f"No order is written into P21: {orders.held_reason}.", orders.held_hint)
    for state, why in (("held", "held for a person"), ("refused", "refused by P21")):
        if count := orders.counts.get(state):
            yield Stuck(f"{_counted(count, 'order')} {why}.", f"p21d orders list --state {state} says why")
    if count := orders.counts.get("unknown"):
        remedy = "each is looked up in P21, and sent again only when P21 does not have it; p21d orders list shows them"
        them = "it" if count == 1 else "them"
        yield Stuck(f"Of {_counted(count, 'order')} it is not known yet whether P21 has {them}.", remedy)
    if orders.differing:
        remedy = "p21d orders list shows how; then p21d orders acknowledge ID"
        yield Stuck(f"P21 has {_counted(orders.differing, 'order')} otherwise than sent.", remedy)


def _next_try(entity: EntityStatus, now: datetime) -> str:
    if entity.until is None:
        return ""
    return f" It tries again in {span_text(max(0.0, (entity.until - now).total_seconds()))}."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
