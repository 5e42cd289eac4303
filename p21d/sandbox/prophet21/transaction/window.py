"""The Order window: replays the edits of one transaction, in the order sent, into a header and lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p21d.sandbox.prophet21.transaction.elements import HEADER, ITEMS, Element, find_element
from p21d.sandbox.prophet21.transaction.header import Header
from p21d.sandbox.prophet21.transaction.lines import Line, Lines
from p21d.sandbox.prophet21.transaction.masters import Masters
from p21d.sandbox.prophet21.transaction.request import (
    DataElement,
    Edit,
    Transaction,
    TransactionRefused,
    TransactionSet,
    rows_of,
)

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database

_LINE_FORMS = ("TP_EXTDINFO.extd_info", "TP_PRICES.prices", "TP_LINEPROMISEDATE.tp_linepromisedate")
_RMA = "You cannot retrieve an RMA from the Order Entry/Front Counter window."


class OrderWindow:
    """One window in one session: `header` and `lines` hold what was typed, nothing is saved yet."""

    def __init__(self, database: Database, sent: TransactionSet) -> None:
        self._database = database
        self._sent = sent
        self._masters = Masters(database)
        self.header = Header(self._masters, None, use_codes=sent.use_code_values)
        self.lines = Lines(self._masters, [], use_codes=sent.use_code_values)

    def replay(self, transaction: Transaction) -> None:
        """Type everything; raise `TransactionRefused` at the first value that is not taken."""
        for sent in transaction.data_elements:
            element = find_element(sent.name)
            keys = sent.keys or ([element.key] if element.key else [])
            for edits in rows_of(sent, keys):
                self._type_row(element, sent, edits, keys)

    def _type_row(self, element: Element, sent: DataElement, edits: list[Edit], keys: list[str]) -> None:
        if element.name == HEADER:
            self._retrieve(edits)
        line = self._line(element, edits, keys)
        for edit in edits:
            field = element.find(edit.name)
            disabled = self.header.disabled(field) if line is None else field.disabled
            if disabled and not self._sent.ignore_disabled:
                raise TransactionRefused(f"Column is disabled: {field.name}")
            text = edit.value or ""
            if disabled or (edit.ignore_if_empty and not text):
                continue
            if line is None:
                self.header.type(field, text)
            elif not (edit.name in sent.keys and line.stored):  # what found the line is not typed again
                self.lines.type(line, field, text)

    def _line(self, element: Element, edits: list[Edit], keys: list[str]) -> Line | None:
        if element.name != ITEMS and element.name not in _LINE_FORMS:
            return None
        if self.header.get("customer_id") is None:
            raise TransactionRefused("Customer ID is required")
        return self.lines.focus(element, edits, keys)

    def _retrieve(self, edits: list[Edit]) -> None:
        """Open the order whose number is typed; a number nobody has begins a new order, without a word."""
        number = next((edit.value for edit in edits if edit.name == "order_no"), None)
        rows = self._database.rows("oe_hdr", {"order_no": number.strip()}) if number else []
        if not rows or self.header.stored is not None:
            return
        if rows[0].get("rma_flag") == "Y":
            raise TransactionRefused(_RMA)
        codes = self._sent.use_code_values
        lines = self._database.rows("oe_line", {"order_no": rows[0]["order_no"]})
        self.header = Header(self._masters, rows[0], use_codes=codes)
        self.lines = Lines(self._masters, lines, use_codes=codes)
