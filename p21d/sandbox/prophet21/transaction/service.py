"""Performs the transactions of one call: each in a window of its own, saved or refused as a whole.

There is no idempotency: the same call twice makes two orders. The faults of facts 9.3 (write) act here, because only
here is it known what was saved.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from p21d.sandbox.fault import Fault
from p21d.sandbox.prophet21.transaction.elements import HEADER
from p21d.sandbox.prophet21.transaction.request import Transaction, TransactionRefused, TransactionSet
from p21d.sandbox.prophet21.transaction.rules import Rules
from p21d.sandbox.prophet21.transaction.saving import Saving
from p21d.sandbox.prophet21.transaction.window import OrderWindow

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database
    from p21d.sandbox.prophet21.settings import Settings

UNEXPECTED_WINDOW = "Unexpected response window: Order Entry. Window class: w_response_ok"
DIRTY_SESSION = "Object reference not set to an instance of an object."
BUSINESS_RULE = "Business rule: the order needs the approval of the credit department."
NO_WINDOW = "You do not have permission to open the Order Entry window."
_KEPT_WRITES = 10_000
_REFUSING = {"window_before": UNEXPECTED_WINDOW, "dirty_session": DIRTY_SESSION, "refuse_order": BUSINESS_RULE}


class Done(msgspec.Struct, kw_only=True):
    """What became of one transaction: its order number, or the words of its refusal."""

    order_no: str = ""
    words: str = ""

    @property
    def passed(self) -> bool:
        """Say whether P21 reports success."""
        return not self.words


class Write(msgspec.Struct, kw_only=True):
    """One call as it was read, and what became of its transactions."""

    sent: TransactionSet
    done: list[Done]


class OrderService:
    """The service `Order` on one database, for one user; `writes` are the latest calls, oldest first."""

    def __init__(self, database: Database, settings: Settings, user: str) -> None:
        self._database = database
        self._settings = settings
        self._saving = Saving(database, user)
        self.writes: deque[Write] = deque(maxlen=_KEPT_WRITES)

    def perform(self, sent: TransactionSet, faults: list[Fault]) -> list[Done]:
        """Carry out every transaction by itself and say what became of each."""
        done = [self._one(sent, transaction, faults) for transaction in sent.transactions]
        self.writes.append(Write(sent=sent, done=done))
        return done

    def _one(self, sent: TransactionSet, transaction: Transaction, faults: list[Fault]) -> Done:
        after = next((fault for fault in faults if fault.kind == "window_after"), None)
        try:
            with self._database.transaction():
                order_no = self._replay(sent, transaction, faults)
        except TransactionRefused as refused:
            return Done(words=str(refused))
        if after is not None:  # saved, but the answer speaks of a window
            return Done(order_no=order_no, words=after.body or UNEXPECTED_WINDOW)
        return Done(order_no=order_no)

    def _replay(self, sent: TransactionSet, transaction: Transaction, faults: list[Fault]) -> str:
        if not self._settings.may_write_orders:
            raise TransactionRefused(NO_WINDOW)
        for fault in faults:
            if fault.kind in _REFUSING:
                raise TransactionRefused(fault.body or _REFUSING[fault.kind])
        window = OrderWindow(self._database, sent)
        window.replay(transaction)
        rules = Rules(self._database, self._settings)
        rules.check(window.header, window.lines)
        kinds: set[str] = {fault.kind for fault in faults}
        if "drop_line" in kinds:
            window.lines.all.pop()
        return self._saving.save(window.header, window.lines, more=self._more(window, rules, kinds))

    def _more(self, window: OrderWindow, rules: Rules, kinds: set[str]) -> dict[str, Any]:
        more: dict[str, Any] = {"completed": "T"} if "lock_order" in kinds else {}
        if self._settings.po_no_append_on_repeat and rules.repeats_po(window.header):
            more["po_no_append"] = "-1"
        return more


def answer_of(sent: TransactionSet, done: list[Done]) -> dict[str, Any]:
    """Return the answer of `POST transaction` (facts 5.5); Results is null where nothing passed."""
    passed = sum(each.passed for each in done)
    results = {"Name": sent.name, "Transactions": [_result(each) for each in done]} if passed else None
    return {
        "Messages": [f"Transaction {number}:: {each.words}" for number, each in enumerate(done, start=1)],
        "Results": results,
        "Summary": {"Succeeded": passed, "Failed": len(done) - passed, "Other": 0},
    }


def _result(done: Done) -> dict[str, Any]:
    if not done.passed:
        return {"Status": "Failed", "DataElements": []}
    row = {"Edits": [{"Name": "order_no", "Value": done.order_no}]}
    return {"Status": "Passed", "DataElements": [{"Name": HEADER, "Rows": [row]}]}
