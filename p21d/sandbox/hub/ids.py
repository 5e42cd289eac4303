"""The forms of the hub's ids: what a request may bring and what an answer shows.

Inside, an id is an integer. Most collections want ids as JSON integers above 0; some use 24-digit ObjectIds as text.
"""

from __future__ import annotations

import re
from typing import Any

from p21d.sandbox.hub.refusal import RefusedError
from p21d.sandbox.hub.settings import HubSettings

_HEX = re.compile(r"[0-9a-f]{24}\Z")


class Ids:
    """Read and write ids in the form that is set."""

    def __init__(self, settings: HubSettings) -> None:
        self._settings = settings

    def show(self, record_id: int) -> int | str:
        """Return an id as a record's `id` member."""
        form = self._settings.ids
        if form == "hex":
            return f"{record_id:024x}"
        return record_id if form == "numbers" else str(record_id)

    def show_text(self, record_id: int) -> str:
        """Return an id as text, the form of link answers."""
        return str(self.show(record_id))

    def show_number(self, record_id: int) -> int | str:
        """Return an id as a member that refers to another record by number, such as `customer_id`."""
        return f"{record_id:024x}" if self._settings.ids == "hex" else record_id

    def read_member(self, value: Any, name: str) -> int:
        """Return the id in a request's member; raises VALD-1004, 1005 or 1008."""
        if self._settings.ids == "hex":
            if isinstance(value, str) and _HEX.match(value):
                return int(value, 16)
            raise RefusedError("VALD-1008", f"{name} has the wrong form for this collection, a 24-digit id is needed")
        if isinstance(value, str) and value.isdigit() and self._settings.text_ids_taken:
            value = int(value)
        if type(value) is not int:
            raise RefusedError("VALD-1004", f"{name} must be an integer, without quotes")
        return _above_zero(value, name)

    def read_text(self, value: Any, name: str = "Id") -> int:
        """Return the id in a path, a query or a link body, where it is text; raises VALD-1001, 1004 or 1005."""
        text = str(value or "")
        if not text:
            raise RefusedError("VALD-1001", f"{name} is missing")
        if _HEX.match(text):
            return int(text, 16)
        if not text.isdigit():
            raise RefusedError("VALD-1004", f"{name} must be an integer")
        return _above_zero(int(text), name)


def _above_zero(value: int, name: str) -> int:
    # 2**63 - 1 is what a 64-bit id, and SQLite, can hold.
    if not 0 < value < 2**63:
        raise RefusedError("VALD-1005", f"{name} must be greater than 0")
    return value
