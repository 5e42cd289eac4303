"""How far an order has come, in the hub's words for a status.

    order and its lines in P21                               status in the hub
    deleted or cancelled, or every line of goods is          Cancelled
    completed                                                Complete
    all goods that are not cancelled are invoiced            Shipped
    some of them are, or an open line is backordered (B)     Backorder
    anything else, also open in an editor (completed T)      Pending

A line has the same words by itself. What P21 has invoiced counts as shipped: its lines know nothing nearer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

NOTHING = Decimal(0)
DONE = frozenset({"Shipped", "Complete"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One line's quantities, all in one unit and negative in a return, and what its flags say."""

    ordered: Decimal | None
    canceled: Decimal | None
    invoiced: Decimal | None
    cancel_flag: bool
    complete: bool
    backordered: bool

    @property
    def cancelled(self) -> bool:
        """Return whether nothing of the line is wanted any more."""
        canceled = abs(self.canceled or NOTHING)
        return self.cancel_flag or (canceled > 0 and canceled >= abs(self.ordered or NOTHING))

    @property
    def wanted(self) -> Decimal:
        """Return what is wanted: less what was cancelled, but all of it where the whole line was."""
        canceled = NOTHING if self.cancelled else self.canceled or NOTHING
        return (self.ordered or NOTHING) - canceled

    @property
    def status(self) -> str:
        """Return the status of the line."""
        invoiced = abs(self.invoiced or NOTHING)
        if self.cancelled:
            return "Cancelled"
        if self.complete:
            return "Complete"
        if self.wanted and invoiced >= abs(self.wanted):
            return "Shipped"
        return "Backorder" if invoiced or self.backordered else "Pending"


def order_status(goods: Iterable[str], *, cancelled: bool, completed: bool) -> str:
    """Return the status of an order by its own flags and the statuses of its lines of goods."""
    found = set(goods)
    if cancelled or found == {"Cancelled"}:
        return "Cancelled"
    if completed:
        return "Complete"
    live = found - {"Cancelled"}
    if live and live <= DONE:
        return "Shipped"
    return "Backorder" if live & {*DONE, "Backorder"} else "Pending"
